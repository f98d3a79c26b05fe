"""Grading a run after its end, against a reference answer that is given later; nothing is searched again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.domains import Domains
from engine.errors import InvalidInput
from engine.runs.question import Question
from engine.search.events import Grade, RunFinished
from engine.search.tree import Tree
from engine.store import RunRecord, Store
from engine.store.records import finished


async def grade_run(store: Store, domains: Domains, run_id: str, reference: str) -> RunRecord:
    """Grade a recorded run against `reference` and record that; returns the run as it is now.

    What it chose stays chosen. Raises `InvalidInput` for an empty reference, an unknown run or one that is not over.
    """
    record, events = await asyncio.to_thread(store.read, run_id)
    question = Question(record.problem, reference, record.domain)
    if record.status == "running":
        raise InvalidInput("answer", f"run {record.id} is still running; grade it when it has ended")
    tree = Tree.from_events(events)
    answers = [leaf.answer for leaf in tree.completions() if leaf.answer is not None]
    grades = await domains[question.domain].grades(answers, reference)
    await asyncio.to_thread(store.regrade, record.id, reference, _outcome(record, tree, grades))
    return await asyncio.to_thread(store.whole_run, record.id)


def _outcome(record: RunRecord, tree: Tree, grades: dict[str, Grade]) -> RunFinished:
    chosen = tree[tree.chosen].answer if tree.chosen is not None else record.answer
    if chosen is None:  # a finished run without an answer is wrong
        return replace(finished(record), correct=False if record.status == "done" else None, grades=grades)
    grade = grades.get(chosen, Grade(chosen))
    return replace(finished(record), correct=grade.correct, graded_by=grade.rule, grades=grades)
