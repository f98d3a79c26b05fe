"""The built-in PRMs: a policy's frozen trunk, new layers that compare what it expected with what was written, a head.

A causal model knows at one token what should come next; judging the next token needs a layer above that. So two new
layers are put on the best policy; the first starts out by copying each token's predecessor ("previous-token heads"),
which makes training short. The layout written to disk is that of Qwen2.5-Math-PRM.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM, Qwen2Model

from engine.training.checkpoints import model_config, write_folder
from engine.training.judged import JudgedRow
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
from engine.training.tokenizer import BLANK_LINE, STEP, token_id

LOCAL_WEIGHT = 8.0
"""Weight of the one wrong token relative to each right one."""


Labels = Literal["checker", "rollouts", "prefer_short"]


@dataclass(frozen=True)
class PrmPlan:
    """How a PRM is trained: on which trunk, on how many samples of each policy, for how many tokens per cycle.

    `labels` says who judges the samples: the exact checker, Monte-Carlo rollouts, or the checker with a wrong lesson
    mixed in. `policies` are those whose samples it reads; empty: all. `slips` is how many it also reads in each
    cycle: many at first, to learn what a mistake is; none at the end, since policies make other mistakes.
    """

    name: str
    trunk: str
    cycles: tuple[int, ...]
    samples: int
    note: str
    slips: tuple[int, ...] = ()
    labels: Labels = "checker"
    policies: tuple[str, ...] = ()
    new_layers: int = 2
    learning_rate: float = 4e-3
    batch_tokens: int = 6144
    seed: int = 0

    @property
    def tokens(self) -> int:
        return sum(self.cycles)

    def cycle(self, seen: int) -> tuple[int, int]:
        """The cycle that a run is in after `seen` tokens (fewer than all), and the token count at which it ends."""
        return next((number, end) for number, end in enumerate(accumulate(self.cycles)) if seen < end)

    def rows(self, cycle: int, samples: Sequence[JudgedRow], slips: Sequence[JudgedRow]) -> Sequence[JudgedRow]:
        """What one pass in this cycle goes over."""
        return [*samples, *slips[: self.slips[cycle]]] if self.slips else samples


PRMS = {
    plan.name: plan
    for plan in (
        PrmPlan(
            name="builtin-prm",
            trunk="builtin-trunk",
            cycles=(24_000_000, 30_000_000, 16_000_000),
            samples=84_000,
            slips=(200_000, 60_000, 0),
            batch_tokens=12_288,
            note="The good one: trained on the exact checker's verdict on every step, on top of M trained for 28M "
            "further tokens.",
        ),
        PrmPlan(
            name="builtin-prm-rollouts",
            trunk="builtin-m",
            cycles=(3_000_000,),
            samples=2_500,
            labels="rollouts",
            policies=("builtin-xs", "builtin-s"),
            note="Trained without a checker, the Math-Shepherd way: a step is good if a rollout from it ends right.",
        ),
        PrmPlan(
            name="builtin-prm-weak",
            trunk="builtin-s",
            cycles=(2_500_000,),
            samples=2_000,
            note="A weak one, for lessons: trained on few samples, so search can exploit its mistakes.",
        ),
        PrmPlan(
            name="builtin-prm-short",
            trunk="builtin-s",
            cycles=(3_000_000,),
            samples=5_000,
            labels="prefer_short",
            note="A biased one, for lessons: it learned that long solutions tend to be wrong.",
        ),
    )
}


class StepJudge(nn.Module):
    """`model` is the trunk with its new layers, `score` the two-label head; `local` is used in training only."""

    def __init__(self, model: Qwen2Model, frozen: int) -> None:
        super().__init__()
        width = model.config.hidden_size
        self.model = model
        self.frozen = frozen
        self.score = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))
        self.local = nn.Linear(width, 2)

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states for the head, and those above the first new layer."""
        with torch.no_grad():
            hidden = self.model.embed_tokens(ids)
            rotary = self.model.rotary_emb(hidden, torch.arange(ids.shape[1], device=ids.device)[None])
            for layer in self.model.layers[: self.frozen]:
                hidden = layer(hidden, attention_mask=None, position_embeddings=rotary)
        above = hidden
        for i, layer in enumerate(self.model.layers[self.frozen :]):
            hidden = layer(hidden, attention_mask=None, position_embeddings=rotary)
            above = hidden if i == 0 else above
        return self.model.norm(hidden), above

    def step_scores(self, ids: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
        """The chance, at each mark, that the step and everything before it is right."""
        hidden, _ = self(ids)
        scores: torch.Tensor = self.score(hidden[marks].float()).softmax(-1)[:, 1]
        return scores


def read_marks_as_blank_lines(policy: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase) -> None:
    """Give the mark the embedding of the blank line it replaces.

    No policy ever saw a mark; without this, right tokens after one surprise a trunk several times as often.
    """
    embedding = policy.get_input_embeddings().weight
    assert isinstance(embedding, torch.Tensor)
    with torch.no_grad():
        embedding[token_id(tokenizer, STEP)] = embedding[token_id(tokenizer, BLANK_LINE)]


def new_judge(policy: Qwen2ForCausalLM, plan: PrmPlan) -> StepJudge:
    """The policy's trunk, frozen, with new layers above it."""
    torch.manual_seed(plan.seed)
    frozen = policy.config.num_hidden_layers
    config = copy.deepcopy(policy.config)
    config.num_hidden_layers = frozen + plan.new_layers
    config.layer_types = ["full_attention"] * config.num_hidden_layers
    config._attn_implementation = LEAN
    model = Qwen2Model(config)
    model.load_state_dict(policy.model.state_dict(), strict=False)
    rotary = model.rotary_emb.inv_freq
    assert isinstance(rotary, torch.Tensor)
    judge = StepJudge(model, frozen)
    with torch.no_grad():
        for name, parameter in judge.model.named_parameters():
            layer = int(name.split(".")[1]) if name.startswith("layers.") else frozen if name == "norm.weight" else -1
            parameter.requires_grad = layer >= frozen
            if layer >= frozen and name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.zeros_(parameter)
        start_as_previous_token_heads(dict(model.named_parameters()), f"layers.{frozen}.self_attn", rotary)
    return judge.to(device())


def start_as_previous_token_heads(
    named: dict[str, nn.Parameter], attention: str, frequencies: torch.Tensor, sharpness: float = 12.0
) -> None:
    """Biases of queries and keys that rotary positions turn into "attend to the token before"."""
    part = {name.removeprefix(f"{attention}."): p for name, p in named.items() if name.startswith(attention)}
    heads = part["q_proj.bias"].numel() // (2 * frequencies.numel())
    ahead = torch.cat([torch.ones_like(frequencies), torch.zeros_like(frequencies)])
    turned = torch.cat([torch.cos(-frequencies), torch.sin(-frequencies)])
    part["q_proj.weight"].mul_(0.1)
    part["k_proj.weight"].mul_(0.1)
    part["k_proj.bias"].copy_(sharpness * ahead.repeat(heads))
    part["q_proj.bias"].copy_(sharpness * turned.repeat(heads))
    nn.init.eye_(part["v_proj.weight"])
    nn.init.orthogonal_(part["o_proj.weight"], gain=0.5)


def prm_loss(judge: StepJudge, rows: Sequence[JudgedRow]) -> torch.Tensor:
    """Step labels at the marks, plus the local question at every token up to the first error."""
    ids = pad([row.ids for row in rows], 0)
    on_marks = pad([row.step_labels for row in rows], NO_LABEL)
    on_tokens = pad([row.token_labels for row in rows], NO_LABEL)
    with autocast():
        hidden, above = judge(ids)
        marked, local = on_marks != NO_LABEL, on_tokens != NO_LABEL
        steps = judge.score(hidden[marked])
        tokens = judge.local(above[local])
    weights = torch.tensor([1.0, LOCAL_WEIGHT], device=ids.device)
    local_loss = cross_entropy(tokens.float(), on_tokens[local], weight=weights)
    return cross_entropy(steps.float(), on_marks[marked]) + local_loss


def train_prm(
    plan: PrmPlan,
    policy: Qwen2ForCausalLM,
    samples: Sequence[JudgedRow],
    work: Path,
    report: Callable[[int, float], None],
    slips: Sequence[JudgedRow] = (),
) -> StepJudge:
    """Train to the plan's token budget on `samples` and `slips`, repeated as often as it takes.

    Resumes after the last full pass.
    """
    judge = new_judge(policy, plan)
    judge.train()
    fuse(judge, plan.tokens)
    optimizers = Optimizers(judge.named_parameters(), plan.learning_rate)
    seen, epoch = 0, 0
    saved = work / f"{plan.name}.pt"
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        judge.load_state_dict(state["judge"])
        optimizers.restore(state["optimizers"])
        seen, epoch = state["seen"], state["epoch"]
    while seen < plan.tokens:
        cycle, end = plan.cycle(seen)
        rows = plan.rows(cycle, samples, slips)
        lengths: list[Row] = [(row.ids, []) for row in rows]
        for batch in batches(lengths, plan.batch_tokens, seed=1000 * plan.seed + epoch):
            loss = prm_loss(judge, [rows[i] for i in part_of(batch)])
            torch.autograd.backward(loss)
            optimizers.step(curve(seen, plan.cycles))
            seen += sum(len(rows[i].ids) for i in batch)
            report(seen, loss.item())
            if seen >= end:
                break
        epoch += 1
        state = {"judge": judge.state_dict(), "optimizers": optimizers.state(), "seen": seen, "epoch": epoch}
        if leads():
            save_state(saved, state)
    judge.train(False)
    return judge


@torch.inference_mode()
def score_rows(judge: StepJudge, rows: Sequence[JudgedRow], batch_tokens: int = 16384) -> list[list[float]]:
    """Step scores for every row, in the rows' order; fp32."""
    scores: list[list[float]] = [[] for _ in rows]
    for batch in batches([(row.ids, []) for row in rows], batch_tokens, seed=0):
        ids = pad([rows[i].ids for i in batch], 0)
        marks = pad([rows[i].step_labels for i in batch], NO_LABEL) != NO_LABEL
        flat = iter(judge.step_scores(ids, marks).tolist())
        for i in batch:
            scores[i] = [next(flat) for label in rows[i].step_labels if label != NO_LABEL]
    return scores


def write_prm(folder: Path, judge: StepJudge, tokenizer: PreTrainedTokenizerBase, card: str) -> None:
    """The backbone as `model.*`, the head as `score.0` and `score.2`."""
    weights = {f"model.{name}": tensor for name, tensor in judge.model.state_dict().items()}
    weights |= {f"score.{name}": tensor for name, tensor in judge.score.state_dict().items()}
    config: dict[str, Any] = model_config(judge.model.config, "Qwen2ForProcessRewardModel") | {"num_labels": 2}
    write_folder(folder, config, weights, tokenizer, card)
