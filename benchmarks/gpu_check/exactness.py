"""Is what the local back end and the PRM loop compute what plain forwards of the whole text compute?

The reference is the same checkpoint in float64, one text at a time, without a cache. A plain forward in the dtype under
test differs from it by rounding; ours may differ by a small multiple of that, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from benchmarks.gpu_check.results import Result
from engine.models.local.prefix_cache import PrefixCache
from engine.models.policies.local import LocalPolicy, LocalSession
from engine.models.scorers.formats import conversation
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.qwen_prm import LabelHead, Qwen2ForProcessRewardModel, load
from engine.search.cost import PolicyCost, ScorerCost
from engine.search.events import StepSampled
from engine.search.policy import Draw, Sampling, Step, TokenBudget
from engine.search.tree import Node, Tree

SHORT, LONG = "Compute 1 + 2.", "Compute 5 + 18 * 13 + 8 + 8 + 8. " * 4
STEPS = [
    "So 5 + 18 = 23.\n\n",
    " AAAB AAAC AAAD\n\n",
    "## Step 3:\n23 * 13 = 299 ABCD ABCE ABCF ABCG\n\n",
    "It is 7.\n\n",
]
#: How much larger than plain rounding our mean difference may be, and what is no difference at all.
MULTIPLE = 2.0
NOTHING = {"float32": 1e-4, "bfloat16": 3e-3}


@dataclass(frozen=True, slots=True)
class _Written:
    """A step that the policy wrote after `prefix`, and the log-probability it gave."""

    case: str
    prefix: list[int]
    step: Step


def policy(folder: Path, dtype: str, device: str) -> list[Result]:
    opened = LocalPolicy("policy", folder)
    name = f"policy {folder.name}, {opened.info.dtype}"
    try:
        written, reused, again = asyncio.run(_write(opened))
    finally:
        opened.close()
    known = opened.decoder.vocabulary.known
    kinds = {kind: _plain(AutoModelForCausalLM, folder, kind, device) for kind in (dtype, "float64")}

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
        results.append(_compared(f"{name}: {case}", "log-probability per token", dtype, right, ours, plain))
    return results


async def _write(opened: LocalPolicy) -> tuple[list[_Written], int, int]:
    """Steps of every kind; the positions of cached paths computed again with the cache, and without."""
    sessions = [opened.session(problem) for problem in (SHORT, LONG)]
    families = await asyncio.gather(*(_extend(each, [()] * 4, 24, 1) for each in sessions))
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


def scorer(folder: Path, dtype: str, device: str) -> list[Result]:
    opened = load("prm", folder, ScorerOptions())
    name = f"PRM {folder.name}, {opened.info.dtype}"
    try:
        cases = asyncio.run(_score(opened))
    finally:
        opened.close()
    kinds = {kind: _plain(Qwen2ForProcessRewardModel, folder, kind, device) for kind in (dtype, "float64")}

    @torch.inference_mode()
    def score(kind: str, problem: str, steps: Sequence[str]) -> float:
        ids, places = conversation(opened.format, problem, steps)
        hidden = kinds[kind].model(torch.tensor([ids], device=device), use_cache=False).last_hidden_state[0]
        return float(LabelHead(kinds[kind].score)(hidden[places[-1]], torch.zeros(1))[0])

    results = []
    for case, scored in cases.items():
        right, plain = ([score(kind, problem, steps) for problem, steps, _ in scored] for kind in ("float64", dtype))
        ours = [found for *_, found in scored]
        results.append(_compared(f"{name}: {case}", "score", dtype, right, ours, plain))
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


def _plain(kind: Any, folder: Path, dtype: str, device: str) -> Any:
    opened = kind.from_pretrained(
        folder, dtype=getattr(torch, dtype), local_files_only=True, attn_implementation="eager"
    )
    return opened.to(device).eval()


def _compared(name: str, what: str, dtype: str, right: list[float], ours: list[float], plain: list[float]) -> Result:
    """Mean differences from `right`; `apart` is how far the right values of different texts are from each other."""
    off, rounding, apart = _distance(ours, right), _distance(plain, right), _distance(right[1:], right[:-1])
    allowed = max(NOTHING[dtype], MULTIPLE * rounding)
    said = f"{what} off by {off:.1e}, a plain forward's by {rounding:.1e}; {len(right)} texts, {apart:.1e} apart"
    numbers = {"ours": off, "plain": rounding, "allowed": allowed, "apart": apart}
    return Result("exact", name, said, numbers, off <= allowed)  # no comparison with NaN is true


def _distance(some: list[float], others: list[float]) -> float:
    return fmean(abs(one - other) for one, other in zip(some, others, strict=True))
