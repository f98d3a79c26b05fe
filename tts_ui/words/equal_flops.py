"""The majority vote at equal FLOPs, in one sentence. Plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tts_ui.words import numbers
from tts_ui.words.texts import short

if TYPE_CHECKING:  # as in `results`
    from engine.runs.equal_flops import EqualVote

SOURCE = "arXiv 2504.01005"


def vote_said(vote: EqualVote) -> str:
    """How many samples the same FLOPs would have bought, and what their majority says or how many are missing."""
    bought = f"{numbers.count(vote.samples)} samples of {vote.tokens:.0f} tokens"
    if not vote.samples:
        return f"the same FLOPs buy not one sample of {vote.tokens:.0f} tokens"
    outcome = {True: ", correct", False: ", wrong", None: ""}[vote.correct]
    answer = "no answer" if vote.answer is None else f"{short(vote.answer)}{outcome}"
    if not vote.missing:
        return f"{bought} elect {answer}"
    if not vote.recorded:
        return f"{bought}; no independent draw of this problem is recorded: run majority_vote with N {vote.samples}"
    return (
        f"{bought}; only {numbers.count(vote.recorded)} independent draws are recorded, {numbers.count(vote.missing)} "
        f"too few (they elect {answer})"
    )
