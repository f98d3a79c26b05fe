"""Strategies at a budget that is really equal: nobody exceeds it, who is cut has spent it, best-of-N still answers."""

from __future__ import annotations

import asyncio

from support.recorded import Recorded, solve

from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain

NAMES = ("best_of_n", "beam_search", "dvts", "mcts")
PROBLEMS, N, BUDGET = 20, 64, 800


async def test_an_equal_budget_is_equal(models: Models, maths: Domain) -> None:
    runs: dict[str, list[Recorded]] = {name: [] for name in NAMES}
    for problem in problem_set("builtin-1000")[:PROBLEMS]:
        searches = (
            solve(models, maths, problem=problem.text, strategy=name, n=N, width=4, max_tokens_total=BUDGET)
            for name in NAMES
        )
        for name, run in zip(NAMES, await asyncio.gather(*searches), strict=True):
            runs[name].append(run)
    every = [run for each in runs.values() for run in each]
    cut = {name: [run for run in each if run.last.stop_reason == "budget"] for name, each in runs.items()}
    assert all(cut.values())
    assert sum(map(len, cut.values())) >= len(every) / 2
    for run in every:
        assert run.usage.generated_tokens <= BUDGET
        assert run.usage.generated_tokens == sum(node.tokens * node.copies for node in run.tree.nodes[1:])
    for name, runs_cut in cut.items():
        assert all(run.usage.generated_tokens >= 0.95 * BUDGET for run in runs_cut), name
    assert all(run.last.answer is not None for run in runs["best_of_n"])
