"""Comparisons in the store, on SQLite and on PostgreSQL: their runs, their order, their bill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import inspect
from support.old_databases import upgraded
from support.sample_runs import flat, record_all, whole_run

from engine.errors import InvalidInput
from engine.search.events import RunFinished, RunStarted, Usage
from engine.store import ComparisonRecord, Store
from engine.store.document import comparison_document
from engine.store.ids import new_run_id


def asked(paired: bool = True, budget: int | None = 400) -> ComparisonRecord:
    run_ids = tuple(new_run_id() for _ in range(3))[::-1]  # the order asked, not that of the ids
    return ComparisonRecord(new_run_id(), "2026-01-02T03:04:05.678Z", paired, budget, Usage(), run_ids)


def billed(record: ComparisonRecord, tokens: int) -> ComparisonRecord:
    return replace(record, shared=Usage(tokens, 2, 3, 4, 5, 6, 7, 8.5, 9.5, tokens / 10))


def record_runs(store: Store, record: ComparisonRecord) -> ComparisonRecord:
    """Three runs, round by round in turn, as a comparison records them; returns its last state."""
    tokens = 0
    runs = [whole_run(run_id, 3) for run_id in record.run_ids]
    for rounds in runs:
        (begun,) = rounds[0]
        assert isinstance(begun, RunStarted)
        rounds[0] = [replace(begun, comparison_id=record.id)]
    for turn in zip(*runs, strict=True):
        for run_id, events in zip(record.run_ids, turn, strict=True):
            tokens += 10
            store.record(events, Usage(tokens), run_id, billed(record, tokens))
    return billed(record, tokens)


@pytest.mark.parametrize(("paired", "budget"), [(True, 400), (False, None)])
def test_a_comparison_comes_back_as_it_was_asked(url: str, paired: bool, budget: int | None) -> None:
    record = asked(paired, budget)
    with Store.open(url) as store:
        last = record_runs(store, record)
        store.flush()
        assert store.comparison(record.id) == store.comparison(record.id[:-2]) == last
        for run_id in record.run_ids:
            run, log = store.read(run_id)
            assert run.comparison_id == record.id == log[0].comparison_id  # type: ignore[union-attr]
            assert log[1:] == flat(whole_run(run_id, 3))[1:]


def test_the_runs_name_their_comparison_in_any_order(url: str) -> None:
    record = asked()
    single = new_run_id()
    with Store.open(url) as store:
        record_runs(store, record)
        record_all(store, single, whole_run(single))
        store.flush()
        assert store.comparison_of(record.run_ids) == store.comparison_of(record.run_ids[::-1])
        assert store.comparison_of(record.run_ids).id == record.id  # type: ignore[union-attr]
        for others in (record.run_ids[:2], (*record.run_ids, single), (single,), (), ("unknown", "too"), ("\0",)):
            assert store.comparison_of(others) is None


def test_an_unfinished_comparison_has_its_bill(file: Path) -> None:
    """What a kill leaves: each transaction holds the bill of its rounds."""
    record = asked()
    with Store.open(str(file)) as store:
        for tokens, run_id in enumerate(record.run_ids, start=1):
            store.record(whole_run(run_id, 3)[0], Usage(tokens), run_id, billed(record, tokens))
            store.flush()
            with Store.open(str(file)) as other:
                assert other.comparison(record.id) == billed(record, tokens)
                assert other.run(run_id).usage == Usage(tokens)


def test_a_comparison_that_is_not_there(store: Store) -> None:
    record_runs(store, asked())
    record_runs(store, asked())
    store.flush()
    for prefix, said in (
        ("", "give a comparison's id"),
        ("zzz", "no comparison id"),
        (new_run_id()[:1], "several comparison ids"),
    ):
        with pytest.raises(InvalidInput, match=said) as refused:
            store.comparison(prefix)
        assert refused.value.argument == "comparison"


def test_the_document(store: Store) -> None:
    record = asked()
    last = record_runs(store, record)
    store.flush()
    runs = [store.read(run_id) for run_id in record.run_ids]
    document = json.loads(json.dumps(comparison_document(store.comparison(record.id), runs)))
    assert list(document) == ["format", "version", "id", "budget", "shared", "runs"]
    assert (document["format"], document["version"], document["id"]) == ("tts-ui.comparison", 1, record.id)
    assert document["budget"] == 400
    assert Usage(**document["shared"]) == last.shared
    assert [run["run"]["id"] for run in document["runs"]] == list(record.run_ids)
    assert {run["format"] for run in document["runs"]} == {"tts-ui.run"}


def test_a_database_of_the_first_version_is_brought_up_to_date_with_its_runs(url: str) -> None:
    engine = upgraded(url, "0001")
    with engine.begin() as connection:
        assert not inspect(connection).has_table("comparisons")
        connection.exec_driver_sql(_AN_OLD_RUN)
    engine.dispose()
    with Store.open(url) as store:
        assert store.run("old").comparison_id is None
        assert store.run("old").usage.generated_tokens == 12
        assert store.events("old")[-1] == RunFinished("done", answer="7")
        record = asked()
        last = record_runs(store, record)
        store.flush()
        assert store.comparison(record.id) == last


_AN_OLD_RUN = """
INSERT INTO runs (id, created_at, problem, strategy, params, status, origin, answer, policy, policy_parameters,
 policy_context_window, policy_digest, policy_dtype, policy_device, policy_template, generated_tokens, prompt_tokens,
 prompt_tokens_reused, scored_tokens, scored_tokens_reused, policy_calls, scorer_calls, flops_paper, flops_all, wall_s,
 product_version, owner_host, owner_pid, owner_started, heartbeat)
VALUES ('old', '2026-01-02T03:04:05.678Z', '3 + 4', 'greedy', '{"select": "majority_vote"}', 'done', 'search', '7',
 'p', 10, 512, '', '', '', '', 12, 3, 0, 0, 0, 1, 0, 240.0, 300.0, 0.5, '0.0.9', 'here', 1, '', 0.0)
"""
