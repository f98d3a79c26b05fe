"""Ties are named as ties."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from engine.runs.sweeps.curves import AXES, Axis, Point
from engine.runs.sweeps.measured import Configuration
from engine.runs.sweeps.standings import standing as stand
from engine.search.interval import Interval
from tts_ui.words.ties import standing, verdict


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([["dvts", "best_of_n", "rebase"]], "DVTS, Best of N and REBASE are tied"),
        ([["dvts", "best_of_n"], ["greedy"]], "DVTS and Best of N are tied, before Greedy"),
        ([["mcts"], ["dvts", "greedy"], ["lookahead"]], "MCTS is ahead of DVTS and Greedy (tied); then Lookahead"),
        ([["greedy"]], "Greedy"),
        ([], ""),
    ],
)
def test_groups_in_a_sentence(groups: list[list[str]], said: str) -> None:
    assert standing(groups) == said


def point(strategy: str, right: list[float]) -> Point:
    names = tuple(f"{place:03}" for place in range(len(right)))
    costs = cast(dict[Axis, float], dict.fromkeys(AXES, 1.0))
    of = Configuration("xs", "prm", strategy, "prm_last_vote", 4)
    return Point(of, names, np.array(right), Interval(0, 0, 0), costs, 1)


def test_the_verdict_names_ties_problems_and_what_so_many_can_show() -> None:
    """Of 90 pairs 5 are won and 5 lost: s^2 = 10 / 89; three pairs are tested: (2.394 + 0.842) s / sqrt(90)."""
    beam = [1.0] * 45 + [0.0] * 45
    dvts = [1.0] * 40 + [0.0] * 5 + [1.0] * 5 + [0.0] * 40
    found = stand([point("greedy", [0.0] * 90), point("beam_search", beam), point("dvts", dvts)])
    assert found is not None and found.detectable == pytest.approx(0.1143, abs=1e-4)
    assert verdict(found) == (
        "At N = 4, over 90 problems: Beam search and DVTS are tied, before Greedy. With this many, a difference "
        "of 11.4 points from the best would be found 8 times in 10; a smaller one may be missed."
    )
    few = stand([point("greedy", [0.0] * 7), point("dvts", [1.0] * 7)])
    assert few is not None and verdict(few) == "At N = 4, 7 problems are too few to tell strategies apart."
    assert stand([point("dvts", [1.0] * 7)]) is None
