"""Slips: one number of a worked solution is wrong, the checker says so, and nothing else differs."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random

from engine.domains.builtin.families import BY_NAME
from engine.domains.builtin.problems import FAMILIES, split_of, stream
from engine.domains.builtin.slips import slipped_number, with_slip
from engine.domains.builtin.step_checker import first_wrong_step
from engine.training.slips import slips


def test_only_digits_of_the_last_step_differ_and_that_step_is_the_first_wrong_one() -> None:
    for problem in islice(stream("slips test", "judge"), 300):
        steps = with_slip(problem, Random(problem.text))
        last = len(steps) - 1
        assert first_wrong_step(problem, steps) == last
        assert steps[:last] == problem.steps[:last]
        written, true = steps[last], problem.steps[last]
        assert written != true
        assert "".join(c for c in written if not c.isdigit()) == "".join(c for c in true if not c.isdigit())


def test_slips_repeat_cover_every_family_and_every_step_and_keep_to_the_judges_split() -> None:
    drawn = list(slips("seed", 630))
    assert [s.steps for s in drawn] == [s.steps for s in slips("seed", 630)]
    assert [s.steps for s in drawn] != [s.steps for s in slips("another", 630)]
    assert set(Counter(s.problem.family for s in drawn)) == set(FAMILIES) == set(BY_NAME)
    assert {len(s.steps) for s in drawn} >= {1, 2, 3, 4, 5, 6}
    assert all(split_of(s.problem.family, s.problem.numbers) == "judge" for s in drawn)


def test_a_slip_is_often_small_and_sometimes_another_number_that_was_told() -> None:
    rng = Random(0)
    written = Counter(slipped_number("46", ["12", "7"], rng) for _ in range(4000))
    assert written["12"] + written["7"] > 600  # copied
    assert written["45"] + written["47"] + written["36"] + written["56"] > 1200  # one digit off
    assert written["64"] > 100  # two digits that changed places
    assert len(written) > 20
