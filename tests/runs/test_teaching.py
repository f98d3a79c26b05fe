"""The examples of the menu show what they say they show: at N = 16 and 64, whatever the seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domains import Domains
from engine.domains.builtin.problems import Problem, stream
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.examples import TRIES
from engine.runs.sweeps.sweep import Sweep
from engine.runs.teaching import ENOUGH, FEW, MANY, SEEDS, TEACHING, Teaching, Trial, found
from engine.store import Store


@pytest.fixture
def trial(tmp_path: Path, catalogue: Catalogue) -> Iterator[Trial]:
    with Domains() as domains, Store.open(str(tmp_path / "runs.db")) as store:
        yield Trial(Sweep("test", store, domains), catalogue)


@pytest.fixture(scope="module")
def problems() -> dict[str, Problem]:
    """The examples' problems by the examples' names."""
    wanted = {each.problem: name for name, each in found().items()}
    there: dict[str, Problem] = {}
    for number, problem in enumerate(stream("lesson", "validation")):
        if problem.text in wanted:
            there[wanted[problem.text]] = problem
        if len(there) == len(wanted) or number > TRIES:
            return there
    raise AssertionError("an endless stream ended")


@pytest.mark.parametrize("kind", TEACHING, ids=lambda kind: kind.name)
def test_an_example_shows_what_it_says_with_most_seeds(
    kind: Teaching, trial: Trial, problems: dict[str, Problem]
) -> None:
    problem, kept = problems[kind.name], found()[kind.name]
    assert kept.answer == problem.answer
    shown = [seed for seed in SEEDS if trial.shown_by(kind, [problem], seed)]
    assert SEEDS[0] in shown and len(shown) >= ENOUGH and kept.held >= ENOUGH
    assert {side.params.n for side in kind.sides} >= {FEW, MANY}
    assert kind.shown.params.strategy in {side.params.strategy for side in kind.sides}


def test_a_problem_that_shows_nothing_is_not_taken(trial: Trial) -> None:
    easy = [problem for _, problem in zip(range(60), stream("lesson", "validation"), strict=False)]
    easy = [problem for problem in easy if problem.difficulty == 1][:4]
    assert list(trial.find(TEACHING[0], easy)) == []
