"""A half-billion-parameter policy and a PRM of the same shape on this CPU: beam search, N = 8, M = 4, ten levels.

Both are random checkpoints in the shape of Qwen2.5-0.5B, made in a temporary folder; a step has 30 tokens on average.
The search and its plain counterpart (`benchmarks/plain_search.py`) are timed once after a short warm-up.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from benchmarks.plain_search import PROBLEM, plainly, search
from benchmarks.random_models import HALF_BILLION, save_checkpoint
from benchmarks.report import Figure
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.qwen_prm import Qwen2ForProcessRewardModel, load

TITLE = "a 0.5B-shaped policy and PRM on the CPU, beam search N = 8, M = 4, ten levels"
N, WIDTH, LEVELS = 8, 4, 10
THREADS = 2


def measure() -> list[Figure]:
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as place:
        policy, scorer = _open(Path(place))
        try:
            search(policy, scorer, n=N, width=WIDTH, levels=1)
            tree, usage, seconds = search(policy, scorer, n=N, width=WIDTH, levels=LEVELS)
            plain = plainly(policy, scorer, tree)
        finally:
            policy.close()
            scorer.close()
    nodes = tree.nodes[1:]
    scored = [node for node in nodes if node.scores]
    generated = sum(node.tokens * node.copies for node in nodes)
    prefill = policy.prompt_tokens(PROBLEM)
    score = scorer.prompt_tokens(PROBLEM) + sum(len(scorer.format.segment(node.text, None).ids) for node in scored)
    return [
        Figure("levels, steps, tokens per step", f"{max(n.depth for n in nodes)}, {len(nodes)}, "
               f"{generated / sum(n.copies for n in nodes):.0f}"),
        Figure("dtype", f"{policy.info.dtype}, {THREADS} threads"),
        Figure("policy positions outside decoding / the minimum (the prompt once)",
               f"{usage.prompt_tokens / prefill:.2f}", "<= 1.1"),
        Figure("policy positions, decoding included / the minimum",
               f"{(usage.prompt_tokens + generated) / (prefill + generated):.2f}", "<= 1.1"),
        Figure("PRM positions / the minimum (prompt and each step once)",
               f"{usage.scored_tokens / score:.2f}", "<= 1.1"),
        Figure("wall time, this search", f"{seconds:.0f} s"),
        Figure("wall time, generate and full re-scoring",
               f"{plain.seconds:.0f} s ({plain.generating:.0f} + {plain.scoring:.0f})"),
        Figure("ratio", f"{plain.seconds / seconds:.1f}", ">= 5"),
    ]  # fmt: skip


def _open(place: Path) -> tuple[LocalPolicy, LocalScorer]:
    """The two checkpoints, written and then loaded like any other."""
    policy = save_checkpoint(place / "policy", HALF_BILLION)
    prm = save_checkpoint(place / "prm", HALF_BILLION, Qwen2ForProcessRewardModel)
    return LocalPolicy("policy", policy), load("prm", prm, ScorerOptions())
