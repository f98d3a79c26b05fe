"""The built-in policies: their sizes, and the loop that trains one from random weights.

A plain language model on worked solutions (loss on the solution only), fp32 weights under bf16 autocast, for a fixed
number of tokens. The problems are drawn while training; the loop resumes from its last shard. It does not know how good
the policy is: see evaluate.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerBase, Qwen2Config, Qwen2ForCausalLM

from engine.domains.builtin.problems import FAMILIES, Problem, stream
from engine.training.lean_attention import NAME as LEAN
from engine.training.loop import (
    NO_LABEL,
    Optimizers,
    Row,
    autocast,
    batches,
    curve,
    device,
    fuse,
    leads,
    pad,
    part_of,
    save_state,
)
from engine.training.tokenizer import CONTEXT, END, PAD, VOCABULARY, prompt_text

ANY_ORDER = 0.2
"""Share of the worked solutions whose steps come in a random valid order, which is often the usual one."""


@dataclass(frozen=True)
class PolicyPlan:
    """A policy's shape and how it is trained; `cycles` are the tokens of each cycle of the learning rate.

    With `goes_on_from` it starts where the training of that plan, whose cycles it repeats, has ended. `again` names
    families that it reads twice as often.
    """

    name: str
    hidden: int
    layers: int
    feed_forward: int
    cycles: tuple[int, ...]
    learning_rate: float
    batch_tokens: int = 4096
    shard: int = 4096
    seed: int = 0
    goes_on_from: str = ""
    again: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        return sum(self.cycles)


POLICIES = {
    plan.name: plan
    for plan in (
        PolicyPlan("builtin-xs", 64, 3, 160, (21_000_000,), 6e-3),
        PolicyPlan("builtin-s", 96, 4, 256, (12_000_000, 8_000_000), 5e-3),
        PolicyPlan("builtin-m", 128, 5, 384, (16_000_000,), 4e-3),
        PolicyPlan("builtin-l", 192, 5, 512, (18_000_000,), 3e-3, batch_tokens=6144),
    )
}

HARD = ("expr", "frac", "system", "series", "gcd", "modpow")
TRUNK = PolicyPlan(
    "builtin-trunk", 128, 5, 384, (16_000_000, 28_000_000), 4e-3, batch_tokens=12_288,
    goes_on_from="builtin-m", again=HARD,
)  # fmt: skip
"""Not for users: M trained further, so that the PRM on top of it knows more than the policies it judges."""


def new_model(plan: PolicyPlan) -> Qwen2ForCausalLM:
    """Freshly initialised."""
    config = Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=plan.hidden, intermediate_size=plan.feed_forward,
        num_hidden_layers=plan.layers, num_attention_heads=plan.hidden // 32, num_key_value_heads=plan.hidden // 32,
        max_position_embeddings=CONTEXT, tie_word_embeddings=True, use_cache=True,
        bos_token_id=None, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(plan.seed)
    model: Qwen2ForCausalLM = Qwen2ForCausalLM._from_config(config, attn_implementation=LEAN)
    model.to(device())  # type: ignore[arg-type]
    return model


def encode(tokenizer: PreTrainedTokenizerBase, problems: list[Problem]) -> list[Row]:
    """Token ids of the whole conversation; the labels are the solution's ids, the prompt has none."""
    prompts = tokenizer([prompt_text(p.text) for p in problems])["input_ids"]
    solutions = tokenizer([p.solution + END for p in problems])["input_ids"]
    return [(p + s, [NO_LABEL] * len(p) + s) for p, s in zip(prompts, solutions, strict=True)]


def solution_loss(model: Qwen2ForCausalLM, rows: list[Row]) -> torch.Tensor:
    """Mean loss per solution token; logits are computed only where there is something to predict."""
    ids, labels = pad([row[0] for row in rows], 0), pad([row[1] for row in rows], NO_LABEL)
    with autocast():
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
        wanted = labels[:, 1:] != NO_LABEL
        logits = model.lm_head(hidden[:, :-1][wanted])
    return cross_entropy(logits.float(), labels[:, 1:][wanted])


def shard_rows(plan: PolicyPlan, tokenizer: PreTrainedTokenizerBase, shard: int) -> list[Row]:
    families = (*FAMILIES, *plan.again)
    problems = stream(f"policy {plan.seed}", "policy", ANY_ORDER, shard * plan.shard, families)
    return encode(tokenizer, list(islice(problems, plan.shard)))


def train_policy(
    plan: PolicyPlan, tokenizer: PreTrainedTokenizerBase, work: Path, report: Callable[[int, float], None],
) -> Qwen2ForCausalLM:  # fmt: skip
    """Train to the plan's token budget, resuming from the last shard saved in `work`. `report(tokens, loss)`."""
    assert tokenizer.convert_tokens_to_ids(END) == 2 and tokenizer.convert_tokens_to_ids(PAD) == 0
    model = new_model(plan)
    model.train()
    fuse(model.model, plan.tokens)
    optimizers = Optimizers(model.named_parameters(), plan.learning_rate)
    seen, shard = 0, 0
    saved = work / f"{plan.name}.pt"
    started = saved if saved.exists() else work / f"{plan.goes_on_from}.pt"
    if plan.goes_on_from and not started.exists():
        raise FileNotFoundError(f"{started}: {plan.name} goes on from it; train {plan.goes_on_from} first")
    if started.exists():
        state = torch.load(started, weights_only=True)
        model.load_state_dict(state["model"])
        optimizers.restore(state["optimizers"])
        seen, shard = state["seen"], state["shard"]
    while seen < plan.tokens:
        rows = shard_rows(plan, tokenizer, shard)
        for batch in batches(rows, plan.batch_tokens, seed=shard):
            loss = solution_loss(model, [rows[i] for i in part_of(batch)])
            torch.autograd.backward(loss)
            optimizers.step(curve(seen, plan.cycles))
            seen += sum(len(rows[i][0]) for i in batch)
            report(seen, loss.item())
            if seen >= plan.tokens:
                break
        shard += 1
        state = {"model": model.state_dict(), "optimizers": optimizers.state(), "seen": seen, "shard": shard}
        if leads():
            save_state(saved, state)
    model.train(False)
    return model
