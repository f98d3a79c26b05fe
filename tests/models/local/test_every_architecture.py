"""Every causal architecture that transformers can build tiny is either right here or refused in one line.

Takes minutes, hence `make architectures` and not `make test`; the ones that went wrong once are in test_self_check.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.tiny_architectures import KINDS, build
from transformers import AutoModelForCausalLM

from engine.errors import ModelError
from engine.models.policies.local import LocalPolicy
from engine.search.cost import PolicyCost
from engine.search.policy import Draw, Sampling, TokenBudget

PROBLEM = "What is 18 * 13?"

#: Families that people use; none may get lost.
SUPPORTED = {"gemma", "glm", "granite", "llama", "mistral", "olmo2", "phi3", "qwen2", "qwen3"}
REFUSED = {"bloom", "gpt_neo", "mamba", "recurrent_gemma", "rwkv"}


async def difference(policy: LocalPolicy, folder: Path) -> float:
    """Between the log-probability a greedy step was sampled with, and the library's for the same tokens."""
    session = policy.session(PROBLEM)
    sampling = Sampling(0.0, max_step_tokens=12)
    (step,) = await session.extend([Draw((), 1)], sampling, TokenBudget(), PolicyCost())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = [*policy.prompt_ids(PROBLEM), *(step.token_ids or ())]
    with torch.inference_mode():
        logits = policy.decoder.vocabulary.known(model(torch.tensor([ids]), use_cache=False).logits[0])
    given = torch.log_softmax(logits[:-1], -1).gather(-1, torch.tensor(ids)[1:, None])[-step.tokens :]
    assert step.logprob is not None
    return abs(step.logprob - float(given.sum()))


@pytest.mark.architectures
async def test_every_architecture_is_right_or_refused(tmp_path: Path) -> None:
    verdicts: dict[str, dict[str, str]] = {"supported": {}, "refused": {}, "cannot be built": {}}
    for kind in KINDS:
        if reason := build(kind, tmp_path / kind):
            verdicts["cannot be built"][kind] = reason
            continue
        try:
            policy = LocalPolicy(kind, tmp_path / kind)
        except ModelError as refusal:
            assert "\n" not in str(refusal)
            verdicts["refused"][kind] = str(refusal).removeprefix(f"{tmp_path / kind}: ")
            continue
        try:
            verdicts["supported"][kind] = f"{await difference(policy, tmp_path / kind):.1g}"
        finally:
            policy.close()
    for verdict, kinds in verdicts.items():
        print(f"\n{verdict}: {len(kinds)} of {len(KINDS)}")
        for kind, reason in kinds.items():
            print(f"  {kind}: {reason}")
    assert all(float(value) < 1e-3 for value in verdicts["supported"].values())
    assert set(verdicts["supported"]) >= SUPPORTED and set(verdicts["refused"]) >= REFUSED
