"""Where a search spends its time and its tokens: beam search, N = 16, M = 4, on ten built-in examples.

Wall time is split by what the search is waiting for: decoding, scoring, or neither (ranking, merging, answers).
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.report import Figure
from engine.domains import Domains
from engine.domains.builtin.problems import examples
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.events import Event, Usage
from engine.search.params import RunParams
from engine.search.tree import Tree

TITLE = "beam search N = 16, M = 4, ten built-in examples"
PROBLEMS, ROUNDS = 10, 3


class Timed:
    """A session whose work is timed; everything else passes through."""

    def __init__(self, session: Any, work: str, seconds: list[float]) -> None:
        self._session, self._seconds = session, seconds
        setattr(self, work, self._timed(getattr(session, work)))

    def _timed(self, work: Any) -> Any:
        async def timed(*args: Any) -> Any:
            start = time.perf_counter()
            try:
                return await work(*args)
            finally:
                self._seconds[-1] += time.perf_counter() - start

        return timed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class TimedModel:
    """A policy or scorer whose sessions are timed."""

    def __init__(self, model: Any, work: str) -> None:
        self._model, self._work = model, work
        self.seconds: list[float] = []

    def session(self, problem: str) -> Timed:
        self.seconds.append(0.0)
        return Timed(self._model.session(problem), self._work, self.seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def measure() -> list[Figure]:
    catalogue, domains = Catalogue(), Domains()
    models = catalogue.load()
    assert models.scorer is not None
    policy, scorer = TimedModel(models.policy, "extend"), TimedModel(models.scorer, "score")
    walls: list[float] = []
    usages: list[Usage] = []
    ratios: list[float] = []
    problems = examples()[:PROBLEMS]

    def search(problem: str, answer: str | None, seed: int) -> None:
        log: list[Event] = []
        spent: list[Usage] = []

        def sink(events: Sequence[Event], usage: Usage) -> None:
            log.extend(events)
            spent.append(usage)

        params = RunParams(strategy="beam_search", n=16, width=4, seed=seed)
        run = Run("benchmark", Question(problem, answer), params, policy, scorer, domains["maths"], sink)
        start = time.perf_counter()
        asyncio.run(run.execute())
        walls.append(time.perf_counter() - start)
        usages.append(spent[-1])
        nodes = [node for node in Tree.from_events(log).nodes[1:] if node.scores]
        due = models.scorer.prompt_tokens(problem) + sum(node.tokens for node in nodes) + len(nodes)  # type: ignore[union-attr]
        ratios.append(usages[-1].scored_tokens / due)

    search(problems[0].text, problems[0].answer, 99)  # warm up
    for each in (walls, usages, ratios, policy.seconds, scorer.seconds):
        each.clear()
    for seed in range(ROUNDS):
        for problem in problems:
            search(problem.text, problem.answer, seed)
    domains.close()
    catalogue.close()

    rest = [wall - p - s for wall, p, s in zip(walls, policy.seconds, scorer.seconds, strict=True)]
    total = sum(walls)

    def mean(name: str) -> str:
        return f"{statistics.fmean(getattr(usage, name) for usage in usages):,.0f}"

    return [
        Figure("wall time per search, median", f"{statistics.median(walls):.2f} s"),
        Figure("  decoding", f"{sum(policy.seconds) / total:.0%}"),
        Figure("  scoring", f"{sum(scorer.seconds) / total:.0%}"),
        Figure("  everything else", f"{sum(rest) / total:.0%}"),
        Figure("tokens generated per search, mean", mean("generated_tokens")),
        Figure("policy prompt positions computed, mean", mean("prompt_tokens")),
        Figure("policy positions read from the cache, mean", mean("prompt_tokens_reused")),
        Figure("PRM tokens computed, mean", mean("scored_tokens")),
        Figure("PRM positions read from the cache, mean", mean("scored_tokens_reused")),
        Figure("PRM tokens / (prompt + nodes' tokens + a separator each), worst", f"{max(ratios):.2f}", "<= 1.05"),
    ]
