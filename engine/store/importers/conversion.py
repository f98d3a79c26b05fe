"""From what an importer found to a run that can be written: checked, its answers read, graded and elected.

What the file itself says (a verdict, an answer, which completion was chosen) is kept. The rest is worked out by the
same rules as for a search of our own; reading and grading answers is the domain's, which a `Reader` brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from engine.errors import InvalidInput
from engine.search.events import Decision, Event, Grade, RunFinished, RunStarted
from engine.search.selection import AnswerGroup, answer_groups, choose
from engine.search.tree import Tree
from engine.store.checked import RunDocument, checked
from engine.store.importers.draft import Draft
from engine.store.imports import added_scores, events
from engine.store.records import ComparisonRecord
from engine.store.whole import WholeRun

#: Names the verdicts that a file brings.
BY_THE_FILE = "the file"


class Reader(Protocol):
    """What importing asks of a domain."""

    def answer_of(self, text: str) -> str | None:
        """The answer that a whole completion gives; None if it gives none."""
        ...

    def grades(self, answers: Sequence[str], reference: str | None) -> dict[str, Grade]:
        """Group answers that mean the same, and judge each against `reference` (None: not judged)."""
        ...


@dataclass(frozen=True, slots=True)
class Ready:
    """A run document of our own, and the comparison it belongs to."""

    document: Mapping[str, Any]
    comparison: ComparisonRecord | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from: the file's name, its format, the place in it, and when it was imported."""

    file: str
    format: str
    place: str
    moment: str


def ready_run(ready: Ready, origin: Origin) -> WholeRun:
    """A document of our own as a run; it keeps its id."""
    parsed = _checked(ready.document, origin)
    log = events(parsed, "import")
    first = log[0]
    assert isinstance(first, RunStarted)
    said = replace(
        first, source=first.source or origin.file, source_format=first.source_format or origin.format,
        comparison_id=ready.comparison.id if ready.comparison else None,
    )  # fmt: skip
    return WholeRun.of([said, *log[1:]], parsed.usage, comparison=ready.comparison, added=added_scores(parsed))


def drafted_run(draft: Draft, run_id: str, origin: Origin, reader: Reader) -> WholeRun:
    """A draft as a run: checked, then graded and its answer elected."""
    if draft.answers_end:
        for at in draft.ends():
            if draft.steps[at].finish == "step" and (draft.steps[at].answer or reader.answer_of(draft.path(at))):
                draft.finish(at)
    for at in draft.leaves():
        leaf = draft.steps[at]
        if leaf.answer is None and leaf.finish == "eos":
            leaf.answer = reader.answer_of(draft.path(at))
    document, ids = draft.document(run_id, origin.moment)
    parsed = _checked(document, origin)
    log = events(parsed, "import")
    tree = Tree.from_events(log)
    grades = _grades(draft, tree, reader)
    chosen, decision = _elected(draft, tree, ids, grades)
    started = log[0]
    assert isinstance(started, RunStarted)
    started = replace(started, warning=draft.warning(), source=origin.file, source_format=origin.format)
    steps = [event for event in log[1:] if not isinstance(event, RunFinished)]
    last = max((step.seq for step in steps), default=0)
    outcome = _outcome(draft, chosen, grades)
    return WholeRun.of([started, *steps, *decision(last + 1), outcome], parsed.usage)


def _checked(document: Mapping[str, Any], origin: Origin) -> RunDocument:
    try:
        return checked(document)
    except InvalidInput as error:
        raise InvalidInput("FILE", f"{origin.place}: {error.message}") from error


def _grades(draft: Draft, tree: Tree, reader: Reader) -> dict[str, Grade]:
    answers = [leaf.answer for leaf in tree.completions() if leaf.answer is not None]
    told = {step.answer: step.verdict for step in draft.steps if step.answer is not None and step.verdict is not None}
    asked = None if set(answers) <= told.keys() else draft.reference
    grades = reader.grades(answers, asked) if answers else {}
    for answer, verdict in told.items():
        if answer in grades:
            grades[answer] = replace(grades[answer], correct=verdict, rule=BY_THE_FILE)
    return grades


@dataclass(frozen=True, slots=True)
class _Choice:
    """The elected group, and the decision that says so."""

    winner: AnswerGroup | None
    groups: Sequence[AnswerGroup]

    def __call__(self, seq: int) -> list[Event]:
        if self.winner is None:
            return []
        numbers = {
            "weight": self.winner.weight, "votes": float(self.winner.votes),
            "of": float(sum(group.votes for group in self.groups)),
        }  # fmt: skip
        if self.winner.best_score is not None:
            numbers["score"] = self.winner.best_score
        return [Decision(seq, self.winner.nodes[0], "choose", "rule", numbers)]


def _elected(draft: Draft, tree: Tree, ids: Sequence[int], grades: Mapping[str, Grade]) -> tuple[str | None, _Choice]:
    """The answer, and the decision for it: what the file says was chosen, else what the rule elects."""
    groups = answer_groups(tree, grades, draft.rule(), draft.scorer)
    if draft.chosen is not None and tree[ids[draft.chosen]].status == "finished":
        leaf = ids[draft.chosen]
        own = next(group for group in groups if leaf in group.nodes)
        own = replace(own, nodes=(leaf, *(node for node in own.nodes if node != leaf)))
        return tree[leaf].answer, _Choice(own, groups)
    winner = choose(groups)
    return (winner.answer if winner else None), _Choice(winner, groups)


def _outcome(draft: Draft, answer: str | None, grades: Mapping[str, Grade]) -> RunFinished:
    if draft.verdict is not None:
        return RunFinished("done", None, answer, draft.verdict, BY_THE_FILE, grades=grades)
    if answer is None:
        complete = any(step.finish != "step" for step in draft.steps)
        return RunFinished("done", correct=False if draft.reference and complete else None, grades=grades)
    grade = grades.get(answer, Grade(answer))
    return RunFinished("done", None, answer, grade.correct, grade.rule, grades=grades)
