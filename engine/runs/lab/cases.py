"""Solutions whose first wrong step is known: from files of labels, and made of the built-in problems.

Of a file, the labels that people gave count, by whatever importer knows it (ProcessBench, PRM800K, `labels` beside
steps): a step that they called wrong is the first wrong one, a neutral one is not wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from engine.domains.builtin.sets import SETS, problem_set
from engine.domains.builtin.slips import with_slip
from engine.errors import InvalidInput
from engine.store import importers
from engine.store.importers.draft import Draft, Step

#: A label below this says "wrong"; 0.5 is a neutral one.
_WRONG = 0.5
#: Draws the cases where not all are wanted.
_SEED = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A solution, and the index of its first wrong step; -1: every step is right."""

    id: str
    problem: str
    steps: tuple[str, ...]
    label: int

    @property
    def right(self) -> bool:
        return self.label < 0


@dataclass(frozen=True, slots=True)
class CaseSet:
    """The cases of a file or a built-in set. `left_out` counts solutions whose labels end before the solution does, so
    that nobody knows their first wrong step."""

    name: str
    cases: tuple[Case, ...]
    left_out: int = 0


def case_set(name: str, limit: int | None = None) -> CaseSet:
    """The cases of a built-in set or a file; with `limit` so many of them, always the same ones, from all over it, as
    files of labels tend to be sorted. Raises `InvalidInput("SET", ...)`."""
    whole = _whole(name)
    if limit is None or limit >= len(whole.cases):
        return whole
    drawn = sorted(Random(_SEED).sample(range(len(whole.cases)), limit))
    return replace(whole, cases=tuple(whole.cases[at] for at in drawn))


def _whole(name: str) -> CaseSet:
    if name in SETS:
        return CaseSet(name, tuple(_slipped(name)))
    path = Path(name)
    if not path.is_file():
        raise InvalidInput("SET", f"{name[:200]!r} is no file; name one, or one of {', '.join(SETS)}")
    try:
        return _of_file(path)
    except InvalidInput as error:
        raise InvalidInput("SET", error.message) from error


def _slipped(name: str) -> Iterator[Case]:
    """Worked solutions of a set's problems; every second one has a number that the checker finds wrong, and goes on as
    if nothing had happened."""
    for index, problem in enumerate(problem_set(name)):
        if index % 2:
            slipped = with_slip(problem, Random(f"{name}/{index}"))
            wrong = len(slipped) - 1
            yield Case(f"{name}-{index}", problem.text, (*slipped, *problem.steps[wrong + 1 :]), wrong)
        else:
            yield Case(f"{name}-{index}", problem.text, problem.steps, -1)


def _of_file(path: Path) -> CaseSet:
    cases, left_out = list[Case](), 0
    for at, (place, item) in enumerate(importers.items(path)):
        judge = next(iter(_labelled(item.steps)), None) if isinstance(item, Draft) else None
        if judge is None:
            raise InvalidInput("SET", f"{place}: no step has a label by a person; docs/lab.md has the files")
        assert isinstance(item, Draft)
        case = _case(item, judge, f"{path.stem}-{at}")
        if case is None:
            left_out += 1
        else:
            cases.append(case)
    return CaseSet(path.name, tuple(cases), left_out)


def _labelled(steps: Iterable[Step]) -> Iterator[str]:
    return (judge for step in steps for judge, score in step.scores.items() if score.kind == "human")


def _case(draft: Draft, judge: str, name: str) -> Case | None:
    """The path that was labelled: the alternative that was kept, or the one that is wrong."""
    texts, label, at = list[str](), -1, 0
    below: dict[int, list[int]] = {}
    for index, step in enumerate(draft.steps[1:], 1):
        below.setdefault(step.parent, []).append(index)
    while children := below.get(at):
        at = _followed(draft, children, judge)
        step = draft.steps[at]
        if not step.text.strip():
            break
        texts.append(step.text.strip())
        given = step.scores.get(judge)
        if label < 0 and given is not None and given.value < _WRONG:
            label = len(texts) - 1
    if not texts or (label < 0 and draft.steps[at].finish == "step"):
        return None
    return Case(name, draft.problem, tuple(texts), label)


def _followed(draft: Draft, children: list[int], judge: str) -> int:
    kept = [at for at in children if any(action == "keep" for action, *_ in draft.steps[at].decisions)]
    wrong = [at for at in children if judge in draft.steps[at].scores and draft.steps[at].scores[judge].value < _WRONG]
    return [*kept, *wrong, *children][0]
