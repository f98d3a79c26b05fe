"""What is recorded is what is read back, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from support.sample_runs import SCORER, ending, flat, levels, record_all, started, whole_run
from support.waiting import until

from engine.errors import StoreError
from engine.search.events import Decision, Event, Grade, RunFinished, StepSampled, StepScored, Usage
from engine.search.tree import Tree
from engine.store import Store
from engine.store.ids import new_run_id
from engine.store.version import product_version


def test_events_come_back_as_they_were(url: str) -> None:
    run_id = new_run_id()
    rounds = whole_run(run_id)
    with Store.open(url) as store:
        record_all(store, run_id, rounds)
        store.flush()
        assert store.events(run_id) == flat(rounds)
    with Store.open(url) as store:
        record, log = store.read(run_id)
        assert log == flat(rounds)
        assert list(map(asdict, store.tree(run_id).nodes)) == list(map(asdict, Tree.from_events(flat(rounds)).nodes))
    assert (record.id, record.status, record.answer, record.correct) == (run_id, "done", "7", True)
    assert record.scorer == SCORER
    assert record.grades == {"7": Grade("7", True, "exact")}
    assert record.usage == Usage(generated_tokens=50, flops_all=7.5)
    assert record.product_version == product_version()


def test_how_sure_the_policy_was_comes_back_and_so_does_that_nobody_said(url: str) -> None:
    run_id = new_run_id()
    sure = StepSampled(1, 1, 0, 1, "a", (1,), 3, -0.5, "step", confidence=14.25, certainty=21.0)
    unsaid = StepSampled(2, 2, 1, 2, "b", (2,), 3, -0.5, "eos")
    with Store.open(url) as store:
        store.record([started(run_id), sure, unsaid], Usage(), run_id)
        store.flush()
    with Store.open(url) as store:
        assert store.events(run_id)[1:3] == [sure, unsaid]
        assert [(node.confidence, node.certainty) for node in store.tree(run_id).nodes] == [
            (None, None), (14.25, 21.0), (None, None)
        ]  # fmt: skip


def test_any_number_of_rounds_to_a_transaction_gives_the_same_rows(url: str) -> None:
    with Store.open(url) as store:
        apart, together, at_once = new_run_id(), new_run_id(), new_run_id()
        for events in whole_run(apart):
            store.record(events, Usage(7), apart)
            store.flush(apart)
        record_all(store, together, whole_run(together))
        store.record(flat(whole_run(at_once)), Usage(7), at_once)
        store.flush()
        assert store.events(apart)[1:] == store.events(together)[1:] == store.events(at_once)[1:]
        assert store.run(apart).usage == store.run(at_once).usage == Usage(7)


def test_after_finds_what_is_new_copies_included(url: str) -> None:
    run_id = new_run_id()
    rounds = list(levels(run_id, 2))
    with Store.open(url) as store:
        record_all(store, run_id, rounds)
        store.flush()
        log = flat(rounds)
        for after in range(-1, 20):
            assert store.events(run_id, after) == [event for event in log if getattr(event, "seq", 0) > after]
        first = next(event for event in log if isinstance(event, StepSampled))
        raised = [replace(first, seq=100 + copies, copies=copies) for copies in (5, 9)]
        for event in raised:
            store.record([event], Usage(), run_id)
            store.flush()
            assert store.events(run_id, event.seq - 1) == [event]
        assert store.events(run_id, 50) == raised
        assert store.tree(run_id)[1].copies == 9


def test_the_end_of_a_run_is_told_whatever_was_seen(store: Store) -> None:
    run_id = new_run_id()
    store.record([started(run_id), RunFinished("failed", error="no room")], Usage(), run_id)
    store.flush()
    assert store.events(run_id, 10_000) == [RunFinished("failed", error="no room")]


def test_a_run_without_a_scorer(url: str) -> None:
    run_id = new_run_id()
    with Store.open(url) as store:
        store.record([started(run_id, scorer=None)], Usage(), run_id)
        store.flush()
        assert store.run(run_id).scorer is None
        assert store.events(run_id) == [started(run_id, scorer=None)]


HOSTILE = [
    "Robert'); DROP TABLE runs;--",
    '"${x}" {{ y }} </script> \\ %s %(a)s :b ?',
    "\U0001f600 \u202e \ufeff \x01\x7f\r\n\t",
    "é" * 1_000_000,
    "",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_only_texts(url: str, text: str) -> None:
    run_id = new_run_id()
    log: list[Event] = [
        started(run_id, problem=text),
        StepSampled(1, 1, 0, 1, text, None, 1, None, "eos", answer=text),
        RunFinished("done", answer=text, grades={text: Grade(text)}),
    ]
    with Store.open(url) as store:
        store.record(log, Usage(), run_id)
        store.flush()
        assert store.events(run_id) == log
        if text:
            assert [record.id for record in store.runs(search=text)] == [run_id]


def test_what_no_database_can_hold_is_replaced_sign_by_sign(url: str) -> None:
    run_id = new_run_id()
    odd, stored = "a\x00b\ud800c", "a\ufffdb\ufffdc"
    with Store.open(url) as store:
        node = StepSampled(1, 1, 0, 1, odd, (5, 6), 2, -1.0, "eos", answer=odd)
        end = RunFinished("done", answer=odd, grades={odd: Grade(odd)})
        store.record([started(run_id, problem=odd), node, end], Usage(), run_id)
        store.flush()
        kept = replace(end, answer=stored, grades={stored: Grade(stored)})
        assert store.events(run_id)[1:] == [replace(node, text=stored, answer=stored), kept]
        assert store.runs(search=odd)[0].problem == stored


@pytest.mark.parametrize(
    "event",
    [
        StepScored(2, 1, "prm", float("nan")),
        StepSampled(2, 1, 0, 1, "", None, 1, float("-inf"), "step"),
        Decision(2, 0, "expand", "rank", {"ucb": float("inf")}),
        StepSampled(2, 3, 0, 1, "", None, 1, None, "step"),
    ],
)
def test_what_cannot_be_true_is_refused_at_once_and_the_run_goes_on(
    store: Store, event: StepScored | StepSampled | Decision
) -> None:
    run_id = new_run_id()
    store.record([started(run_id)], Usage(), run_id)
    with pytest.raises(StoreError):
        store.record([event], Usage(), run_id)
    good = StepSampled(1, 1, 0, 1, "a", None, 1, None, "step")
    store.record([good], Usage(), run_id)
    store.flush()
    assert store.events(run_id) == [started(run_id), good]


def test_a_finished_run_takes_more_from_another_process_s_store(store: Store, file: object) -> None:
    run_id = new_run_id()
    rounds = whole_run(run_id)
    record_all(store, run_id, rounds)
    store.flush()
    seq = max(event.seq for event in flat(rounds) if not isinstance(event, RunFinished))
    last = store.tree(run_id).nodes[-1]
    more = StepSampled(seq + 1, last.id + 1, 0, 1, "mine\n\n", None, 1, None, "step", origin="human")
    with Store.open(str(file)) as later:
        later.record([more, StepScored(seq + 2, more.node, "prm", 0.5)], Usage(50), run_id)
    assert store.events(run_id, seq)[:-1] == [more, StepScored(seq + 2, more.node, "prm", 0.5)]
    assert store.run(run_id).status == "done"


def test_nothing_is_seen_before_it_is_committed(store: Store) -> None:
    run_id = new_run_id()
    rounds = list(levels(run_id, 3))
    record_all(store, run_id, rounds)
    until(lambda: any(record.id == run_id for record in store.runs()))
    until(lambda: store.events(run_id) == flat(rounds))
    store.record(ending(flat(rounds)), Usage(), run_id)
    until(lambda: store.run(run_id).status == "done")
