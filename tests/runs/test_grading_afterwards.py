"""A run that was asked without a reference is given one afterwards: it is graded, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sample_runs import record_all, whole_run

from engine.domains import Domains
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.grading import grade_run
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store

PROBLEM = "Compute 18 * 19."


@pytest.fixture
def ungraded(tmp_path: Path) -> tuple[str, str]:
    """A finished run of the built-in models: its database and its id."""
    db = str(tmp_path / "runs.db")
    with Store.open(db) as store:
        host = Host(store, Catalogue())
        running = host.submit(Question(PROBLEM), RunParams("best_of_n", n=8))
        running.future.result(timeout=120)
        host.close()
    return db, running.id


@pytest.mark.parametrize(("reference", "correct"), [("342", True), ("684/2", True), ("341", False)])
async def test_it_is_graded_and_nothing_else_changes(ungraded: tuple[str, str], reference: str, correct: bool) -> None:
    db, run_id = ungraded
    with Store.open(db) as store, Domains() as domains:
        before, log = store.read(run_id)
        assert (before.reference_answer, before.correct, before.answer) == (None, None, "342")
        record = await grade_run(store, domains, run_id, reference)
        assert (record.reference_answer, record.correct) == (reference, correct)
        assert (record.answer, record.usage, record.status) == (before.answer, before.usage, before.status)
        assert store.events(run_id)[:-1] != log[:-1]  # the first says which reference there is now
        assert store.events(run_id)[1:-1] == log[1:-1]
        leaves = [leaf.answer for leaf in store.tree(run_id).completions() if leaf.answer]
        assert {record.grades[answer].correct for answer in leaves if answer == "342"} == {correct}


async def test_what_cannot_be_graded_is_refused(ungraded: tuple[str, str]) -> None:
    db, run_id = ungraded
    with Store.open(db) as store, Domains() as domains:
        with pytest.raises(InvalidInput, match="answer: the reference answer is empty"):
            await grade_run(store, domains, run_id, " ")
        with pytest.raises(InvalidInput, match="run: "):
            await grade_run(store, domains, "zzz", "342")
        record_all(store, "running", whole_run("running", 1)[:-1])
        store.flush()
        with pytest.raises(InvalidInput, match="answer: run running is still running"):
            await grade_run(store, domains, "running", "342")
