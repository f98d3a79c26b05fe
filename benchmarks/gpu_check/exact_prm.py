"""Does the PRM loop give the scores of plain forwards: in a ragged batch, over prefixes, after eviction?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.gpu_check.exactness import LONG, SHORT, compared, plain_model
from benchmarks.gpu_check.results import Result
from engine.models.local.prefix_cache import PrefixCache
from engine.models.scorers.formats import conversation
from engine.models.scorers.heads import LabelHead
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.qwen_prm import Qwen2ForProcessRewardModel, load
from engine.search.cost import ScorerCost
from engine.search.events import StepSampled
from engine.search.tree import Tree

STEPS = [
    "So 5 + 18 = 23.\n\n",
    " AAAB AAAC AAAD\n\n",
    "## Step 3:\n23 * 13 = 299 ABCD ABCE ABCF ABCG\n\n",
    "It is 7.\n\n",
]


def exact_prm(folder: Path, dtype: str, device: str) -> list[Result]:
    opened = load("prm", folder, ScorerOptions())
    name = f"PRM {folder.name}, {opened.info.dtype}"
    try:
        cases = asyncio.run(_score(opened))
    finally:
        opened.close()
    kinds = {kind: plain_model(Qwen2ForProcessRewardModel, folder, kind, device) for kind in (dtype, "float64")}

    @torch.inference_mode()
    def score(kind: str, problem: str, steps: Sequence[str]) -> float:
        ids, places = conversation(opened.format, problem, steps)
        hidden = kinds[kind].model(torch.tensor([ids], device=device), use_cache=False).last_hidden_state[0]
        return float(LabelHead(kinds[kind].score)(hidden[places[-1]], torch.zeros(1))[0])

    results = []
    for case, scored in cases.items():
        right, plain = ([score(kind, problem, steps) for problem, steps, _ in scored] for kind in ("float64", dtype))
        ours = [found for *_, found in scored]
        results.append(compared(f"{name}: {case}", "score", dtype, right, ours, plain))
    return results


_Scored = list[tuple[str, list[str], float]]


async def _score(opened: LocalScorer) -> dict[str, _Scored]:
    """By case: problem, steps and the score of the last, in two sessions that share batches."""
    cases: dict[str, _Scored] = {}
    for case, limit in (("ragged batch, forks, cached prefixes", None), ("the same after eviction", 1)):
        found = await asyncio.gather(*(_by_levels(opened, problem, limit) for problem in (SHORT, LONG)))
        cases[case] = [each for scored in found for each in scored]
    return cases


async def _by_levels(opened: LocalScorer, problem: str, limit: int | None) -> _Scored:
    """A tree in which every step of `STEPS` follows every path of the level above, a level at a time."""
    session, tree = opened.session(problem), Tree(problem)
    if limit is not None:
        session.cache = PrefixCache(limit_bytes=limit)
    scored: _Scored = []
    level = [0]
    for depth in range(1, 4):
        grown = []
        for parent in level[:4]:
            for text in STEPS[: 5 - depth]:
                number = len(tree)
                tree.apply(StepSampled(number, number, parent, depth, text, None, 1, None, "step"))
                grown.append(number)
        paths = [tree.path(tree[number]) for number in grown]
        scores = await session.score(paths, ScorerCost())
        for path, found in zip(paths, scores, strict=True):
            scored.append((problem, [node.text for node in path], float("nan") if found is None else found))
        level = grown[::-1]
    session.close()
    return scored
