"""Finding runs: prefixes, lists and searches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sample_runs import started

from engine.errors import InvalidInput
from engine.search.events import RunFinished, Usage
from engine.store import Store
from engine.store.ids import ALPHABET, new_run_id


def add(store: Store, run_id: str, created_at: str = "2026", problem: str = "p", answer: str | None = None) -> None:
    begun = replace(started(run_id, problem=problem), created_at=created_at)
    store.record([begun, RunFinished("done", answer=answer)], Usage(), run_id)


def found(store: Store, search: str) -> list[str]:
    return [record.id for record in store.runs(search=search)]


def test_ids_are_unique_sorted_and_well_formed() -> None:
    run_ids = [new_run_id() for _ in range(5000)]
    assert run_ids == sorted(set(run_ids))
    assert len({len(run_id) for run_id in run_ids}) == 1
    assert set("".join(run_ids)) <= set(ALPHABET)


def test_an_id_says_nothing_about_the_next() -> None:
    run_ids = [new_run_id() for _ in range(5000)]
    moments, secrets = {run_id[:-25] for run_id in run_ids}, [run_id[-25:] for run_id in run_ids]
    assert len(ALPHABET) ** 25 >= 2**122
    assert len(moments) == len(run_ids)  # so an id rises by its time, and not by counting up what should be random
    for place in range(25):  # every place takes every character: none is part of a counter or of the time
        assert {secret[place] for secret in secrets} == set(ALPHABET)


def test_a_unique_prefix_is_enough(url: str) -> None:
    with Store.open(url) as store:
        for run_id in ("abc123", "abc", "abd999", "x_y", "xzy"):
            add(store, run_id)
        store.flush()
        assert store.run("abc123").id == "abc123"
        assert store.run("abc1").id == "abc123"
        assert store.run("abc").id == "abc"  # a whole id is never ambiguous
        assert store.run(" ABD ").id == "abd999"
        assert store.run("x_").id == "x_y"


def test_only_a_person_at_a_terminal_may_give_a_prefix(url: str) -> None:
    with Store.open(url) as store:
        for run_id in ("abc123", "abc"):
            add(store, run_id)
        store.flush()
        for ask in (store.whole_run, store.read, store.events, store.tree, store.scorings):
            ask("abc123")
            ask("abc")
            for beginning in ("abc1", "ab", "ABC", " abc ", "abc%", "", "abc123\x00"):
                with pytest.raises(InvalidInput, match="run"):
                    ask(beginning)


@pytest.mark.parametrize("prefix", ["", "  ", "a", "nope", "%", "_", "\\", "a\x00", "\ud800", "a" * 100_000])
def test_unknown_and_ambiguous_prefixes_are_the_caller_s_mistake(url: str, prefix: str) -> None:
    with Store.open(url) as store:
        add(store, "aa1")
        add(store, "aa2")
        store.flush()
        for ask in (store.run, store.events, store.tree):
            with pytest.raises(InvalidInput) as caught:
                ask(prefix)
            assert caught.value.argument == "run"
            assert "\n" not in str(caught.value)
            assert len(str(caught.value)) < 400


def test_runs_are_listed_newest_first_in_pages(url: str) -> None:
    with Store.open(url) as store:
        for number in range(7):
            add(store, f"r{number}", created_at=f"2026-01-0{number + 1}T00:00:00Z")
        add(store, "r9", created_at="2026-01-07T00:00:00Z")
        store.flush()
        assert [record.id for record in store.runs(limit=3)] == ["r9", "r6", "r5"]
        assert [record.id for record in store.runs(limit=3, offset=6)] == ["r1", "r0"]


def test_search_reads_problem_answer_and_strategy_literally(url: str) -> None:
    with Store.open(url) as store:
        add(store, "r1", "1", problem="What is 100% of 7?")
        add(store, "r2", "2", problem="What is 100 of_7?", answer="\\frac{1}{2}")
        add(store, "r3", "3", problem="nothing")
        store.flush()
        assert found(store, "100%") == ["r1"]
        assert found(store, "of_7") == ["r2"]
        assert found(store, "\\FRAC{1}") == ["r2"]
        assert found(store, "what IS") == ["r2", "r1"]
        assert found(store, "beam_search") == ["r3", "r2", "r1"]
        assert found(store, "/") == []
        assert found(store, "z" * 100_000) == []
        assert len(store.runs(search="")) == 3
