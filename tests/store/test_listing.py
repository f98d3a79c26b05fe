"""The list of runs: every filter and order, pages, choices, comparisons, and only what a visitor may see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from support.sample_runs import started

from engine.errors import InvalidInput
from engine.search.events import Event, ModelInfo, RunFinished, Usage
from engine.store import ComparisonRecord, Store
from engine.store.listing import Wanted, day

DONE, FREE = RunFinished("done"), Usage()


def add(store: Store, run_id: str, *, finished: RunFinished | None = DONE, usage: Usage = FREE,
        comparison: ComparisonRecord | None = None, **asked: Any) -> None:  # fmt: skip
    begun = replace(started(run_id), **{"created_at": "2026-01-01T00:00:00Z"} | asked)
    events: list[Event] = [begun, *([finished] if finished else [])]
    store.record(events, usage, run_id, comparison)


def ids(store: Store, limit: int = 100, offset: int = 0, **wanted: Any) -> list[str]:
    listed = [each.record.id for each in store.listed(Wanted(**wanted), limit, offset)]
    if limit >= 100 and not offset:
        assert store.count(Wanted(**wanted)) == len(listed)
    return listed


def test_every_filter_and_all_of_them_together(url: str) -> None:
    weak = ModelInfo("weak", 1, 512)
    with Store.open(url) as store:
        add(store, "a", strategy="dvts", finished=RunFinished("done", answer="7", correct=True))
        add(store, "b", policy=weak, finished=RunFinished("done", answer="8", correct=False))
        add(store, "c", scorer=None, origin="import", finished=RunFinished("done", answer="9"))
        add(store, "d", scorer=weak, finished=RunFinished("failed", error="x"))
        add(store, "e", finished=RunFinished("stopped", answer="1"))
        add(store, "f", finished=None)
        add(store, "g", finished=RunFinished("interrupted"), created_at="2026-02-03T23:59:59.9Z", problem="odd one")
        store.flush()
        store.describe("b", ("later", "odd"), "look at step 3")
        assert ids(store, strategy="dvts") == ["a"]
        assert ids(store, models="weak") == ["b"]
        assert ids(store, judge="weak") == ["d"] and ids(store, judge="") == ["c"]
        assert ids(store, origin="import") == ["c"]
        assert ids(store, tag="odd") == ["b"] and ids(store, tag="od") == []
        outcomes = {"correct": "a", "wrong": "b", "ungraded": "c", "failed": "d", "stopped": "e", "running": "f",
                    "interrupted": "g"}  # fmt: skip
        for outcome, run_id in outcomes.items():
            assert ids(store, outcome=outcome) == [run_id], outcome
        assert ids(store, since=date(2026, 2, 3)) == ["g"] == ids(store, since=date(2026, 2, 1), until=date(2026, 2, 3))
        assert ids(store, until=date(2026, 2, 2)) == ["f", "e", "d", "c", "b", "a"]
        assert ids(store, until=date.max)[0] == "g"
        assert ids(store, search="ODD") == ["g", "b"]  # a problem and a tag
        assert ids(store, search="step 3") == ["b"]  # a note
        assert ids(store, search="odd", models="weak", outcome="wrong", tag="later", origin="search") == ["b"]
        assert ids(store, search="odd", outcome="correct") == []


def test_the_runs_of_a_sweep_and_of_no_other(url: str) -> None:
    with Store.open(url) as store:
        of = ["S_1/xs/own/dvts", "S_1/a", "S_1", "S_10/a", "Sx1/a", "s_1/a", "S%/a", None]
        for number, sweep_id in enumerate(of):
            add(store, f"r{number}", sweep_id=sweep_id, origin="import" if number == 1 else "search")
        store.flush()
        assert ids(store, sweep="S_1") == ["r1", "r0"]
        assert ids(store, sweep="S%") == ["r6"]
        assert ids(store, sweep="S_1", origin="import") == ["r1"] == ids(store, sweep="S_1", within=["r1", "r3"])
        assert ids(store, sweep="S") == [] == ids(store, sweep="")


def test_the_runs_of_a_sweep_are_found_by_their_index(store: Store) -> None:
    """And not by looking at every run."""
    from sqlalchemy import func, select, text
    from sqlalchemy.dialects import postgresql, sqlite

    from engine.store.tables import runs

    query = select(func.count()).select_from(runs).where(*Wanted(sweep="S").conditions)
    said = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with store._engine.connect() as connection:
        plan = " ".join(str(row[-1]) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {said}")))
    assert "ix_runs_sweep_id (sweep_id>? AND sweep_id<?)" in plan, plan
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    assert 'COLLATE "C"' in str(query.compile(dialect=dialect))  # else its locale decides


def test_every_order_and_its_pages(url: str) -> None:
    with Store.open(url) as store:
        for number in range(7):
            add(store, f"r{number}", created_at=f"2026-01-0{1 + number // 2}T00:00:00Z", strategy="ab"[number % 2],
                usage=Usage(generated_tokens=number // 3, wall_s=float(-number % 4)))  # fmt: skip
        store.flush()
        orders = {
            "newest": "6543210", "oldest": "0123456", "tokens": "6543210", "time": "5162340", "strategy": "6420531",
        }  # fmt: skip
        for order, expected in orders.items():
            listed = ids(store, order=order)
            assert "".join(run_id[1] for run_id in listed) == expected, order
            pages = [ids(store, 3, offset, order=order) for offset in (0, 3, 6, 9)]
            assert [run_id for page in pages for run_id in page] == listed
            assert [len(page) for page in pages] == [3, 3, 1, 0]


def test_what_is_no_filter_is_told_by_its_name() -> None:
    for wrong, argument in (({"outcome": "good"}, "outcome"), ({"order": "random"}, "sort")):
        with pytest.raises(InvalidInput) as caught:
            Wanted(**wrong)  # type: ignore[arg-type]
        assert caught.value.argument == argument and "choose one of" in caught.value.message
    for text in ("yesterday", "2026-02-30", "01.02.2026", ""):
        with pytest.raises(InvalidInput, match="2026-11-30"):
            day(text, "since")


def test_the_choices_are_what_there_is(url: str) -> None:
    with Store.open(url) as store:
        assert store.choices() == store.choices(within=[])
        add(store, "a", strategy="dvts")
        add(store, "b", scorer=None, origin="import")
        add(store, "c", strategy="gone")
        store.flush()
        store.describe("a", ("x", "y"), None)
        store.describe("b", ("x",), None)
        store.delete(["c"])
        found = store.choices()
        assert (found.strategies, found.origins, found.tags) == (
            ("beam_search", "dvts"),
            ("import", "search"),
            ("x", "y"),
        )
        assert (found.models, found.judges) == (("built-in",), ("", "built-in-prm"))
        mine = store.choices(within=["b"])
        assert (mine.strategies, mine.judges, mine.tags) == (("beam_search",), ("",), ("x",))


def test_within_shows_those_runs_and_the_examples_alone(url: str) -> None:
    with Store.open(url) as store:
        for run_id, origin in (("mine", "search"), ("theirs", "search"), ("example", "example")):
            add(store, run_id, origin=origin)
        store.flush()
        assert sorted(ids(store, within={"mine"})) == ["example", "mine"]
        assert ids(store, within=()) == ["example"]
        assert ids(store, within={"mine"}, search="3 + 4", origin="search") == ["mine"]
        assert ids(store, within=[f"r{number}" for number in range(10_000)]) == ["example"]


def test_comparisons_are_listed_with_the_runs_that_are_left(url: str) -> None:
    with Store.open(url) as store:
        for name, created_at, problem in (("1", "2026-01-01", "apples"), ("2", "2026-01-02", "pears")):
            run_ids = tuple(f"{letter}{name}" for letter in "bac")
            record = ComparisonRecord(f"c{name}", created_at, True, None, Usage(5), run_ids)
            for run_id in run_ids:
                add(store, run_id, comparison=record, comparison_id=record.id, problem=problem)
        add(store, "alone")
        store.flush()
        listed, count = store.comparisons(Wanted(), 10)
        assert (count, [each.record.id for each in listed]) == (2, ["c2", "c1"])
        assert [record.id for record in listed[0].runs] == ["b2", "a2", "c2"]
        assert [each.record.id for each in store.comparisons(Wanted(order="oldest"), 1)[0]] == ["c1"]
        assert [each.record.id for each in store.comparisons(Wanted(), 1, 1)[0]] == ["c1"]
        found, count = store.comparisons(Wanted(search="apples"), 10)
        assert (count, [each.record.id for each in found]) == (1, ["c1"])
        assert store.comparisons(Wanted(within=["alone"]), 10) == ([], 0)
        of_run = {each.record.id: each.compared for each in store.listed(Wanted(), 10)}
        assert of_run["a1"] == ("b1", "a1", "c1") and of_run["alone"] == ()
        store.delete(["a1"])
        listed, _ = store.comparisons(Wanted(search="apples"), 10)
        assert [record.id for record in listed[0].runs] == ["b1", "c1"]
        store.delete(["b1", "c1"])
        assert store.comparisons(Wanted(), 10)[1] == 1


def test_a_page_of_the_list_reads_the_index_alone(store: Store) -> None:
    """Otherwise a page of many runs reads every problem and answer."""
    from sqlalchemy import text
    from sqlalchemy.dialects import sqlite

    from engine.store.listing import ORDERS, _ids

    for order in ORDERS:
        wanted = Wanted(strategy="s", models="m", judge="j", outcome="wrong", origin="search", since=date(2026, 1, 1),
                        order=order)  # fmt: skip
        query = _ids(wanted).limit(50).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        with store._engine.connect() as connection:
            plan = " ".join(str(row[-1]) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))
        assert "COVERING INDEX ix_runs_listed" in plan, plan
