"""How hard each problem is for a policy: its Pass@1 there, measured; and how well that is guessed without references.

The bins are the study's (arXiv 2502.06703, section 3.2): easy from 50 % on, medium from 10 %, hard below. With few
draws the bin is uncertain, so each has its probability: with c of n draws right and nothing known beforehand (a uniform
prior), Pass@1 is distributed as Beta(c + 1, n - c + 1), whose distribution function at whole parameters is a binomial
tail:  P(Pass@1 <= x) = P(X >= c + 1),  X ~ Binomial(n + 1, x).

The guess is the one that `compute_optimal` makes from its probe: the share of samples that agree on the leading answer,
times the mean score of the judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

from engine.runs.statistics.kappa import Kappa, cohen
from engine.runs.sweeps.measured import Measured
from engine.search.interval import Interval, wilson
from engine.search.strategies.compute_optimal import DIFFICULTIES, EASY_FROM, MEDIUM_FROM, difficulty_of


@dataclass(frozen=True, slots=True)
class Difficulty:
    """A problem's Pass@1: `right` of `drawn` independent draws, with Wilson's interval.

    `bin` is an index of `DIFFICULTIES`, `chances` the probability of each.
    """

    right: int
    drawn: int
    interval: Interval
    bin: int
    chances: tuple[float, float, float]

    @property
    def name(self) -> str:
        return DIFFICULTIES[self.bin]

    @property
    def certain(self) -> bool:
        """Whether the whole interval lies in one bin."""
        return difficulty_of(self.interval.low) == difficulty_of(self.interval.high) == self.bin


def difficulty(right: int, drawn: int) -> Difficulty:
    """What `right` of `drawn` draws (at least one) say of a problem."""
    share = wilson(right, drawn)
    below_medium, below_easy = (_below(edge, right, drawn) for edge in (MEDIUM_FROM, EASY_FROM))
    chances = (1 - below_easy, below_easy - below_medium, below_medium)
    return Difficulty(right, drawn, share, difficulty_of(share.mean), chances)


def _below(edge: float, right: int, drawn: int) -> float:
    """P(Pass@1 <= edge) after these draws."""
    n = drawn + 1
    return 1 - sum(comb(n, k) * edge**k * (1 - edge) ** (n - k) for k in range(right + 1))


def difficulties(rows: Iterable[Measured], policy: str) -> dict[str, Difficulty]:
    """Problem -> its difficulty for the policy; problems of which no independent draws are known are left out.

    Runs of one seed share their draws, so of each seed only the largest set of draws counts. Give rows of one sampling
    temperature: Pass@1 is a property of both.
    """
    largest: dict[tuple[str, int], Measured] = {}
    for row in rows:
        if row.configuration.policy == policy and row.drawn and row.drawn_right is not None:
            known = largest.get((row.problem, row.seed))
            if known is None or row.drawn > (known.drawn or 0):
                largest[row.problem, row.seed] = row
    counts: dict[str, tuple[int, int]] = {}
    for (problem, _), row in largest.items():
        right, drawn = counts.get(problem, (0, 0))
        counts[problem] = right + (row.drawn_right or 0), drawn + (row.drawn or 0)
    return {problem: difficulty(right, drawn) for problem, (right, drawn) in counts.items()}


@dataclass(frozen=True, slots=True)
class Guess:
    """A difficulty guessed from `drawn` samples without a reference: `estimate` is agreement x mean judge score."""

    agreement: float
    judge_score: float
    drawn: int

    @property
    def estimate(self) -> float:
        return self.agreement * self.judge_score

    @property
    def bin(self) -> int:
        return difficulty_of(self.estimate)


def guesses(rows: Iterable[Measured], policy: str, scorer: str, probe: int = 1) -> dict[str, Guess]:
    """Problem -> the guess from the fewest recorded draws that are at least `probe`, as a run has little more to go by.

    Of several seeds the first counts: a run has one probe.
    """
    best: dict[str, tuple[int, int, Measured]] = {}
    for row in rows:
        asked = row.configuration
        if (asked.policy, asked.scorer) != (policy, scorer) or None in (row.agreement, row.judge_score, row.drawn):
            continue
        if (row.drawn or 0) >= probe:
            standing = (row.drawn or 0, row.seed, row)
            if row.problem not in best or standing[:2] < best[row.problem][:2]:
                best[row.problem] = standing
    return {
        problem: Guess(row.agreement or 0.0, row.judge_score or 0.0, drawn) for problem, (drawn, _, row) in best.items()
    }


@dataclass(frozen=True, slots=True)
class Confusion:
    """Guessed against measured bins.

    Attributes:
        table: problems [measured][guessed], in the order of `DIFFICULTIES`.
        kappa: agreement beyond chance; `linear` counts a confusion of neighbours half.
        doubtful: problems whose measured bin is itself uncertain (see `Difficulty.certain`).
    """

    table: tuple[tuple[int, ...], ...]
    kappa: Kappa
    linear: Kappa
    doubtful: int

    @property
    def problems(self) -> int:
        return self.kappa.n

    @property
    def accuracy(self) -> Interval:
        """The share of problems put into their measured bin."""
        return wilson(sum(self.table[bin_][bin_] for bin_ in range(len(self.table))), self.problems)


def confusion(measured: Mapping[str, Difficulty], guessed: Mapping[str, Guess]) -> Confusion:
    """How good the guesses are, over the problems that have both.

    Where a guess and the measurement rest on the same draws, their errors go together and the agreement is flattered:
    the probe should be a small part of the draws that Pass@1 is measured on.
    """
    both = [(measured[problem], guessed[problem]) for problem in measured if problem in guessed]
    bins = range(len(DIFFICULTIES))
    pairs: Sequence[tuple[int, int]] = [(known.bin, guess.bin) for known, guess in both]
    table = tuple(tuple(pairs.count((row, column)) for column in bins) for row in bins)
    return Confusion(
        table, cohen(pairs, bins), cohen(pairs, bins, linear=True), sum(not known.certain for known, _ in both)
    )
