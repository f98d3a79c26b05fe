"""Skywork-o1-Open-PRM (Qwen2.5 1.5B and 7B): a value head read at the line break that closes every step.

Format (github.com/SkyworkAI/skywork-o1-prm-inference): the problem and a line break behind the beginning-of-text token
where the tokenizer names one, then each step and the line-break token, tokenised apart; the score is the sigmoid of
`v_head` at that token. To this model every line break ends a step, so one inside a step becomes a blank, as in the
code of arXiv 2502.06703.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, Qwen2Config, Qwen2Model, Qwen2PreTrainedModel

from engine.local.checkpoint import describe, open_checkpoint
from engine.scorers.formats import TemplateFormat
from engine.scorers.local import LocalScorer
from engine.scorers.options import ScorerOptions
from engine.scorers.tokens import Tokens


class _ValueHead(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.summary = nn.Linear(width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        value: Tensor = self.summary(hidden)
        return value[..., 0]


class Qwen2ForPrmModel(Qwen2PreTrainedModel):
    """The published layout: a Qwen2 backbone and `v_head.summary`, a Linear to one number."""

    _keys_to_ignore_on_load_unexpected = [r"lm_head\..*"]

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.v_head = _ValueHead(config.hidden_size)
        self.post_init()  # type: ignore[no-untyped-call]


class ValueHead:
    """The sigmoid of the value."""

    running = False

    def __init__(self, value: nn.Module) -> None:
        self._value = value

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return torch.sigmoid(self._value(hidden).float())


def read(tokenizer: PreTrainedTokenizerBase) -> TemplateFormat:
    """How this family reads."""
    step = ("{step}", "\n")
    prompt = f"{tokenizer.bos_token or ''}{{problem}}\n"
    return TemplateFormat(Tokens(tokenizer), prompt, step, step, clean=_one_line, seamless=False)


def _one_line(step: str) -> str:
    return step.strip().replace("\n", " ")


def load(name: str, folder: Path, options: ScorerOptions) -> LocalScorer:
    model, tokenizer = open_checkpoint(folder, Qwen2ForPrmModel)
    form = read(tokenizer)
    return LocalScorer(describe(name, folder, model, form.template), model.model, form, ValueHead(model.v_head))
