"""Calibration against numbers that were worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from support.lab_evidence import evidence, path, run

from engine.runs.lab.calibration import best_threshold, calibrate, first_errors, observations, slices
from engine.runs.lab.evidence import Evidence


def _two() -> Evidence:
    """Of four right steps and two wrong ones, in two problems; a step after a wrong one."""
    return evidence(
        run("p", path(1, [0.95, 0.85, 0.35, 0.9], "rrwa")), run("q", path(2, [0.95, 0.15], "rr"), path(3, [0.85], "w"))
    )


def test_steps_after_a_wrong_one_are_left_out() -> None:
    found = observations(_two(), "truth")
    assert [(each.step.score, each.right) for each in found] == [
        (0.95, 1), (0.85, 1), (0.35, 0), (0.95, 1), (0.15, 1), (0.85, 0),
    ]  # fmt: skip


def test_error_brier_and_auc_by_hand() -> None:
    measured = calibrate(observations(_two(), "truth"))
    # bins: 0.95 twice (both right), 0.85 twice (one right), 0.35 (wrong), 0.15 (right)
    gaps = [2 * abs(0.95 - 1), 2 * abs(0.85 - 0.5), 0.35, abs(0.15 - 1)]
    assert measured.ece.mean == pytest.approx(sum(gaps) / 6)
    squares = [0.05**2, 0.15**2, 0.35**2, 0.05**2, 0.85**2, 0.85**2]
    assert measured.brier.mean == pytest.approx(sum(squares) / 6)
    assert measured.auc and measured.auc.mean == pytest.approx((2 + 1.5 + 2 + 0) / (4 * 2))
    assert [(len(each.observations), each.share.mean) for each in measured.bins] == [(1, 1), (1, 0), (2, 0.5), (2, 1)]
    assert (measured.steps, measured.problems, measured.right) == (6, 2, 4)


def test_rollouts_count_draws_and_not_steps() -> None:
    """A right step of which one draw in four ends right is no success three times."""
    only = run("p", path(1, [0.5], "r"))
    step = replace(only.steps[0], rolled=(1, 4))
    measured = calibrate(observations(evidence(replace(only, steps=(step,))), "rollouts"))
    assert (measured.of, measured.right) == (4, 1)
    assert measured.ece.mean == pytest.approx(0.25)
    assert measured.brier.mean == pytest.approx(0.25)
    assert measured.auc and measured.auc.mean == 0.5
    assert not observations(evidence(only), "rollouts")


def test_first_errors_as_processbench_counts_them() -> None:
    """Of three wrong solutions one first error is named, of two right ones one is let be: F1 of 1/3 and 1/2."""
    measured = first_errors(evidence(
        run("p", path(1, [0.9, 0.2, 0.1], "rwa"), path(2, [0.2, 0.9, 0.1], "rwa"), path(3, [0.9, 0.9], "rw")),
        run("q", path(4, [0.9, 0.6], "rr"), path(5, [0.9, 0.4], "rr")),
    ))  # fmt: skip
    assert measured and (measured.wrong, measured.right) == (3, 2)
    assert measured.on_wrong == pytest.approx(1 / 3) and measured.on_right == pytest.approx(1 / 2)
    assert measured.f1.mean == pytest.approx(0.4)


def test_first_errors_need_both_kinds() -> None:
    assert first_errors(evidence(run("p", path(1, [0.9], "r")))) is None


def test_the_best_threshold_is_between_right_and_wrong() -> None:
    found = evidence(run("p", path(1, [0.8, 0.7], "rw"), path(2, [0.9, 0.8], "rr")))
    assert 0.7 < best_threshold(found) <= 0.8
    measured = first_errors(found, best_threshold(found))
    assert measured and measured.f1.mean == 1


def test_parts_add_up_and_hard_problems_are_told_by_their_draws() -> None:
    easy = run("easy", path(1, [0.9]), path(2, [0.9]))
    hard = run("hard", *(path(leaf, [0.9], "w") for leaf in range(11)))
    parted = slices(evidence(easy, hard), "truth")
    assert {name: each.steps for name, each in parted["difficulty"].items()} == {"easy": 2, "hard": 11}
    assert all(sum(each.steps for each in parts.values()) == 13 for parts in parted.values())
    assert set(parted) == {"policy", "depth", "length", "difficulty", "family"}


def test_intervals_hold_the_estimate_and_shrink_with_problems() -> None:
    def width(problems: int) -> float:
        runs = [run(f"p{place}", path(1, [0.8, 0.6], "rw" if place % 3 else "rr")) for place in range(problems)]
        measured = calibrate(observations(evidence(*runs), "truth"))
        assert measured.brier.low <= measured.brier.mean <= measured.brier.high
        return measured.brier.high - measured.brier.low

    assert width(400) < width(40) / 2


def test_nothing_is_not_zero() -> None:
    measured = calibrate([])
    assert measured.steps == 0 and math.isnan(measured.ece.mean) and measured.auc is None
