"""Does the local back end give the log-probabilities of plain forwards: in a ragged batch, over prefixes, evicted?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from benchmarks.gpu_check.exactness import LONG, SHORT, compared, plain_model
from benchmarks.gpu_check.results import Result
from engine.models.local.prefix_cache import PrefixCache
from engine.models.policies.local import LocalPolicy, LocalSession
from engine.search.cost import PolicyCost
from engine.search.policy import Draw, Sampling, Step, TokenBudget
from engine.search.tree import Node


@dataclass(frozen=True, slots=True)
class _Written:
    """A step that the policy wrote after `prefix`, and the log-probability it gave."""

    case: str
    prefix: list[int]
    step: Step


def exact_policy(folder: Path, dtype: str, device: str) -> list[Result]:
    opened = LocalPolicy("policy", folder)
    name = f"policy {folder.name}, {opened.info.dtype}"
    try:
        written, reused, again = asyncio.run(_write(opened))
    finally:
        opened.close()
    known = opened.decoder.vocabulary.known
    kinds = {kind: plain_model(AutoModelForCausalLM, folder, kind, device) for kind in (dtype, "float64")}

    @torch.inference_mode()
    def logprob(kind: str, each: _Written) -> float:
        ids = list(each.step.token_ids or ())
        given = torch.tensor([each.prefix + ids], device=device)
        logits = known(kinds[kind](given, use_cache=False).logits[0, len(each.prefix) - 1 : -1])
        wanted = torch.tensor(ids, device=device)[:, None]
        return float(torch.log_softmax(logits.double(), -1).gather(-1, wanted).sum())

    results = [
        Result("exact", f"{name}: is there", opened.info.device, passed=opened.info.device.startswith(device)),
        Result("exact", f"{name}: positions of cached paths computed again", str(reused), passed=reused == 0),
        Result("exact", f"{name}: and after eviction", str(again), passed=again > 0),
    ]
    for case in dict.fromkeys(each.case for each in written):
        steps = [each for each in written if each.case == case]
        right, plain = ([logprob(kind, each) / each.step.tokens for each in steps] for kind in ("float64", dtype))
        ours = [(each.step.logprob or 0.0) / each.step.tokens for each in steps]
        results.append(compared(f"{name}: {case}", "log-probability per token", dtype, right, ours, plain))
    return results


async def _write(opened: LocalPolicy) -> tuple[list[_Written], int, int]:
    """Steps of every kind; the positions of cached paths computed again with the cache, and without."""
    sessions = [opened.session(problem) for problem in (SHORT, LONG)]
    families = await asyncio.gather(*(_extend(each, [()] * 6, 24, 1) for each in sessions))
    written = [_Written("ragged batch", session.prompt, step) for session, (steps, _) in
               zip(sessions, families, strict=True) for step in steps]  # fmt: skip
    paths = [_paths(steps) for steps, _ in families]
    children = await asyncio.gather(
        *(_extend(session, [path for path in below for _ in range(3)], 16, 100)
          for session, below in zip(sessions, paths, strict=True))
    )  # fmt: skip
    written += _below("fork over cached prefixes", sessions, paths, [steps for steps, _ in children])
    for session in sessions:
        session.close()
        session.cache = PrefixCache(limit_bytes=1)
    evicted = await asyncio.gather(
        *(_extend(session, [path for path in below for _ in range(3)], 16, 100)
          for session, below in zip(sessions, paths, strict=True))
    )  # fmt: skip
    written += _below("fork after eviction", sessions, paths, [steps for steps, _ in evicted])
    reused, again = (sum(cost.prompt_tokens for _, cost in each) for each in (children, evicted))
    return written, reused, again


async def _extend(
    session: LocalSession, paths: Sequence[tuple[Node, ...]], tokens: int, seed: int
) -> tuple[list[Step], PolicyCost]:
    draws, cost = [Draw(path, seed + number) for number, path in enumerate(paths)], PolicyCost()
    sampling = Sampling(temperature=1.0, max_step_tokens=tokens)
    return await session.extend(draws, sampling, TokenBudget(), cost), cost


def _paths(steps: Sequence[Step]) -> list[tuple[Node, ...]]:
    """A path of one node for each step that may be continued."""
    distinct = dict.fromkeys(step.token_ids for step in steps if step.finish == "step")
    texts = {step.token_ids: step for step in steps}
    return [
        (Node(number, 0, 1, texts[ids].text, token_ids=ids, tokens=texts[ids].tokens),)
        for number, ids in enumerate(distinct, start=1)
    ]


def _below(
    case: str, sessions: Sequence[LocalSession], paths: Sequence[Sequence[tuple[Node, ...]]],
    families: Sequence[Sequence[Step]],
) -> list[_Written]:  # fmt: skip
    return [
        _Written(case, session.prompt + list(path[0].token_ids or ()), step)
        for session, below, steps in zip(sessions, paths, families, strict=True)
        for path, step in zip((path for path in below for _ in range(3)), steps, strict=True)
    ]
