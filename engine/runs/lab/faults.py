"""Faults that judges are known for, each measured on recorded trees, tested, and shown by examples.

A fault is a number with what it is where there is no fault, and a test over problems. Many tests are made at once, so
p-values are corrected for all of them (Holm), and a fault is said to be there only if it is large enough to matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.runs.lab.best_of_k import Pool, curve, pools
from engine.runs.lab.calibration import HALF
from engine.runs.lab.evidence import Evidence, RunEvidence, ScoredPath, ScoredStep
from engine.runs.lab.recalibration import first_half
from engine.runs.statistics.resampling import FEWEST, Tested, holm, resampled, spearman, test_ratio, tested

#: Scores at most this far from 0 or 1 are saturated.
SATURATED = 0.01
#: One step in twenty may be misjudged before that is called a fault.
TOLERATED = 0.05
#: A corrected p-value below it says that an effect is there.
LEVEL = 0.05
_EXAMPLES = 200

Finding = Literal["found", "not found", "cannot tell", "not measured"]


@dataclass(frozen=True, slots=True)
class Example:
    """A step at which a fault shows, and how in a few words; the larger `size`, the plainer."""

    run: str
    node: int
    words: str
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What was measured of one fault. `matters` is how far the number must be from that of no effect; `n` (in `tested`)
    counts what `unit` names; `p` is corrected for all that were tested together."""

    name: str
    title: str
    means: str
    unit: str
    tested: Tested
    matters: float
    examples: tuple[Example, ...]
    p: float = 1.0

    @property
    def finding(self) -> Finding:
        tested, mean = self.tested, self.tested.interval.mean
        if not tested.n:
            return "not measured"
        if tested.problems < FEWEST:
            return "cannot tell"
        away = abs(mean - tested.null)
        if self.p < LEVEL and away >= self.matters:
            return "found"
        reach = max(abs(end - tested.null) for end in (tested.interval.low, tested.interval.high))
        return "not found" if reach < self.matters or (mean <= tested.null and self.one_sided) else "cannot tell"

    @property
    def one_sided(self) -> bool:
        return self.name not in ("length_bias", "length_within", "position")


class _Tally:
    """Numerator and denominator per problem, how many things were counted, and examples."""

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = {}
        self.n = 0
        self.examples: list[Example] = []

    def add(
        self, problem: str, top: float, bottom: float = 1.0, example: Example | None = None, count: int = 1
    ) -> None:
        sums = self.sums.setdefault(problem, [0.0, 0.0])
        sums[0], sums[1], self.n = sums[0] + top, sums[1] + bottom, self.n + count
        if example:
            self.examples.append(example)

    def tested(self, null: float, *, both: bool = False) -> Tested:
        tops, bottoms = (tuple(each[place] for each in self.sums.values()) for place in (0, 1))
        return test_ratio(tops, bottoms, null, self.n, both=both)

    def best(self) -> tuple[Example, ...]:
        return tuple(sorted(self.examples, key=lambda each: -each.size)[:_EXAMPLES])


def over_criticism(evidence: Evidence) -> Fault:
    tally = _Tally()
    for run, step in _steps(evidence):
        if step.verdict == "right":
            low = step.score < HALF
            tally.add(run.problem, low, example=_at(run, step, f"right, scored {step.score:.2f}", -step.score, low))
    return Fault(
        "over_criticism", "Over-criticism", "right steps scored below 0.5", "right steps", tally.tested(TOLERATED),
        TOLERATED, tally.best(),
    )  # fmt: skip


def error_neglect(evidence: Evidence) -> Fault:
    tally = _Tally()
    for run, step in _steps(evidence):
        if step.verdict == "wrong":
            high = step.score >= HALF
            tally.add(run.problem, high, example=_at(run, step, f"wrong, scored {step.score:.2f}", step.score, high))
    return Fault(
        "error_neglect", "Error neglect", "first wrong steps scored 0.5 or above", "first wrong steps",
        tally.tested(TOLERATED), TOLERATED, tally.best(),
    )  # fmt: skip


