"""The report's runs that the lessons need, problem by problem."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.outcomes import Finished, outcomes
from engine.runs.sweeps.sweep import Sweep
from engine.search.events import Usage
from engine.store import RunRecord
from engine.store.sweep_records import OutcomeRecord

#: Whether each problem was answered rightly: 1.0 or 0.0, or the share of draws that were right.
Right = tuple[float, ...]


class Reader:
    """Reads cells of `sweep` on `problems`, each once. Raises `KeyError` for a problem that a cell was not run on."""

    def __init__(self, sweep: Sweep, problems: Sequence[str]) -> None:
        self.sweep, self.problems = sweep, problems
        self.runs, self.samples = cache(self._runs), cache(self._samples)

    def _runs(self, cell: Cell) -> tuple[RunRecord, ...]:
        done = self.sweep.done(cell)
        return tuple(done[problem] for problem in self.problems)

    def right(self, cell: Cell) -> Right:
        """Under the run's own rule."""
        return tuple(float(bool(run.correct)) for run in self.runs(cell))

    def usage(self, cell: Cell) -> tuple[Usage, ...]:
        return tuple(run.usage for run in self.runs(cell))

    def _samples(self, cell: Cell) -> tuple[dict[str, OutcomeRecord], ...]:
        """What each run of independent draws comes to under every rule, at its own N."""
        return tuple(_by_rule(self.sweep, run) for run in self.runs(cell))

    def under(self, cell: Cell, rule: str) -> Right:
        """The same draws, their answer chosen by `rule`."""
        return tuple(row[rule].right for row in self.samples(cell))

    def one_draw(self, cell: Cell) -> Right:
        """The share of each problem's draws that are right: how often a single one is."""
        votes = [row["majority_vote"] for row in self.samples(cell)]
        return tuple((row.drawn_right or 0) / (row.drawn or 1) for row in votes)

    def any_draw(self, cell: Cell) -> Right:
        """Whether at least one of the draws is right."""
        return tuple(row["majority_vote"].pass_any or 0.0 for row in self.samples(cell))


def _by_rule(sweep: Sweep, run: RunRecord) -> dict[str, OutcomeRecord]:
    rows = outcomes(Finished.of(run), sweep.store.tree(run.id), sweep.name)
    return {row.rule: row for row in rows if row.n == Finished.of(run).n}
