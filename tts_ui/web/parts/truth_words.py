"""What each kind of truth says of a step, named: below the step's text. Pure functions of a run."""

from __future__ import annotations

from html import escape

from engine.runs.lab.sources import EXACT, WORDS, Sources
from engine.search.events import StepScored
from engine.search.tree import Node
from engine.search.truth import Truth, Verdict
from tts_ui.words import numbers
from tts_ui.words.interface.markup import marked


def truths(node: Node, truth: Truth | None, sources: Sources) -> str:
    """A line for each source that says something; nothing where there is only the exact check, which stands above."""
    said = [
        f"{escape(judge)} <span>({WORDS[kind]})</span>: {_said(judge, score, sources)}"
        for judge in sources.judges
        if (score := sources.said(judge).get(node.id)) and (kind := sources.kind(judge))
    ]
    if not said:
        return ""
    verdict = truth[node.id] if truth else None
    exact = [f"{EXACT}: {_verdict(verdict)}"] if verdict else []
    return '<ul class="why truths">' + "".join(f"<li>{line}</li>" for line in [*exact, *said]) + "</ul>"


def _said(judge: str, score: StepScored, sources: Sources) -> str:
    if score.kind == "estimated":
        return _share(score)
    rating = sources.rating(judge, score.node) or 0
    if not rating:
        return marked("truth.neutral")
    return f"{_right() if rating > 0 else _wrong()} ({rating:+d})"


def _verdict(verdict: Verdict) -> str:
    if verdict == "right":
        return _right()
    if verdict == "after":
        return marked("truth.after")
    return f'<b class="bad">&#10007; {marked("truth.first_wrong")}</b>'


def _right() -> str:
    return f'<b class="ok">&#10003; {marked("truth.right")}</b>'


def _wrong() -> str:
    return f'<b class="bad">&#10007; {marked("truth.wrong")}</b>'


def _share(score: StepScored) -> str:
    if score.n == 1 or score.n is None:
        return marked("truth.ended_right" if score.value > 0 else "truth.ended_wrong")
    right = round(score.value * score.n)
    interval = (
        f" [{numbers.score(score.low)}, {numbers.score(score.high)}]"
        if score.low is not None and score.high is not None
        else ""
    )
    return marked("truth.share", right=right, of=score.n, share=f"{numbers.score(score.value)}{interval}")
