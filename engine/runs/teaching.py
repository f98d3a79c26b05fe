"""The examples of the menu: what each teaches, what must happen for it to do so, and the problem that was found for it.

An example that works for one seed teaches luck. So a problem is only taken if what it should show happens both at
N = 16 and at N = 64, for at least `ENOUGH` of the `SEEDS`, the form's own seed among them; `held` says for how many.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path

from engine.assets import assets
from engine.domains.builtin.problems import Problem
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams

POLICY, BIASED_JUDGE = "builtin-xs", "builtin-prm-short"
SEEDS, ENOUGH = range(10), 8
FEW, MANY = 16, 64
#: Problems that are tried side by side.
_AT_ONCE = 60


@dataclass(frozen=True, slots=True)
class Side:
    """One of the searches that an example sets side by side, and whether its answer is right."""

    params: RunParams
    right: bool
    scorer: str | None = None

    def cell(self, seed: int) -> Cell:
        return Cell(POLICY, replace(self.params, seed=seed), self.scorer)


@dataclass(frozen=True, slots=True)
class Teaching:
    """An example of the menu.

    Attributes:
        title: what the menu calls it.
        teaches: what to look at, in a sentence or two.
        shown: what the Explore page is set to; it is one of `sides`.
        compared: the strategies that the Compare page is set to.
        sides: what must happen.
    """

    name: str
    title: str
    teaches: str
    shown: Side
    compared: tuple[str, ...]
    sides: tuple[Side, ...]


def _both(strategy: str, *, right: bool, select: str | None = None) -> tuple[Side, Side]:
    """A strategy that is right, or wrong, at either N."""
    few, many = (Side(RunParams(strategy, n=n, select=select), right) for n in (FEW, MANY))
    return few, many


_BIASED_FEW, _BIASED_MANY = (
    Side(RunParams("beam_search", n=n, select="prm_last_max"), n == FEW, BIASED_JUDGE) for n in (FEW, MANY)
)

TEACHING = (
    Teaching(
        "search_wins",
        "Search beats best-of-N",
        "Nearly every whole solution has a slip in it, so greedy decoding and best-of-N are wrong. Beam search "
        "drops a wrong step as soon as it is written, and goes on from a right one.",
        Side(RunParams("beam_search", n=FEW), True),
        ("greedy", "best_of_n", "beam_search"),
        (Side(RunParams("greedy"), False), *_both("best_of_n", right=False), *_both("beam_search", right=True)),
    ),
    Teaching(
        "sampling_wins",
        "Best-of-N beats search",
        "The PRM gives a right step a low score. Beam search drops it there and never comes back; best-of-N finishes "
        "every sample first, and finds the right answer among them.",
        Side(RunParams("beam_search", n=FEW), False),
        ("best_of_n", "beam_search"),
        (*_both("beam_search", right=False), *_both("best_of_n", right=True)),
    ),
    Teaching(
        "prm_fooled",
        "The PRM is fooled",
        "Most samples are right, and the majority is. But the PRM likes one of the wrong ones best, so the answer "
        "with the highest score is wrong.",
        Side(RunParams("best_of_n", n=FEW, select="prm_last_max"), False),
        ("majority_vote", "best_of_n"),
        (*_both("best_of_n", right=False, select="prm_last_max"), *_both("majority_vote", right=True)),
    ),
    Teaching(
        "more_is_worse",
        "More samples make it worse",
        "The judge was taught that long solutions tend to be wrong. With 16 beams the search is right; with 64 it "
        "comes upon a wrong shortcut that the judge scores higher.",
        _BIASED_MANY,
        ("majority_vote", "beam_search"),
        (_BIASED_FEW, _BIASED_MANY),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """The problem of an example, and with how many of the `SEEDS` it shows what it should."""

    problem: str
    answer: str
    held: int


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries problems until one shows what an example is about, in a sweep of its own."""

    sweep: Sweep
    catalogue: Catalogue

    def find(self, teaching: Teaching, problems: Iterable[Problem]) -> Iterator[tuple[Problem, int]]:
        """The problems that will do, each with the number of seeds for which it does."""
        first, *others = SEEDS  # the first is the form's own; an example that fails there disappoints at first sight
        untried = iter(problems)
        while some := list(islice(untried, _AT_ONCE)):
            held = Counter(alive := self.shown_by(teaching, some, first))
            for tried, seed in enumerate(others, 1):
                held.update(self.shown_by(teaching, alive, seed))
                alive = [each for each in alive if tried + 1 - held[each] <= len(SEEDS) - ENOUGH]
            yield from ((problem, held[problem]) for problem in alive)

    def shown_by(self, teaching: Teaching, problems: Sequence[Problem], seed: int) -> list[Problem]:
        """Those of the problems that show it with this seed; the cheap sides are tried first."""
        left = list(problems)
        for n in sorted({side.params.n for side in teaching.sides}):
            sides = {side.cell(seed): side for side in teaching.sides if side.params.n == n}
            cells = {cell: self.catalogue.load(cell.models, cell.scorer) for cell in sides}
            self.sweep.run(cells, [Question(problem.text, problem.answer) for problem in left])
            for cell, side in sides.items():
                done = self.sweep.done(cell)
                left = [each for each in left if bool(done[each.text].correct) is side.right]
        return left


def write(found: Mapping[str, Found], file: Path | None = None) -> None:
    kept = {name: {"problem": each.problem, "answer": each.answer, "held": each.held} for name, each in found.items()}
    (file or _file()).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


@cache
def found() -> Mapping[str, Found]:
    """The problems of the examples by the examples' names."""
    return {name: Found(**each) for name, each in json.loads(_file().read_text(encoding="utf-8")).items()}


def _file() -> Path:
    return assets() / "examples" / "menu.json"
