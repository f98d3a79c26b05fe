"""The likelihood judge: how sure a (larger) policy is of what was written.

The score of a step is the smallest probability, at temperature 1, that the judge gives to any token of the solution so
far; the blank line or end of text after the step is left out.
The judge reads steps in its own tokens, joined by blank lines as it would write them itself: a token that ends a
sentence and the step in one counts, a blank line on its own counts for the step after it.

With `contrast` the score is another: see `engine.models.scorers.contrast`.
"""

from __future__ import annotations

from pathlib import Path

from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.prompts.chat_template import chat
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.contrast import ContrastScorer
from engine.models.scorers.formats import Segment, fingerprint
from engine.models.scorers.heads import LikelihoodHead, LogProbabilityHead
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.search.policy import DELIMITER
from engine.search.scorer import Scorer


class LikelihoodFormat:
    """The problem in the judge's chat template, then the steps as the assistant's turn.

    The probability of a token is read at the token before it. So each segment begins with the last token of what came
    before and stops before its own last token, which belongs to the next step.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, system: str = "") -> None:
        self._tokens = Tokens(tokenizer)
        self._template = chat(tokenizer, [("system", system), ("user", "{problem}")], answer=True)
        self.template = fingerprint("likelihood", self._template)
        ids, self._place = self._tokens.fill(self._template, "start", {"problem": "1"})
        self._last = ids[-1]

    def prompt(self, problem: str) -> list[int]:
        ids, _ = self._tokens.fill(self._template, "start", {"problem": problem.strip()})
        if ids[-1] != self._last:
            raise ModelError("the judge's chat template does not open the assistant's turn")
        return ids[:-1]

    def segment(self, step: str, before: str | None) -> Segment:
        own, _ = self._read(step, first=before is None)
        if before is None:
            return _segment(self._last, own)
        previous, blank = self._read(before)
        return _segment(previous[-1][0], [*((token, 0) for token in blank), *own])

    def _read(self, step: str, *, first: bool = False) -> tuple[list[tuple[int, int]], list[int]]:
        """The tokens that hold text of the step, each with its place there, and those of the blank line after it."""
        text = step.strip()
        ends = "\n" in step[len(step.rstrip()) :]
        pieces = self._tokens.written(text + DELIMITER if ends else text, self._place if first else "inside")
        own = [(token, start) for token, start in pieces if start < len(text)]
        return own, [token for token, _ in pieces[len(own) :]] if ends else self._tokens.text(DELIMITER)


def _segment(last: int, pieces: list[tuple[int, int]]) -> Segment:
    targets, starts = zip(*pieces, strict=True)
    ids = (last, *targets[:-1])
    return Segment(ids, tuple(range(len(ids))), targets, starts)


def load(name: str, folder: Path, options: ScorerOptions) -> Scorer:
    if options.contrast is None:
        return _open(name, folder, options.system, LikelihoodHead)
    larger = _open(name, folder, options.system, LogProbabilityHead)
    try:
        smaller = _open(name, options.contrast, options.system, LogProbabilityHead)
    except BaseException:
        larger.close()
        raise
    return ContrastScorer(name, larger, smaller, options.chunk)


def _open(name: str, folder: Path, system: str, head: type[LogProbabilityHead]) -> LocalScorer:
    model, tokenizer = open_checkpoint(folder, AutoModelForCausalLM)
    form = LikelihoodFormat(tokenizer, system)
    return LocalScorer(describe(name, folder, model, form.template), model.base_model, form, head(model))