def localisation(evidence: Evidence) -> Fault:
    """A low score that is not where the error is."""
    tally = _Tally()
    for run, path in _paths(evidence):
        wrong = path.first_wrong
        low = next((place for place, score in enumerate(path.scores) if score < HALF), None)
        if wrong is not None and low is not None:
            at = path.steps[low]
            words = f"scored {at.score:.2f}, but the first wrong step is {path.steps[wrong].depth}"
            tally.add(run.problem, low != wrong, example=_at(run, at, words, abs(low - wrong), low != wrong))
    return Fault(
        "localisation", "Localisation", "wrong solutions that were doubted, at another step than the first wrong one",
        "wrong solutions with a score below 0.5", tally.tested(TOLERATED), TOLERATED, tally.best(),
    )  # fmt: skip


def taken_back(evidence: Evidence) -> Fault:
    """A step is doubted, and the next one, which could not be right if it were wrong, is trusted again."""
    tally = _Tally()
    for run, path in _paths(evidence):
        if path.first_wrong is None and len(path.steps) > 1:
            dips = [(a, b) for a, b in zip(path.steps, path.steps[1:], strict=False) if a.score < HALF <= b.score]
            deepest = max(dips, key=lambda pair: pair[1].score - pair[0].score, default=None)
            example = deepest and _at(
                run, deepest[0], f"scored {deepest[0].score:.2f}, the next step {deepest[1].score:.2f}",
                deepest[1].score - deepest[0].score, True,
            )  # fmt: skip
            tally.add(run.problem, bool(dips), example=example or None)
    return Fault(
        "taken_back", "Doubts taken back", "right solutions with a step below 0.5 before one above", "right solutions",
        tally.tested(TOLERATED), TOLERATED, tally.best(),
    )  # fmt: skip


