"""Tokens processed by beam search, N = 16, M = 4, against what the published algorithm processes for the same trees.

The published searches read the whole path of every beam at every level, with the policy (where no prefix cache helps)
and again with the PRM. For N beams, T levels, s tokens per step and a prompt of P tokens that is N T P + N s T (T-1) /
2 positions of prefill and N T P + N s T (T+1) / 2 positions of the PRM. T is the depth of our own tree and s its mean
step. The second count is kinder to them: it takes only the draws that our search made, so the slots of finished beams
are not refilled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import Figure
from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.events import Event, Usage
from engine.search.params import RunParams
from engine.search.tree import Tree

TITLE = "tokens processed by beam search, 50 held-out problems, against the published algorithm on the same trees"
N, M, PROBLEMS = 16, 4, 50
GOAL = ">= 5"


@dataclass(slots=True)
class _Count:
    """Positions computed, summed over the problems."""

    generated: float = 0.0
    prefill: float = 0.0
    scored: float = 0.0


def measure() -> list[Figure]:
    catalogue, domains = Catalogue(), Domains()
    models = catalogue.load()
    ours, published, same_draws = _Count(), _Count(), _Count()
    levels = 0
    for problem in problem_set("builtin-1000")[:PROBLEMS]:
        tree, usage = _search(models, domains, problem.text, problem.answer)
        levels += _add(models, tree, usage, ours, published, same_draws)
    domains.close()
    catalogue.close()
    return [
        Figure("levels of a tree, mean", f"{levels / PROBLEMS:.1f}"),
        Figure("policy prefill, positions per search: published / ours", _pair(published.prefill, ours.prefill)),
        Figure("policy prefill: published / ours", f"{published.prefill / ours.prefill:.1f}", GOAL),
        Figure("policy prefill: same draws only / ours", f"{same_draws.prefill / ours.prefill:.1f}"),
        Figure(
            "policy prefill and decoding: published / ours",
            f"{(published.prefill + published.generated) / (ours.prefill + ours.generated):.1f}",
        ),
        Figure("PRM, positions per search: published / ours", _pair(published.scored, ours.scored)),
        Figure("PRM: published / ours", f"{published.scored / ours.scored:.1f}", GOAL),
        Figure("PRM: same draws only / ours", f"{same_draws.scored / ours.scored:.1f}"),
    ]


def _pair(theirs: float, ours: float) -> str:
    return f"{theirs / PROBLEMS:,.0f} / {ours / PROBLEMS:,.0f}"


def _search(models: Models, domains: Domains, problem: str, answer: str) -> tuple[Tree, Usage]:
    log: list[Event] = []
    spent: list[Usage] = []

    def sink(events: Sequence[Event], usage: Usage) -> None:
        log.extend(events)
        spent.append(usage)

    params = RunParams(strategy="beam_search", n=N, width=M)
    run = Run("benchmark", Question(problem, answer), params, models.policy, models.scorer, domains["maths"], sink)
    asyncio.run(run.execute())
    return Tree.from_events(log), spent[-1]


def _add(models: Models, tree: Tree, usage: Usage, ours: _Count, published: _Count, same_draws: _Count) -> int:
    """Add one search to the counts; returns the levels of its tree."""
    assert models.scorer is not None
    problem, nodes = tree.root.text, tree.nodes[1:]
    ours.generated += usage.generated_tokens
    ours.prefill += usage.prompt_tokens
    ours.scored += usage.scored_tokens

    levels = max(node.depth for node in nodes)
    prompt, judged_prompt = models.policy.prompt_tokens(problem), models.scorer.prompt_tokens(problem)
    step = usage.generated_tokens / sum(node.copies for node in nodes)
    judged_step = (usage.scored_tokens - judged_prompt) / sum(bool(node.scores) for node in nodes)
    published.generated += N * step * levels
    published.prefill += N * levels * prompt + N * step * levels * (levels - 1) / 2
    published.scored += N * levels * judged_prompt + N * judged_step * levels * (levels + 1) / 2
    for node in nodes:
        same_draws.prefill += node.copies * (prompt + sum(above.tokens for above in tree.path(node)[:-1]))
        same_draws.scored += node.copies * (judged_prompt + judged_step * node.depth) if node.scores else 0
    return levels
