"""Sweeps resume and read back; intervals on cases worked out by hand or known from the literature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.runs.question import Question
from engine.runs.statistics.accuracies import bootstrap, paired
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.cost import PolicyCost
from engine.search.params import RunParams
from engine.search.policy import Draw, PolicySession, Sampling, Step, TokenBudget
from engine.store import Store


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    with Domains() as domains, Store.open(str(tmp_path / "sweep.db")) as store:
        yield Sweep("test", store, domains)


QUESTIONS = [Question(problem.text, problem.answer) for problem in problem_set("builtin-validation")[:6]]


def test_a_sweep_runs_every_problem_once_and_resumes(sweep: Sweep, models: Models) -> None:
    cell = Cell("builtin-xs", RunParams("best_of_n", n=4))
    other = Cell("builtin-xs", RunParams("best_of_n", n=4, seed=1))
    calls: list[int] = []
    sweep.run({cell: models}, QUESTIONS[:4], lambda: calls.append(1))
    first = sweep.done(cell)
    assert len(calls) == len(first) == 4
    sweep.run({cell: models}, QUESTIONS, lambda: calls.append(1))
    assert len(calls) == len(sweep.done(cell)) == len(sweep.store.runs()) == 6
    assert all(sweep.done(cell)[problem].id == run.id for problem, run in first.items())
    assert all(run.correct is not None for run in sweep.done(cell).values())
    assert sweep.done(other) == {}


def test_runs_of_a_sweep_are_those_that_run_alone(sweep: Sweep, models: Models) -> None:
    """Many searches share the batches; with these models every one of them is still the search it is alone."""
    cell = Cell("builtin-xs", RunParams("beam_search", n=8, width=2))
    sweep.run({cell: models}, QUESTIONS)
    alone = Sweep("alone", sweep.store, sweep.domains)
    for question in QUESTIONS[:3]:
        alone.run({cell: models}, [question])
        together, apart = sweep.done(cell)[question.problem], alone.done(cell)[question.problem]
        assert together.answer == apart.answer
        assert together.usage.generated_tokens == apart.usage.generated_tokens


def test_cells_run_together_share_what_they_draw_and_are_the_runs_they_are_alone(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge of its own shares the policy's draws; what is charged is what each would have cost alone."""
    catalogue = Catalogue()
    own, weak = catalogue.load("builtin-xs"), catalogue.load("builtin-xs", "builtin-prm-weak")
    cells = {
        Cell("builtin-xs", RunParams("best_of_n", n=4)): own,
        Cell("builtin-xs", RunParams("best_of_n", n=8)): own,
        Cell("builtin-xs", RunParams("dvts", n=8, width=2)): own,
        Cell("builtin-xs", RunParams("best_of_n", n=8), "builtin-prm-weak"): weak,
        Cell("builtin-xs", RunParams("beam_search", n=8, width=2)): own,
        Cell("builtin-xs", RunParams("mcts", n=8, width=2)): own,
        Cell("builtin-xs", RunParams("greedy")): own,
    }
    drawn: list[int] = []
    session = own.policy.session

    def counted(problem: str) -> PolicySession:
        real = session(problem)
        extend = real.extend

        async def counting(
            draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
        ) -> list[Step]:
            steps = await extend(draws, sampling, budget, cost)
            drawn.append(sum(step.tokens for step in steps))
            return steps

        monkeypatch.setattr(real, "extend", counting)
        return real

    monkeypatch.setattr(own.policy, "session", counted)
    sweep.run(cells, QUESTIONS[:3])
    together = sum(drawn)
    drawn.clear()
    alone = Sweep("alone", sweep.store, sweep.domains)
    for cell, models in cells.items():
        alone.run({cell: models}, QUESTIONS[:3])
        for problem, run in sweep.done(cell).items():
            apart = alone.done(cell)[problem]
            assert (run.answer, run.scorer) == (apart.answer, apart.scorer)
            assert run.usage.generated_tokens == apart.usage.generated_tokens
            assert run.usage.flops_all == apart.usage.flops_all
    assert together < 0.6 * sum(drawn)
    catalogue.close()


def test_a_cell_is_told_by_everything_that_had_a_say() -> None:
    cells = [
        Cell("builtin-xs", RunParams("best_of_n", n=4)),
        Cell("builtin-s", RunParams("best_of_n", n=4)),
        Cell("builtin-xs", RunParams("best_of_n", n=4), "builtin-prm-weak"),
        Cell("builtin-xs", RunParams("best_of_n", n=16)),
        Cell("builtin-xs", RunParams("best_of_n", n=4, temperature=0.5)),
        Cell("builtin-xs", RunParams("dvts", n=4)),
    ]
    assert len({cell.sweep_id("x") for cell in cells} | {cells[0].sweep_id("y")}) == len(cells) + 1
    assert cells[0].sweep_id("x") == Cell("builtin-xs", RunParams("best_of_n", n=4, max_steps=40)).sweep_id("x")


def test_bootstrap_agrees_with_the_normal_approximation() -> None:
    values = [1.0] * 300 + [0.0] * 700
    interval = bootstrap(values)
    half = 1.96 * (0.3 * 0.7 / 1000) ** 0.5
    assert interval.mean == pytest.approx(0.3)
    assert interval.low == pytest.approx(0.3 - half, abs=0.003)
    assert interval.high == pytest.approx(0.3 + half, abs=0.003)
    assert interval == bootstrap(values)


def test_pairing_removes_what_both_share() -> None:
    hard = [0.0, 1.0] * 500
    better = [min(1.0, value + (index % 10 == 0)) for index, value in enumerate(hard)]
    gap = paired(better, hard)
    assert gap.excludes_zero and gap.mean == pytest.approx(0.1)
    assert not paired(hard, hard).excludes_zero
