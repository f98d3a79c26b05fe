"""The useful width: gap and noise are found again in scores that were drawn with them, and so is where K falls."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.lab_evidence import evidence, path, run

from engine.runs.lab.evidence import Evidence
from engine.runs.lab.useful_width import modelled, separation, useful_width


def _drawn(
    gap: float, right: float, wrong: float, share: float = 0.5, problems: int = 150, draws: int = 32
) -> Evidence:
    """Scores whose log-odds are normal around a level of each problem's own; `right` and `wrong` are their noises."""
    dice, runs = np.random.default_rng(7), []
    for problem in range(problems):
        level, paths = dice.normal(0, 1), []
        for leaf in range(draws):
            good = bool(dice.random() < share)
            odds = level + gap * good + dice.normal() * (right if good else wrong)
            paths.append(path(leaf, [1 / (1 + math.exp(-odds))], "r" if good else "w"))
        runs.append(run(f"p{problem}", *paths))
    return evidence(*runs)


def test_gap_noise_and_width_are_found_again() -> None:
    width = useful_width(_drawn(1.5, 1.0, 1.0), "policy")
    assert width
    assert width.whole.gap.mean == pytest.approx(1.5, abs=0.1)
    assert width.whole.noise.mean == pytest.approx(1.0, abs=0.05)
    assert width.whole.width.mean == pytest.approx(math.exp(1.5**2 / 2), rel=0.3)
    assert width.whole.width.low < math.exp(1.5**2 / 2) < width.whole.width.high
    assert [each.depth for each in width.depths] == [1]


def test_equal_noise_never_falls_whatever_the_first_prediction_says() -> None:
    width = useful_width(_drawn(1.0, 1.0, 1.0), "policy")
    assert width and width.whole.width.mean < 3
    assert width.measured.best == width.modelled == 32
    assert not width.agrees


def test_noisier_wrong_paths_have_a_largest_useful_width_and_the_second_prediction_finds_it() -> None:
    width = useful_width(_drawn(1.0, 0.3, 1.5), "policy")
    assert width and width.measured.best < 16
    interval = width.measured.best_interval()
    assert interval.low <= width.modelled <= interval.high
    measured = [each.mean for each in width.measured.accuracy]
    assert list(width.model) == pytest.approx(measured, abs=0.05)


def test_the_model_of_one_draw_is_the_share_and_of_many_certain() -> None:
    known = separation([("p", 0.9, True), ("p", 0.8, True), ("p", 0.2, False), ("p", 0.1, False)])
    assert known and known.gap.mean > 3
    one, many = modelled(known, [0.3, 0.5], [1, 64])
    assert one == pytest.approx(0.4, abs=1e-3) and many > 0.99


def test_what_cannot_be_measured_is_none() -> None:
    assert useful_width(evidence(run("p", path(1, [0.5]), path(2, [0.6]))), "policy") is None
    assert separation([("p", 0.5, True), ("p", 0.5, True), ("p", 0.5, False), ("p", 0.5, False)]) is None
