"""The local back end's decoding against `transformers.generate`, on the same batch.

Sixteen draws of one prompt, up to 64 tokens each, at temperature 0.8. Both sides end a draw at EOS only, so that steps
play no part, and both are charged for computing the prompt. Time is CPU time of the process per generated token (both
sides use one thread; other load on the machine disturbs wall time more); rounds alternate, and medians count.
"""

from __future__ import annotations

import asyncio
import statistics
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.report import Figure
from engine.assets import assets
from engine.domains.builtin.problems import examples
from engine.models.policies.local import LocalPolicy
from engine.search.cost import PolicyCost
from engine.search.policy import Draw, Sampling, TokenBudget

TITLE = "tokens per CPU second, local back end against transformers.generate"
MODEL = "builtin-xs"
DRAWS, TOKENS, TEMPERATURE = 16, 64, 0.8
ROUNDS = 30


def measure() -> list[Figure]:
    folder = assets() / "models" / MODEL
    policy = LocalPolicy(MODEL, folder, delimiter="\0")  # never written: a draw ends at EOS or at its limit
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    problems = [problem.text for problem in examples()]
    try:
        rates: dict[str, list[float]] = {"ours": [], "generate": []}
        for number in range(-2, ROUNDS):  # two rounds to warm up
            problem = problems[number % len(problems)]
            for name in ("ours", "generate") if number % 2 else ("generate", "ours"):
                if name == "ours":
                    rate = _ours(policy, problem, number)
                else:
                    rate = _generate(model, tokenizer, policy.prompt_ids(problem), number)
                if number >= 0:
                    rates[name].append(rate)
    finally:
        policy.close()
    ratios = [ours / theirs for ours, theirs in zip(rates["ours"], rates["generate"], strict=True)]
    return [
        Figure(f"local back end, {MODEL}, {DRAWS} draws", f"{statistics.median(rates['ours']):,.0f} tokens/s"),
        Figure("transformers.generate, same batch", f"{statistics.median(rates['generate']):,.0f} tokens/s"),
        Figure("ratio, median of rounds", f"{statistics.median(ratios):.2f}", ">= 1.3"),
    ]


def _ours(policy: LocalPolicy, problem: str, seed: int) -> float:
    """Tokens per CPU second."""
    cost = PolicyCost()
    draws = [Draw((), (seed + 2) * 1000 + draw) for draw in range(DRAWS)]

    async def extend() -> None:
        session = policy.session(problem)
        await session.extend(draws, Sampling(TEMPERATURE, max_step_tokens=TOKENS), TokenBudget(), cost)
        session.close()

    start = time.process_time()
    asyncio.run(extend())
    return cost.generated_tokens / (time.process_time() - start)


@torch.inference_mode()
def _generate(model: torch.nn.Module, tokenizer: object, prompt: list[int], seed: int) -> float:
    """Tokens per CPU second; padding after a draw's EOS is not counted."""
    torch.manual_seed(seed + 2)
    start = time.process_time()
    output = model.generate(  # type: ignore[operator]
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=True,
        temperature=TEMPERATURE, top_k=0, top_p=1.0, num_return_sequences=DRAWS, max_new_tokens=TOKENS,
    )  # fmt: skip
    seconds = time.process_time() - start
    generated = output[:, len(prompt) :]
    ended = (generated == tokenizer.eos_token_id).long().cumsum(1)  # type: ignore[attr-defined]
    return int((ended - (generated == tokenizer.eos_token_id).long() == 0).sum()) / seconds  # type: ignore[attr-defined]
