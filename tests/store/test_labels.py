"""Labels by people: revised, taken back, kept apart by labeller, and that they change nothing of the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sample_runs import SCORER, levels, record_all, whole_run

from engine.errors import InvalidInput
from engine.store import Store
from engine.store.document import document
from engine.store.ids import new_run_id
from engine.store.imports import import_document
from engine.store.labels import VALUES, judge_of, labeller_of, rating_of


def finished(store: Store) -> str:
    run_id = new_run_id()
    record_all(store, run_id, whole_run(run_id))
    store.flush()
    return run_id


def said(store: Store, run_id: str, judge: str) -> dict[int, float]:
    return {node.id: node.scores[judge] for node in store.tree(run_id).nodes if judge in node.scores}


def test_labels_are_revised_and_taken_back_and_change_nothing_of_the_run(url: str) -> None:
    with Store.open(url) as store:
        run_id = finished(store)
        before, log = store.read(run_id)
        decided = before.answers(store.tree(run_id))
        store.label(run_id, "Ann", {1: 1, 2: 0, 3: -1})
        store.label(run_id, " Bob ", {1: -1})
        assert said(store, run_id, "labels: Ann") == {1: 1.0, 2: 0.5, 3: 0.0}
        last = store.events(run_id)[-1]
        store.label(run_id, "Ann", {2: -1, 3: None})
        assert said(store, run_id, "labels: Ann") == {1: 1.0, 2: 0.0}
        assert said(store, run_id, "labels: Bob") == {1: 0.0}
        record, events = store.read(run_id)
        assert events[: len(log)] == log and record.answers(store.tree(run_id)) == decided
        assert events[-1].seq > last.seq  # type: ignore[union-attr]  # who reads on hears of what was revised
        assert [(each.scorer.name, each.kind, each.usage.generated_tokens) for each in record.scorings] == [
            ("labels: Ann", "human", 0), ("labels: Bob", "human", 0),
        ]  # fmt: skip
        store.label(run_id, "Bob", {1: None})
        assert [each.scorer.name for each in store.scorings(run_id)] == ["labels: Ann"]
    with Store.open(url) as store:
        assert said(store, run_id, "labels: Ann") == {1: 1.0, 2: 0.0}


def test_labels_travel_in_the_document(store: Store, tmp_path: Path) -> None:
    run_id = finished(store)
    store.label(run_id, "Ann", {1: 0, 2: 1})
    store.label(run_id, "Ann", {1: -1})
    whole = document(*store.read(run_id))
    with Store.open(str(tmp_path / "other.db")) as other:
        import_document(other, whole)
        there = document(*other.read(run_id))
        assert there["scorings"] == whole["scorings"]
        unnumbered = [[score | {"seq": 0} for score in each["scores"]] for each in (there, whole)]
        assert unnumbered[0] == unnumbered[1]
        other.label(run_id, "Ann", {1: 1})
        assert said(other, run_id, "labels: Ann") == {1: 1.0, 2: 1.0}
        assert len(other.scorings(run_id)) == 1


def test_what_cannot_be_labelled_is_refused_whole(store: Store) -> None:
    run_id, running = finished(store), new_run_id()
    record_all(store, running, list(levels(running, 2)))
    store.flush()
    before = store.read(run_id)
    for what, told, labeller, ratings in (
        ("no run has the id", "unknown", "Ann", {1: 1}),
        ("still going on", running, "Ann", {1: 1}),
        ("no step 999", run_id, "Ann", {1: 1, 999: 1}),
        ("no step 0", run_id, "Ann", {0: 1}),
        ("2 is no rating", run_id, "Ann", {1: 2}),
        ("give a name", run_id, "  ", {1: 1}),
        ("give a name", run_id, "x" * 61, {1: 1}),
    ):
        with pytest.raises(InvalidInput, match=what):
            store.label(told, labeller, ratings)
    assert store.read(run_id) == before


def test_ratings_are_scores_that_every_reader_understands() -> None:
    assert {rating: rating_of(value) for rating, value in VALUES.items()} == {-1: -1, 0: 0, 1: 1}
    assert judge_of("Ann") == "labels: Ann" and labeller_of(judge_of("Ann")) == "Ann"
    assert labeller_of(SCORER.name) == SCORER.name
