"""Decoded tokens per second against what the memory allows: every pass reads all weights once."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

import torch

from benchmarks.gpu_check.results import Result
from benchmarks.plain_search import PROBLEM
from engine.models.local.packed import parameters
from engine.models.policies.local import LocalPolicy
from engine.search.cost import PolicyCost
from engine.search.policy import Draw, Sampling, TokenBudget

REPEATS = 3


def copy_bandwidth(device: str, size: int) -> float:
    """Bytes per second that a copy within the device's memory reads and writes, of `size` bytes."""
    source = torch.randint(0, 255, (size,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    times = []
    for _ in range(8):
        start = _now(device)
        target.copy_(source)
        times.append(_now(device) - start)
    return 2 * size / statistics.median(times[3:])


def decoding(policy: LocalPolicy, rows: Sequence[int], tokens: int, bandwidth: float) -> list[Result]:
    """For each number of rows; the prompt is in the prefix cache already, as it is in a search."""
    read = weights_read(policy)
    results = []
    for count in rows:
        asyncio.run(_seconds(policy, count, min(8, tokens)))
        runs = [asyncio.run(_seconds(policy, count, tokens)) for _ in range(REPEATS)]
        rate = statistics.median(generated / seconds for seconds, generated in runs)
        limit = count * bandwidth / read
        said = f"{rate:,.0f} tokens/s, {1000 * count / rate:.1f} ms per pass, {rate / limit:.0%} of the limit"
        numbers = {"tokens_per_s": rate, "limit_tokens_per_s": limit, "weight_bytes": float(read), "rows": count}
        if policy.info.device != "cpu":
            numbers["peak_memory_bytes"] = float(torch.cuda.max_memory_allocated())
        name = f"{policy.info.name}, {policy.info.dtype}, {count} rows"
        results.append(Result("decode", name, said, numbers))
    return results


def weights_read(policy: LocalPolicy) -> int:
    """Bytes of the weights that a pass reads: all but an input embedding that is not the output layer, too."""
    head, embedded = policy.model.get_output_embeddings(), policy.model.get_input_embeddings().weight
    every = parameters(policy.model) * int(embedded.element_size())
    return every if getattr(head, "weight", None) is embedded else every - int(embedded.nbytes)


async def _seconds(policy: LocalPolicy, rows: int, tokens: int) -> tuple[float, int]:
    """Seconds for up to `tokens` tokens of each of `rows` draws, and the tokens drawn."""
    session, cost = policy.session(PROBLEM), PolicyCost()
    await session.extend([Draw((), 0)], Sampling(max_step_tokens=1), TokenBudget(), PolicyCost())
    draws = [Draw((), seed) for seed in range(rows)]
    start = _now(policy.info.device)
    await session.extend(draws, Sampling(max_step_tokens=tokens), TokenBudget(), cost)
    seconds = _now(policy.info.device) - start
    session.close()
    return seconds, cost.generated_tokens


def _now(device: str) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()
