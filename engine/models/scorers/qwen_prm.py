"""Qwen2.5-Math-PRM (7B, 72B, and 7B-PRM800K): a two-label head read at the `<extra_0>` that closes every step.

ReasonFlux-PRM reads the same way, without a system prompt.

Format (huggingface.co/Qwen/Qwen2.5-Math-PRM-7B): the chat template with the problem as the user's turn, then each step
and `<extra_0>` in the assistant's; the score is the softmax probability of label 1 at that token.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn
from transformers import PreTrainedTokenizerBase, Qwen2Config, Qwen2Model, Qwen2PreTrainedModel

from engine.errors import ModelError
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.prompts.chat_template import chat
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.formats import TemplateFormat
from engine.models.scorers.heads import LabelHead
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.served import ServedScorer, StepPooling
from engine.models.servers.settings import ServerSettings

STEP_TOKEN = "<extra_0>"


class Qwen2ForProcessRewardModel(Qwen2PreTrainedModel):
    """The published layout: a Qwen2 backbone and `score` = Linear, ReLU, Linear to two labels."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.score = nn.Sequential(
            nn.Linear(config.hidden_size, config.hidden_size), nn.ReLU(), nn.Linear(config.hidden_size, 2)
        )
        self.post_init()  # type: ignore[no-untyped-call]


def read(tokenizer: PreTrainedTokenizerBase, system: str = "") -> TemplateFormat:
    """How this family reads. `system` is the system prompt it was trained with, if its template has none."""
    tokens = Tokens(tokenizer)
    if tokens.single(STEP_TOKEN) is None:
        raise ModelError(f"{tokenizer.name_or_path}: no {STEP_TOKEN} in the tokenizer; not a PRM of this family")
    prompt = chat(tokenizer, [("system", system), ("user", "{problem}")], answer=True)
    step = ("{step}", STEP_TOKEN)
    return TemplateFormat(tokens, prompt, step, step, tag=STEP_TOKEN)


def load(name: str, folder: Path, options: ScorerOptions) -> LocalScorer:
    model, tokenizer = open_checkpoint(folder, Qwen2ForProcessRewardModel)
    form = read(tokenizer, options.system)
    return LocalScorer(describe(name, folder, model, form.template), model.model, form, LabelHead(model.score))


def serve(
    name: str, settings: ServerSettings, tokenizer: PreTrainedTokenizerBase, options: ScorerOptions
) -> ServedScorer:
    return ServedScorer(name, settings, read(tokenizer, options.system), StepPooling())