def length_bias(evidence: Evidence) -> Fault:
    """What the longest third of the completions that are right throughout lose against the shortest third. A judge that
    is calibrated loses a little, too, since longer ones are wrong more often; hence 0.2 before it matters."""
    distinct: dict[tuple[object, ...], tuple[RunEvidence, ScoredPath]] = {}
    for run, path in _paths(evidence):
        if path.first_wrong is None and path.correct is not False:
            distinct.setdefault((run.problem, _text(path)), (run, path))
    ordered = sorted(distinct.values(), key=lambda each: each[1].tokens)
    third = len(ordered) // 3
    parts = {0: ordered[:third], 1: ordered[len(ordered) - third :]}
    places = {
        problem: place
        for place, problem in enumerate(dict.fromkeys(r.problem for each in parts.values() for r, _ in each))
    }
    sums = np.zeros((4, len(places)))
    for part, each in parts.items():
        for run, path in each:
            sums[2 * part : 2 * part + 2, places[run.problem]] += path.scores[-1], 1
    shown = [
        Example(
            run.run,
            path.leaf,
            f"right throughout, {path.tokens} tokens, scored {path.scores[-1]:.2f}",
            -path.scores[-1],
        )
        for run, path in sorted(parts[1], key=lambda each: each[1].scores[-1])
    ]
    means = "score of the longest third of solutions that are right throughout, less that of the shortest third"
    short, long = ((sums[2 * part].sum() / third if third else 0.0) for part in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        again = resampled(len(places)) @ sums.T if places else np.full((1, 4), np.nan)
        differences = again[:, 2] / again[:, 3] - again[:, 0] / again[:, 1]
    result = tested(float(long - short), differences, 0.0, 2 * third, len(places), both=True)
    return Fault("length_bias", "Length bias", means, "right solutions", result, 0.2, tuple(shown[:_EXAMPLES]))


def length_within(evidence: Evidence) -> Fault:
    """Rank correlation of the mean step score with the tokens, among a problem's completions that are equally right:
    with the same outcome and, where steps were checked, the same number of right steps before the first wrong one."""
    tally = _Tally()
    for stratum in _alike(evidence):
        tokens = [float(path.tokens) for _, path in stratum]
        rho, weight = spearman(tokens, [_mean(path) for _, path in stratum]), len(stratum) - 1
        if rho is not None:
            run, longest = max(stratum, key=lambda each: each[1].tokens)
            _, shortest = min(stratum, key=lambda each: each[1].tokens)
            words = (
                f"{longest.tokens} tokens, mean score {_mean(longest):.2f}; as right with {shortest.tokens} tokens: "
                f"{_mean(shortest):.2f}"
            )
            size = abs(_mean(longest) - _mean(shortest))
            tally.add(run.problem, weight * rho, weight, Example(run.run, longest.leaf, words, size), len(stratum))
    return Fault(
        "length_within", "Length bias within a problem",
        "rank correlation of score with tokens among a problem's equally right completions", "completions",
        tally.tested(0.0, both=True), 0.2, tally.best(),
    )  # fmt: skip


def position(evidence: Evidence) -> Fault:
    """On right paths every step is right, so a score that rises or falls along them follows the place alone."""
    tally = _Tally()
    for run, path in _right_paths(evidence):
        rho = spearman(range(len(path.steps)), path.scores)
        if rho is not None:
            words = f"scores from {path.scores[0]:.2f} to {path.scores[-1]:.2f} along a right solution"
            size = abs(path.scores[-1] - path.scores[0])
            tally.add(run.problem, rho, example=Example(run.run, path.leaf, words, size))
    return Fault(
        "position", "Position", "rank correlation of score with place, along right solutions",
        "right solutions of three steps or more", tally.tested(0.0, both=True), 0.2, tally.best(),
    )  # fmt: skip


def last_step(evidence: Evidence) -> Fault:
    """The lowest score of a right path is at its last step more often than at any other."""
    tally = _Tally()
    for run, path in _right_paths(evidence):
        low = min(path.scores)
        lowest = [place for place, score in enumerate(path.scores) if score == low]
        share = (len(path.steps) - 1 in lowest) / len(lowest)
        others = min(path.scores[:-1])
        words = f"the last step scored {path.scores[-1]:.2f}, the lowest of the others {others:.2f}"
        example = Example(run.run, path.leaf, words, others - path.scores[-1]) if share else None
        tally.add(run.problem, share - 1 / len(path.steps), example=example)
    return Fault(
        "last_step", "Last-step minima", "right solutions whose lowest score is the last one, beyond chance",
        "right solutions of three steps or more", tally.tested(0.0), 0.1, tally.best(),
    )  # fmt: skip


def saturation(evidence: Evidence) -> Fault:
    """Scores so near to 0 or 1 that they claim to be wrong once in a hundred times at most."""
    tally = _Tally()
    for run, step in _steps(evidence):
        sure = min(step.score, 1 - step.score) <= SATURATED
        if sure and step.verdict in ("right", "wrong"):
            mistaken = (step.verdict == "right") != (step.score >= HALF)
            words = f"{step.verdict}, scored {step.score:.4f}"
            tally.add(run.problem, mistaken, example=_at(run, step, words, abs(step.score - HALF), mistaken))
    return Fault(
        "saturation", "Saturation", f"scores within {SATURATED} of 0 or 1 that are mistaken", "such scores",
        tally.tested(SATURATED), SATURATED, tally.best(),
    )  # fmt: skip


def over_optimisation(evidence: Evidence, how: Literal["max", "vote"]) -> Fault:
    """How far accuracy with all draws is below its peak. The peak's place is taken from the other half of the problems,
    else the largest of several noisy numbers would always be above the last."""
    parts = [[pool for pool in pools(evidence) if first_half(pool.problem) is first] for first in (True, False)]
    curves = [curve(part, how) for part in parts]
    tally, drawn = _Tally(), 0
    for part, own, other in zip(parts, curves, reversed(curves), strict=True):
        if own is None or other is None or own.ks != other.ks:
            continue
        drawn, peak = own.ks[-1], other.ks.index(other.best)
        used = [pool for pool in part if pool.size >= drawn]
        for pool, row in zip(used, own.table, strict=True):
            tally.add(pool.problem, float(row[peak] - row[-1]), example=_chosen_wrong(pool) if how == "max" else None)
    what = "the best score" if how == "max" else "the weighted vote"
    return Fault(
        f"over_optimisation_{how}", f"Over-optimisation, {how}",
        f"accuracy lost between the best number of draws and all {drawn or ''}".rstrip() + f", by {what}", "problems",
        tally.tested(0.0), 0.02, tally.best(),
    )  # fmt: skip


FAULTS: tuple[Callable[[Evidence], Fault], ...] = (
    over_criticism, error_neglect, localisation, taken_back, length_bias, length_within, position, last_step,
    saturation, lambda evidence: over_optimisation(evidence, "max"),
    lambda evidence: over_optimisation(evidence, "vote"),
)  # fmt: skip


def faults(evidences: Sequence[Evidence]) -> dict[str, list[Fault]]:
    """Every fault of every judge, by the judge's name; p-values are corrected for all of them together."""
    measured = {evidence.judge: [fault(evidence) for fault in FAULTS] for evidence in evidences}
    return corrected(measured)


def corrected(measured: dict[str, list[Fault]]) -> dict[str, list[Fault]]:
    """The same with p-values corrected for all that are there."""
    ps = iter(holm([each.tested.p for found in measured.values() for each in found]))
    return {judge: [replace(each, p=next(ps)) for each in found] for judge, found in measured.items()}


def _steps(evidence: Evidence) -> Iterator[tuple[RunEvidence, ScoredStep]]:
    return ((run, step) for run in evidence.runs for step in run.steps)


def _paths(evidence: Evidence) -> Iterator[tuple[RunEvidence, ScoredPath]]:
    """Finished completions all of whose steps were checked."""
    return ((run, path) for run in evidence.runs for path in run.paths if path.checked)


def _right_paths(evidence: Evidence) -> Iterator[tuple[RunEvidence, ScoredPath]]:
    return ((run, path) for run, path in _paths(evidence) if path.first_wrong is None and len(path.steps) > 2)


def _alike(evidence: Evidence) -> Iterable[list[tuple[RunEvidence, ScoredPath]]]:
    """A problem's distinct completions that are equally right, three or more; of the same text one is enough."""
    strata: dict[tuple[object, ...], dict[object, tuple[RunEvidence, ScoredPath]]] = {}
    for run in evidence.runs:
        for path in run.paths:
            if path.correct is not None:
                right_steps = path.first_wrong if path.checked else None
                strata.setdefault((run.problem, run.policy, path.correct, right_steps), {})[_text(path)] = (run, path)
    return (list(stratum.values()) for stratum in strata.values() if len(stratum) > 2)


def _chosen_wrong(pool: Pool) -> Example | None:
    """The wrong completion that the judge prefers to all right ones; the plainer, the more of the draws are right."""
    best = int(np.argmax(pool.scores))
    run, path = pool.draws[best]
    if pool.right[best] or not pool.right.any():
        return None
    share = float(pool.right.mean())
    return Example(
        run.run, path.leaf, f"wrong, scored {pool.scores[best]:.2f}; {share:.0%} of the draws are right", share
    )


def _text(path: ScoredPath) -> tuple[object, ...]:
    """What makes a completion distinct from others of its problem, in other runs, too."""
    return tuple((step.words, step.tokens, step.score) for step in path.steps)


def _mean(path: ScoredPath) -> float:
    return sum(path.scores) / len(path.scores)


def _at(run: RunEvidence, step: ScoredStep, words: str, size: float, shows: bool) -> Example | None:
    return Example(run.run, step.node, f"step {step.depth}, {words}: {step.words}", size) if shows else None
