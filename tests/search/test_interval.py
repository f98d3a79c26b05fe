"""Estimates: a proportion, how sure one can be of it, and the score that rollouts give."""

from __future__ import annotations

import pytest

from engine.search.events import StepScored
from engine.search.interval import wilson


def test_wilson_at_the_edges() -> None:
    """10 of 10: [0.722, 1]; 0 of 10 is its mirror image (Agresti and Coull 1998 give the formula)."""
    assert wilson(10, 10).low == pytest.approx(0.7225, abs=1e-4)
    assert wilson(0, 10).high == pytest.approx(1 - 0.7225, abs=1e-4)
    assert wilson(5, 10).low == pytest.approx(1 - wilson(5, 10).high)
    assert (wilson(0, 7).low, wilson(7, 7).high) == (0.0, 1.0)


def test_rollouts_make_an_estimate_with_its_interval() -> None:
    score = StepScored.estimate(7, 3, "rollouts", right=3, n=4)
    assert (score.seq, score.node, score.scorer, score.kind, score.n) == (7, 3, "rollouts", "estimated", 4)
    assert score.value == 0.75
    assert (score.low, score.high) == pytest.approx((0.3006, 0.9544), abs=1e-4)
    with pytest.raises(ValueError, match="a rollout"):
        StepScored.estimate(7, 3, "rollouts", right=0, n=0)
