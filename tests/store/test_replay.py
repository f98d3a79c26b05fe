"""Replay is a bound: a run read up to a seq is the run as it was then, its bill included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.sample_runs import flat, record_all, whole_run

from engine.search.events import Event, ModelInfo, RunFinished, StepSampled, StepScored, Usage
from engine.store import Store
from engine.store.document import document
from engine.store.ids import new_run_id
from engine.store.imports import import_document


def spent(number: int) -> Usage:
    """The usage that `record_all` records with round `number`."""
    return Usage(generated_tokens=10 * number, flops_all=1.5 * number)


def test_a_run_as_it_was_at_every_seq(url: str) -> None:
    run_id = new_run_id()
    rounds = whole_run(run_id)
    log = flat(rounds)
    ends = [max((event.seq for event in part if not isinstance(event, RunFinished)), default=0) for part in rounds]
    with Store.open(url) as store:
        record_all(store, run_id, rounds)
        store.flush()
        whole = store.read(run_id)
        assert len([event for event in log if isinstance(event, StepSampled) and event.copies > 1]) > 3
        for seq in range(ends[-1]):
            record, events = store.read(run_id, until_seq=seq)
            assert events == [event for event in log if not isinstance(event, RunFinished) and event.seq <= seq]
            assert (record.status, record.answer, record.correct, record.grades) == ("running", None, None, {})
            assert record.bill_known
            assert record.usage == spent(max(number for number, end in enumerate(ends) if end <= seq))
            assert store.read(run_id, after=3, until_seq=seq)[1] == [
                event for event in events if not isinstance(event, RunFinished) and event.seq > 3
            ]
        for seq in (ends[-1], ends[-1] + 100):
            assert store.read(run_id, until_seq=seq) == whole


def test_every_raise_of_copies_is_kept(url: str) -> None:
    run_id = new_run_id()
    rounds = whole_run(run_id, 1)
    step = next(event for event in flat(rounds) if isinstance(event, StepSampled))
    last = max(event.seq for event in flat(rounds) if not isinstance(event, RunFinished))
    raised: list[Event] = [
        StepSampled(last + n, 1, 0, 1, step.text, step.token_ids, step.tokens, step.logprob, step.finish, 2 + n)
        for n in (1, 2, 3)
    ]
    with Store.open(url) as store:
        record_all(store, run_id, [*rounds[:-1], rounds[-1][:-1], raised[:2], raised[2:]])
        store.flush()
        assert store.events(run_id, last) == raised
        assert [store.read(run_id, until_seq=last + n)[1][-1] for n in (1, 2, 3)] == raised
        assert store.tree(run_id)[1].copies == 5


def test_the_bill_of_a_moment_that_nobody_recorded_is_not_invented(store: Store, tmp_path: Path) -> None:
    run_id = new_run_id()
    record_all(store, run_id, whole_run(run_id))
    store.flush()
    exported: dict[str, Any] = json.loads(json.dumps(document(*store.read(run_id))))
    with Store.open(str(tmp_path / "other.db")) as other:
        import_document(other, exported)
        record, _ = other.read(run_id, until_seq=5)
        assert (record.bill_known, record.usage) == (False, Usage())
        record, _ = other.read(run_id, until_seq=10_000)
        assert (record.bill_known, record.usage) == (True, store.run(run_id).usage)


def test_what_was_added_is_there_after_the_end_only(store: Store) -> None:
    run_id = new_run_id()
    rounds = whole_run(run_id)
    record_all(store, run_id, rounds)
    store.flush()
    last = max(event.seq for event in flat(rounds) if not isinstance(event, RunFinished))
    scores = [StepScored(0, node, "another", 0.5) for node in (1, 2)]
    store.add_scoring(run_id, ModelInfo("another", 0, 0), "measured", scores, Usage(7))
    assert store.read(run_id, until_seq=last)[1] == flat(rounds)
    assert store.read(run_id, until_seq=last - 1)[0].status == "running"
    assert [event.seq for event in store.read(run_id, until_seq=last + 1)[1][-1:] if isinstance(event, StepScored)] == [
        last + 1
    ]
