"""Math-Shepherd (peiyi9979/math-shepherd-mistral-7b-prm): a Mistral that says "+" or "-" at the tag after a step.

Format: the problem, a blank, then each step followed by " ки", a line break between steps, no chat template; the
score is P("+") of the two tokens "+" and "-" at the tag. The ids are looked up in the tokenizer.
"""

from __future__ import annotations

from pathlib import Path

from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.formats import TemplateFormat
from engine.models.scorers.heads import TwoTokenHead, verdict_tokens
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.served import ServedScorer, TwoTokens
from engine.models.servers.settings import ServerSettings

TAG = " ки"
GOOD, BAD = " +", " -"


def read(tokenizer: PreTrainedTokenizerBase) -> TemplateFormat:
    """How this family reads."""
    return TemplateFormat(
        Tokens(tokenizer), "{problem}", (" {step}", TAG), ("\n{step}", TAG), tag=TAG, bos=True
    )  # fmt: skip


def load(name: str, folder: Path, options: ScorerOptions) -> LocalScorer:
    model, tokenizer = open_checkpoint(folder, AutoModelForCausalLM)
    form = read(tokenizer)
    head = TwoTokenHead(model, *verdict_tokens(Tokens(tokenizer), GOOD, BAD))
    return LocalScorer(describe(name, folder, model, form.template), model.base_model, form, head)


def serve(
    name: str, settings: ServerSettings, tokenizer: PreTrainedTokenizerBase, options: ScorerOptions
) -> ServedScorer:
    return ServedScorer(name, settings, read(tokenizer), TwoTokens(*verdict_tokens(Tokens(tokenizer), GOOD, BAD)))
