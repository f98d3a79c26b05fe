"""Sweeps and what their runs came to, on either kind of database."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from support.sample_runs import record_all, whole_run

from engine.errors import InvalidInput
from engine.search.events import Usage
from engine.store import Store
from engine.store.ids import new_run_id
from engine.store.owner import Owner, this_process
from engine.store.sweep_records import OutcomeRecord, SweepRecord


def sweep(name: str) -> SweepRecord:
    return SweepRecord(
        new_run_id(), name, "2026-11-27T10:00:00.000Z", "running", "builtin-easy", 2, 3, 6, 0, {"n": [1, 2]},
        ({"problem": "1 + 1", "level": "1"},), 0.5, None, "1", this_process(), time.time(),
    )  # fmt: skip


def test_a_sweep_is_read_back_as_it_was_saved(url: str) -> None:
    with Store.open(url) as store:
        first, second = sweep("one"), replace(sweep("two"), created_at="2026-11-28")
        for each in (first, second):
            store.save_sweep(each)
        store.note_sweep(first.id, "done", 6, 2.5, None)
        changed = replace(store.find_sweep("one"), heartbeat=first.heartbeat)
        assert changed == replace(first, status="done", done=6, elapsed_s=2.5)
        store.save_sweep(changed)
        assert store.find_sweep("one") == store.find_sweep(first.id) == store.find_sweep(first.id[:-3]) == changed
        assert store.sweeps() == [replace(each, questions=()) for each in (second, changed)]
        for name, why in (("three", "no sweep"), ("", "give"), (first.id[:4], "several")):
            with pytest.raises(InvalidInput, match=why):
                store.find_sweep(name)


def test_a_sweep_whose_process_died_is_interrupted(store: Store) -> None:
    store.save_sweep(replace(sweep("dead"), owner=replace(this_process(), pid=2**22, started="1")))
    assert store.find_sweep("dead").status == "interrupted"
    store.save_sweep(replace(sweep("far"), owner=Owner("elsewhere", 1, ""), heartbeat=time.time()))
    assert store.find_sweep("far").status == "running"


def test_outcomes_come_with_the_run_and_go_with_it(url: str) -> None:
    with Store.open(url) as store:
        run_id = new_run_id()
        rows = [
            OutcomeRecord(run_id, rule, n, "s", None, 0.5, 0.75, 1, 2, 12.5, None, 0.5)
            for rule in ("majority_vote", "prm_last_vote", "prm_min_max")
            for n in (1, 2)
        ]
        *rounds, end = whole_run(run_id)
        record_all(store, run_id, rounds)
        store.record(end, Usage(generated_tokens=100), run_id, outcomes=rows)
        store.flush()
        found = store.outcomes()
        assert [(row.rule, row.n, row.accuracy) for row in found] == [(row.rule, row.n, 0.5) for row in rows]
        assert {(row.problem, row.generated_tokens) for row in found} == {("What is 3 + 4?", 100)}
        assert {row.rule for row in store.outcomes(rules=["majority_vote"])} == {"majority_vote", "prm_last_vote"}
        assert store.without_outcomes() == [] and store.pace() is None
        assert [(row.strategy, row.n, row.generated_tokens) for row in store.mean_costs()] == [("beam_search", 4, 100)]
        assert store.done(["s/cell"]) == {"s/cell": set()}
        assert [(row.sweep, row.runs, row.problems) for row in store.unlisted_sweeps()] == [("s", 1, 1)]
        store.save_outcomes([replace(rows[0], right=1.0)])
        assert store.outcomes(["s"])[0].accuracy == 1.0 and store.outcomes(["t"]) == []
        store.delete([run_id])
        assert store.outcomes() == []
