"""Token classifiers, as TRL's PRMTrainer makes them (SHARP, PURE, trl-lib): labels read at the separator after a step.

Format (trl/trainer/prm_trainer.py): the problem, after the beginning-of-text token if the tokenizer has one, then each
step and the separator; each of these parts is tokenised apart, and the label stands at the separator's last token. The
score is the softmax probability of label 1 there. PURE reads p1 - p0 instead (`signed`), here brought from -1..1 to
0..1 by (1 + p1 - p0) / 2; with two labels that is p1 again.

A separator within a step is left as it is, since the trainer leaves it, too; no score is read there. A special token
as the separator never occurs in a step, which spells it out instead.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.local.checkpoint import called, describe, open_checkpoint
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.formats import Segment, fingerprint
from engine.models.scorers.heads import LabelHead
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions


class TokenClassifierFormat:
    """Problem, then step and separator in turn, each as if it stood alone."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, separator: str = "\n", *, signed: bool = False) -> None:
        self._tokens = Tokens(tokenizer)
        self._bos = [] if tokenizer.bos_token_id is None else [int(tokenizer.bos_token_id)]
        self._separator = self._tokens.fill(separator, "start")[0]
        self.template = fingerprint("token_classifier", separator, *(["signed"] if signed else []))

    def prompt(self, problem: str) -> list[int]:
        return self._bos + self._tokens.text(problem.strip(), "start")

    def segment(self, step: str, before: str | None) -> Segment:
        ids = (*self._tokens.text(step.strip(), "start"), *self._separator)
        return Segment(ids, (len(ids) - 1,))


def load(name: str, folder: Path, options: ScorerOptions) -> LocalScorer:
    model, tokenizer = open_checkpoint(folder, AutoModelForTokenClassification)
    score = next((layer for place in ("score", "classifier") if (layer := getattr(model, place, None))), None)
    if not isinstance(score, nn.Module) or model.config.num_labels < 2:
        raise ModelError(f"{called(folder)}: a token classifier that judges steps needs two labels, 0 bad and 1 good")
    form = TokenClassifierFormat(tokenizer, options.separator, signed=options.signed)
    head = LabelHead(score, signed=options.signed)
    return LocalScorer(describe(name, folder, model, form.template), model.base_model, form, head)
