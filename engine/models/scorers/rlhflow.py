"""RLHFlow/Llama3.1-8B-PRM-Mistral-Data and -Deepseek-Data: a chat in which every step is answered with "+" or "-".

Format (github.com/RLHFlow/RLHF-Reward-Modeling, math-rm): the first user turn is the problem, a blank and the first
step, each later one the next step; every assistant turn says "+". The score is P("+") of the tokens "+" and "-" at the
position before the answer, so the "+" itself is only read with the next step. Both checkpoints read the same
way; they were trained on steps of different length.
"""

from __future__ import annotations

import re
from pathlib import Path

from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.prompts.chat_template import chat
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.formats import TemplateFormat
from engine.models.scorers.heads import TwoTokenHead, verdict_tokens
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.served import ServedScorer, TwoTokens
from engine.models.servers.settings import ServerSettings

GOOD, BAD = "+", "-"
_FIELDS = re.compile(r"(\{problem\}|\{step\}|\{verdict\})")


def read(tokenizer: PreTrainedTokenizerBase) -> TemplateFormat:
    """How this family reads, taken from the checkpoint's chat template."""
    turns = [("user", "{problem} {step}"), ("assistant", "{verdict}"), ("user", "{step}"), ("assistant", "{verdict}")]
    parts = _FIELDS.split(chat(tokenizer, turns, answer=False))
    if parts[1::2] != ["{problem}", "{step}", "{verdict}", "{step}", "{verdict}"] or parts[4] != parts[8]:
        raise ModelError(f"{tokenizer.name_or_path}: its chat template does not write turns as this family reads them")
    opening, _, blank, _, answer, _, between, *_ = parts
    return TemplateFormat(
        Tokens(tokenizer),
        opening + "{problem}",
        (blank + "{step}" + answer,),
        (GOOD + between + "{step}" + answer,),
    )


def load(name: str, folder: Path, options: ScorerOptions) -> LocalScorer:
    model, tokenizer = open_checkpoint(folder, AutoModelForCausalLM)
    form = read(tokenizer)
    head = TwoTokenHead(model, *verdict_tokens(Tokens(tokenizer), GOOD, BAD))
    return LocalScorer(describe(name, folder, model, form.template), model.base_model, form, head)


def serve(
    name: str, settings: ServerSettings, tokenizer: PreTrainedTokenizerBase, options: ScorerOptions
) -> ServedScorer:
    return ServedScorer(name, settings, read(tokenizer), TwoTokens(*verdict_tokens(Tokens(tokenizer), GOOD, BAD)))
