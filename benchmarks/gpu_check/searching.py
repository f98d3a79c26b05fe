"""Beam search against `generate` and full re-scoring of the same texts: seconds and tokens processed."""

from __future__ import annotations

from benchmarks.gpu_check.results import Result
from benchmarks.plain_search import plainly, search
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.local import LocalScorer

N, WIDTH = 16, 4


def searching(policy: LocalPolicy, scorer: LocalScorer, levels: int) -> list[Result]:
    """Both sides are warmed up by a search of two levels."""
    warm, _, _ = search(policy, scorer, n=N, width=WIDTH, levels=2)
    plainly(policy, scorer, warm)
    tree, usage, seconds = search(policy, scorer, n=N, width=WIDTH, levels=levels)
    plain = plainly(policy, scorer, tree)
    nodes = tree.nodes[1:]
    generated = sum(node.tokens * node.copies for node in nodes)
    ours = usage.prompt_tokens + usage.generated_tokens + usage.scored_tokens
    theirs = plain.prompt_tokens + generated + plain.scored_tokens
    depth = max(node.depth for node in nodes)
    name = f"beam search, N = {N}, M = {WIDTH}"
    return [
        Result("search", f"{name}: levels, steps, tokens written", f"{depth}, {len(nodes)}, {generated:,}",
               {"levels": depth, "steps": len(nodes), "generated_tokens": generated}),
        Result("search", f"{name}: seconds", f"{seconds:.2f}", {"seconds": seconds}),
        Result("search", "generate and full re-scoring: seconds",
               f"{plain.seconds:.2f} ({plain.generating:.2f} + {plain.scoring:.2f}), "
               f"{plain.seconds / seconds:.1f} times",
               {"generating": plain.generating, "scoring": plain.scoring, "ratio": plain.seconds / seconds}),
        Result("search", f"{name}: tokens processed", f"{ours:,}", {"tokens": ours}),
        Result("search", "generate and full re-scoring: tokens processed",
               f"{theirs:,}, {theirs / ours:.1f} times", {"tokens": theirs, "ratio": theirs / ours}),
    ]  # fmt: skip
