"""What is said of a vote that stopped early."""

from __future__ import annotations

import pytest

from engine.search.events import Decision
from tts_ui.words.reasons import probability, why

UNANIMOUS = {"leading": 4, "second": 0, "votes": 4, "drawn": 4, "n": 64, "probability": 0.96875, "threshold": 0.95}


def test_a_unanimous_vote_reads_as_one() -> None:
    done, because = why(Decision(1, 0, "expand", "beta_stop", UNANIMOUS))
    assert (done, because) == ("stopped early", "4 of 4 agree, P = .969 (asked: 0.95); 4 of 64 draws taken")


def test_draws_without_an_answer_are_told() -> None:
    _, because = why(Decision(1, 0, "expand", "beta_stop", UNANIMOUS | {"drawn": 6}))
    assert because.startswith("4 of 4 agree, 2 without an answer, P = .969")


@pytest.mark.parametrize(("p", "said"), [(0.5, ".500"), (0.96875, ".969"), (0.9994, ".999"), (0.99999, "> .999")])
def test_a_probability_is_never_rounded_up_to_certainty(p: float, said: str) -> None:
    assert probability(p) == said


def test_a_particle_says_where_it_stood_and_went() -> None:
    numbers = {"weight": 2.2, "probability": 0.18, "particles": 1, "resampled": 3, "of": 16, "share": 0.3}
    done, because = why(Decision(1, 5, "keep", "resampled", numbers | {"temperature": 1.7, "step": 2}))
    assert (done, because) == ("kept", "1 of 16 particles, then 3: weight 2.20, chance 0.180, temperature 1.70")
    _, cold = why(Decision(1, 5, "prune", "resampled", numbers | {"temperature": 1, "step": 9, "resampled": 0}))
    assert cold == "1 of 16 particles, then none: weight 2.20, chance 0.180"
