"""The difference of two methods, in sentences."""

from __future__ import annotations

from engine.runs.statistics.differences import Difference
from engine.runs.statistics.power import LEVEL
from engine.runs.statistics.resampling import FEWEST
from tts_ui.words import numbers


def difference_lines(said: Difference) -> list[str]:
    """What was found with its tests, and what so many problems could have shown."""
    gap = said.interval
    points = f"{100 * gap.mean:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}] points"
    tests = [f"p = {numbers.score(said.p)}"] if said.problems >= FEWEST else []
    if said.mcnemar:
        tests.append(f"exact McNemar p = {numbers.score(said.mcnemar.p)}")
    found = "too few problems for a verdict" if said.problems < FEWEST else "significant" if said.p < LEVEL else "a tie"
    better, worse = said.first_better, said.second_better
    return [
        f"Difference in accuracy: {points}; {found} (paired over {said.problems:,} problems"
        + "".join(f"; {each}" for each in tests)
        + ").",
        f"Better on {better:,} problems, worse on {worse:,}.",
        _power(said),
    ]


def _power(said: Difference) -> str:
    if said.detectable is None:
        return "They did not differ on any problem, which says nothing of how small a difference so many can show."
    least = (
        f"With {said.problems:,} such problems a true difference of {100 * said.detectable:.1f} points would be "
        "found in 8 of 10 experiments; a smaller one may be missed."
    )
    if said.p < LEVEL or not said.more:
        return least
    return f"{least} To show one as large as that observed takes {said.needed:,} problems: {said.more:,} more."
