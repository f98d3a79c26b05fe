"""A beam search as the product does it, and the same texts the plain way, level by level.

Plainly, `transformers.generate` reads every beam's whole prefix again and the PRM reads every candidate's whole text
again, in one batch each, with the same device, dtype and threads. The plain one repeats our tree, so both decode and
score the same texts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.domains import Domains
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.local import LocalScorer
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.events import Event, RunFinished, Usage
from engine.search.params import RunParams
from engine.search.tree import Node, Tree

PROBLEM = "Compute 5 + 18 * 13 + 8 + 8 + 8. " * 8


@dataclass(slots=True)
class Plain:
    """Seconds, and positions that were read outside of decoding, padding not counted."""

    generating: float = 0.0
    scoring: float = 0.0
    prompt_tokens: int = 0
    scored_tokens: int = 0

    @property
    def seconds(self) -> float:
        return self.generating + self.scoring


def search(policy: LocalPolicy, scorer: LocalScorer, *, n: int, width: int, levels: int) -> tuple[Tree, Usage, float]:
    """Beam search on `PROBLEM`: its tree, what it spent and the seconds it took. Raises `RuntimeError` if it failed."""
    log: list[Event] = []
    usages: list[Usage] = []

    def sink(events: Sequence[Event], usage: Usage) -> None:
        log.extend(events)
        usages.append(usage)

    params = RunParams(strategy="beam_search", n=n, width=width, temperature=1.0, max_steps=levels)
    with Domains() as domains:
        start = time.perf_counter()
        run = Run("benchmark", Question(PROBLEM), params, policy, scorer, domains["maths"], sink)
        finished: RunFinished = asyncio.run(run.execute())
        seconds = time.perf_counter() - start
    if finished.error:
        raise RuntimeError(finished.error)
    return Tree.from_events(log), usages[-1], seconds


@torch.inference_mode()
def plainly(policy: LocalPolicy, scorer: LocalScorer, tree: Tree) -> Plain:
    """What `generate` and plain forwards of the PRM take for the levels of `tree`."""
    model: Any = policy.model
    backbone: Any = scorer.backbone
    spent = Plain()
    for depth in range(1, max(node.depth for node in tree.nodes) + 1):
        level = [node for node in tree.nodes[1:] if node.depth == depth]
        rows = [node for node in level for _ in range(node.copies)]
        prefixes = [
            policy.prompt_ids(PROBLEM) + [token for step in tree.path(node)[:-1] for token in step.token_ids or ()]
            for node in rows
        ]
        start = _now(model.device)
        ids, mask = _left_padded(prefixes, model.device)
        longest = max(node.tokens for node in rows)
        model.generate(ids, attention_mask=mask, do_sample=True, top_k=0, max_new_tokens=longest, pad_token_id=0)
        spent.generating += _now(model.device) - start
        spent.prompt_tokens += sum(map(len, prefixes))
        texts = [_read(scorer, tree.path(node)) for node in level]
        start = _now(model.device)
        ids, mask = _left_padded(texts, backbone.device)
        backbone(input_ids=ids, attention_mask=mask, use_cache=False)
        spent.scoring += _now(model.device) - start
        spent.scored_tokens += sum(map(len, texts))
    return spent


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _read(scorer: LocalScorer, path: Sequence[Node]) -> list[int]:
    ids = scorer.format.prompt(PROBLEM)
    for before, step in zip([None, *path[:-1]], path, strict=True):
        ids += scorer.format.segment(step.text, before.text if before else None).ids
    return ids


def _left_padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    width = max(map(len, rows))
    ids = [[0] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
