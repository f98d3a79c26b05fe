"""Scores that are added to a run after its end: what they may be, where they stand, and that they change nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from support.sample_runs import SCORER, flat, levels, record_all, started, whole_run

from engine.errors import InvalidInput, StoreError
from engine.search.events import ModelInfo, RunFinished, StepSampled, StepScored, Usage
from engine.store import Store
from engine.store.address import resolve
from engine.store.document import document
from engine.store.ids import new_run_id
from engine.store.imports import import_document
from engine.store.shapes import bill

JUDGE = ModelInfo("another", 1_000_000, 512, "sha256:2", "bfloat16", "cuda", "chat")
BILL = Usage(generated_tokens=3, scored_tokens=70, scored_tokens_reused=7, scorer_calls=2, flops_all=8.5, wall_s=0.25)


def finished(store: Store) -> str:
    run_id = new_run_id()
    record_all(store, run_id, whole_run(run_id))
    store.flush()
    return run_id


def scored(*nodes: int, scorer: str = JUDGE.name) -> list[StepScored]:
    return [StepScored(0, node, scorer, node / 100) for node in nodes]


def test_added_scores_follow_the_end_and_change_nothing_of_the_run(url: str) -> None:
    with Store.open(url) as store:
        run_id = finished(store)
        before, log = store.read(run_id)
        decided = before.answers(store.tree(run_id))
        rollouts = StepScored.estimate(0, 2, "rollouts", right=3, n=4)
        first = store.add_scoring(run_id, JUDGE, "measured", scored(3, 1), BILL)
        second = store.add_scoring(run_id, ModelInfo("rollouts", 0, 0), "estimated", [rollouts], Usage(40))
        record, events = store.read(run_id)

        last = max(event.seq for event in log if not isinstance(event, RunFinished))
        expected = [*scored(3, 1), rollouts]
        scorings = [first.id, first.id, second.id]
        assert events[: len(log)] == log and isinstance(log[-1], RunFinished)
        assert events[len(log) :] == [
            replace(score, seq=last + 1 + place, scoring=scoring)
            for place, (score, scoring) in enumerate(zip(expected, scorings, strict=True))
        ]
        assert store.events(run_id, after=last + 1)[1:] == events[len(log) + 1 :]
        assert record == replace(before, scorings=(first, second))
        assert record.answers(store.tree(run_id)) == decided
        assert store.scorings(run_id) == [first, second]
        assert (first.run_id, first.scorer, first.kind, first.usage) == (run_id, JUDGE, "measured", BILL)
    with Store.open(url) as store:
        assert store.scorings(run_id) == [first, second]


def test_a_scoring_that_does_not_fit_is_refused_whole(store: Store) -> None:
    run_id = finished(store)
    running = new_run_id()
    record_all(store, running, list(levels(running, 2)))
    store.flush()
    store.add_scoring(run_id, JUDGE, "measured", scored(1), BILL)
    before = store.read(run_id)
    wrong: list[tuple[str, str, Any]] = [
        ("still running", running, scored(1)),
        ("no run has the id", "unknown", scored(1)),
        ("has no node 999", run_id, scored(2, 999)),
        ("node 1 of run .* already has a score by another", run_id, scored(2, 1)),
        ("node 2 of run .* already has a score by another", run_id, scored(2, 2)),
        ("measured by somebody, not measured by another", run_id, scored(2, scorer="somebody")),
        ("human by another", run_id, [replace(scored(2)[0], kind="human")]),
    ]
    for said, run, scores in wrong:
        with pytest.raises(InvalidInput, match=said) as refused:
            store.add_scoring(run, JUDGE, "measured", scores, BILL)
        assert "\n" not in str(refused.value)
    with pytest.raises(InvalidInput, match="was decided on built-in-prm"):
        store.add_scoring(run_id, SCORER, "measured", scored(2, scorer=SCORER.name), BILL)
    with pytest.raises(StoreError, match="is not a finite number"):
        store.add_scoring(run_id, JUDGE, "measured", [replace(scored(2)[0], value=float("nan"))], BILL)
    assert store.read(run_id) == before
    store.add_scoring(run_id, JUDGE, "measured", scored(2), BILL)  # other nodes, another time
    assert len(store.scorings(run_id)) == 2


def test_a_refusal_costs_the_run_and_the_writer_nothing(store: Store) -> None:
    run_id = finished(store)
    with pytest.raises(InvalidInput):
        store.add_scoring(run_id, JUDGE, "measured", scored(999), BILL)
    again = finished(store)
    assert store.events(again) == flat(whole_run(again))
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.add_scoring(run_id, JUDGE, "measured", scored(1), BILL)


def test_a_run_without_a_judge_can_have_scores_added(store: Store) -> None:
    run_id = new_run_id()
    step = StepSampled(1, 1, 0, 1, "a", None, 1, None, "eos")
    store.record([started(run_id, scorer=None), step, RunFinished("done")], Usage(), run_id)
    store.flush()
    store.add_scoring(run_id, JUDGE, "human", [replace(score, kind="human") for score in scored(0, 1)], Usage())
    record = store.run(run_id)
    assert record.judge is None and store.tree(run_id)[1].scores == {"another": 0.01}


def test_a_run_takes_its_scorings_with_it(url: str) -> None:
    with Store.open(url) as store:
        run_id = finished(store)
        store.add_scoring(run_id, JUDGE, "measured", scored(1), BILL)
    engine = create_engine(resolve(url))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA foreign_keys = ON"))
        connection.execute(text("DELETE FROM runs"))
        for table in ("nodes", "scores", "decisions", "raises", "bills", "scorings"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    engine.dispose()


def test_the_document_tells_them_and_import_keeps_them(store: Store, tmp_path: Path) -> None:
    run_id = finished(store)
    plain = document(*store.read(run_id))
    assert "scorings" not in plain
    told = {tuple(sorted(set(score) - {"critique"})) for score in plain["scores"]}
    assert told == {("kind", "node", "scorer", "seq", "value")}
    scoring = store.add_scoring(run_id, JUDGE, "measured", scored(2, 3), BILL)
    store.add_scoring(
        run_id, ModelInfo("rollouts", 0, 0), "estimated", [StepScored.estimate(0, 2, "rollouts", 3, 4)], Usage()
    )
    whole = json.loads(json.dumps(document(*store.read(run_id))))
    assert whole["scores"][: len(plain["scores"])] == plain["scores"]
    added = whole["scores"][len(plain["scores"]) :]
    assert [(score["node"], score["scorer"]) for score in added] == [(2, "another"), (3, "another"), (2, "rollouts")]
    assert (added[-1]["n"], added[-1]["kind"]) == (4, "estimated") and added[-1]["low"] < 0.75 < added[-1]["high"]
    assert whole["scorings"][0] == {
        "id": scoring.id, "scorer": "another", "kind": "measured", "created_at": scoring.created_at,
        "usage": bill(BILL),
    }  # fmt: skip
    with Store.open(str(tmp_path / "other.db")) as other:
        import_document(other, plain)
        for _ in range(2):  # scorings of a run that is known already are added once
            import_document(other, whole)
            again = document(*other.read(run_id))
            assert again["run"]["origin"] == "import"
            assert again | {"run": whole["run"]} == whole


def test_a_document_whose_scorings_do_not_fit_is_refused(store: Store, tmp_path: Path) -> None:
    run_id = finished(store)
    store.add_scoring(run_id, JUDGE, "measured", scored(2, 3), BILL)
    whole = document(*store.read(run_id))
    with Store.open(str(tmp_path / "other.db")) as other:
        for torn in (whole | {"scorings": []}, whole | {"scorings": [{"id": "x"}]}):
            with pytest.raises(InvalidInput, match=r"scores\[\d+\]\.scoring|scorings\[0\]"):
                import_document(other, torn)
        assert other.runs() == []


def test_a_document_under_a_new_id_needs_scorings_of_its_own(store: Store) -> None:
    run_id = finished(store)
    scoring = store.add_scoring(run_id, JUDGE, "measured", scored(2, 3), BILL)
    whole = document(*store.read(run_id))
    copy = whole | {"run": whole["run"] | {"id": new_run_id()}}
    with pytest.raises(InvalidInput, match=f"scorings: {scoring.id} belongs to another run here;"):
        import_document(store, copy)
    assert [run.id for run in store.runs()] == [run_id]
    renamed = json.loads(json.dumps(copy).replace(scoring.id, "another-scoring"))
    assert [each.id for each in store.scorings(import_document(store, renamed))] == ["another-scoring"]
