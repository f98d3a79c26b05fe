"""From the store's runs to numbers: per problem, was the answer right under each rule, and what did it cost?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

from benchmarks.builtin_report.plan import (
    JUDGED_PROBLEMS,
    POLICIES,
    TEST,
    TEST_PROBLEMS,
    VALIDATION,
    VALIDATION_PROBLEMS,
    judged,
    methods,
    sampled,
)
from engine.domains.builtin.sets import problem_set
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.outcomes import fill_in
from engine.runs.sweeps.sweep import Sweep
from engine.search.events import Usage
from engine.search.strategies.compute_optimal import DIFFICULTIES, difficulty_of

#: Selection rules read from the samples of best-of-N, as the report calls them.
RULES: Mapping[str, str] = {
    "majority": "majority_vote", "best-of-N, max": "prm_last_max", "best-of-N, vote": "prm_last_vote",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A cell's runs over a problem set, problem by problem in the set's order.

    `right` is 1.0 or 0.0 under the run's own rule; `rules` (best-of-N only) the same under each of `RULES`, with
    "sampled", the share of right draws, and "any", whether a right one is among them.
    """

    problems: tuple[str, ...]
    right: tuple[float, ...]
    usage: tuple[Usage, ...]
    rules: Mapping[str, tuple[float, ...]]

    def mean(self, name: str) -> float:
        """Mean over problems of a field of `Usage`."""
        return fmean(getattr(usage, name) for usage in self.usage)


class Reader:
    """Reads cells once each; a cell that is not complete for the problems asked for is None.

    `test`, `judged` and `validation` are the problems of the report's sets, in order; `limit` takes the first of each.
    The test problems are those that every cell of every policy on record has been run on, so all rows of the report
    are about the same ones. `covered` is their number by policy.
    """

    def __init__(self, sweep: Sweep, limit: int | None = None) -> None:
        self.sweep = sweep
        self.planned = tuple(problem.text for problem in problem_set(TEST)[:TEST_PROBLEMS])[:limit]
        self.validation = tuple(problem.text for problem in problem_set(VALIDATION)[:VALIDATION_PROBLEMS])[:limit]
        self.covered = {policy: self._covered(policy) for policy in POLICIES}
        self.test = self.planned[: min((begun for begun in self.covered.values() if begun), default=0)]
        self.judged = self.test[:JUDGED_PROBLEMS]
        self.outcomes = cache(self._outcomes)
        fill_in(sweep.store)
        self._read: dict[str, dict[str, Any]] = defaultdict(dict)
        for row in sweep.store.outcomes([sweep.name], tuple(RULES.values())):
            if row.n == row.drawn:
                self._read[row.run_id][row.rule] = row

    def _covered(self, policy: str) -> int:
        """How many problems, counted from the first, have been run under every cell."""
        done = [self.sweep.done(cell).keys() for cell in methods(policy)]
        by_others = [self.sweep.done(cell).keys() for cell in judged(policy)]
        for number, problem in enumerate(self.planned):
            due = done + by_others if number < JUDGED_PROBLEMS else done
            if any(problem not in problems for problems in due):
                return number
        return len(self.planned)

    def _outcomes(self, cell: Cell, problems: tuple[str, ...]) -> Outcomes | None:
        runs = self.sweep.done(cell)
        if not problems or any(problem not in runs for problem in problems):
            return None
        records = [runs[problem] for problem in problems]
        rules: dict[str, tuple[float, ...]] = {}
        if cell.params.strategy == "best_of_n":
            rules = _by_rule([self._read[record.id] for record in records])
        return Outcomes(
            problems,
            tuple(float(bool(record.correct)) for record in records),
            tuple(record.usage for record in records),
            rules,
        )

    def parameters(self, cell: Cell) -> int | None:
        """The policy's, as its runs recorded it."""
        return next((run.policy.parameters for run in self.sweep.done(cell).values()), None)

    def difficulties(self, policy: str) -> list[str] | None:
        """Each test problem's bin by the policy's own Pass@1, measured on its 64 samples."""
        drawn = self.outcomes(sampled(policy, 64), self.test)
        return [DIFFICULTIES[difficulty_of(share)] for share in drawn.rules["sampled"]] if drawn else None


def _by_rule(runs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    """What each run's own N draws came to: the rows of `outcomes` by rule, problem by problem."""
    found = {name: tuple(run[rule].accuracy for run in runs) for name, rule in RULES.items()}
    votes = [run["majority_vote"] for run in runs]
    return found | {
        "sampled": tuple(row.drawn_right / row.drawn for row in votes),
        "any": tuple(row.pass_any for row in votes),
    }
