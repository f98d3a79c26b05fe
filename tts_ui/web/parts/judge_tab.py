"""The Judge tab: the judge's scores beside the truth, most surprising first. Pure functions of a run and its tree."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.runs.judging import HALF, Judged, found_right, judged_steps, reached_by_wrong_steps, separation
from engine.search.tree import Tree
from engine.search.truth import Truth
from engine.store import RunRecord
from tts_ui.web.parts.fragments import truth_word
from tts_ui.words import numbers
from tts_ui.words.interface.markup import marked
from tts_ui.words.texts import without_number

#: Rows of the table; the rest is on the tree.
_SHOWN = 200
_LONGEST = 120


def judge_tab(record: RunRecord, tree: Tree, judge: str | None, truth: Truth | None) -> str:
    """What the judge saw: sentences with counts, then the steps."""
    said = [_found(record, tree), *_flagged(record, tree, truth)]
    if judge is None:
        return _sentences([*said, marked("judge_tab.none")])
    steps = judged_steps(record, tree, judge, truth)
    said += [_compared(judge, steps, truth), _unknown(truth)]
    return _sentences(said) + (_table(steps, truth, judge) if steps else "")


def _sentences(said: Sequence[str]) -> str:
    return "".join(f"<p>{sentence}</p>" for sentence in said if sentence)


def _found(record: RunRecord, tree: Tree) -> str:
    """What became of the right answer."""
    right, ended = found_right(record, tree)
    if record.reference_answer is None or not ended or record.status == "running":
        return ""
    if not right:
        return marked("judge_tab.not_found", n=ended)
    elected = marked("judge_tab.elected") if record.correct else f"<b>{marked('judge_tab.not_elected')}</b>"
    return marked("judge_tab.found", n=ended, right=f"<b>{right}</b>", elected=elected)


def _flagged(record: RunRecord, tree: Tree, truth: Truth | None) -> list[str]:
    if truth is None or record.reference_answer is None:
        return []
    reached = list(reached_by_wrong_steps(record, tree, truth))
    if not reached:
        return []
    links = ", ".join(
        f'<button class="link" data-pick="{wrong.id}">{marked("judge_tab.step_of", step=wrong.depth, node=leaf.id)}'
        "</button>"
        for leaf, wrong in reached[:8]
    )
    links += f" {marked('judge_tab.more_links', n=len(reached) - 8)}" if len(reached) > 8 else ""
    return [marked("judge_tab.by_wrong", n=len(reached), count=f"<b>{len(reached)}</b>", links=links)]


def _compared(judge: str, steps: Sequence[Judged], truth: Truth | None) -> str:
    if truth is None:
        return ""
    right = sum(step.verdict == "right" for step in steps)
    wrong = sum(step.verdict in ("wrong", "after") for step in steps)  # a step that was cut is neither
    highs, lows = sum(step.false_high for step in steps), sum(step.false_low for step in steps)
    area = separation(steps)
    ranked = f" {marked('judge_tab.ranked', share=f'<b>{area:.0%}</b>')}" if area is not None else ""
    found = {"half": HALF, "highs": f"<b>{highs}</b>", "wrong": wrong, "lows": f"<b>{lows}</b>", "right": right}
    return marked("judge_tab.false", judge=escape(judge), **found) + ranked


def _unknown(truth: Truth | None) -> str:
    said = marked("judge_tab.exact" if truth is not None else "judge_tab.unknown")
    return f'<span class="hint">{said}</span>'


def _table(steps: Sequence[Judged], truth: Truth | None, judge: str) -> str:
    heads = ["step", "score", *(["truth"] if truth else []), "right_below", "falls_by", "draws"]
    head = "".join(
        f'<th aria-sort="none"><button type="button" class="link" data-sort>{marked(f"columns.{name}")}</button></th>'
        for name in heads
    )
    rows = "".join(_row(step, truth) for step in steps[:_SHOWN])
    more = f'<p class="hint">{marked("judge_tab.more", n=len(steps) - _SHOWN)}</p>' if len(steps) > _SHOWN else ""
    caption = marked("judge_tab.by_error" if truth else "judge_tab.by_fall", judge=escape(judge))
    return (
        f'<table class="judged"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
    )


def _row(step: Judged, truth: Truth | None) -> str:
    words = " ".join(without_number(step.node.text[:4000], step.node.depth).split())
    kind = "high" if step.false_high else "low" if step.false_low else ""
    order = {"right": 0, "after": 1, "wrong": 2}
    cells = [
        (step.node.depth, f'<button class="link" data-pick="{step.node.id}" title="{escape(words[:400])}">'
                          f"<b>{step.node.depth}</b> {escape(words[:_LONGEST])}</button>"),
        (step.score, numbers.score(step.score)),
    ]  # fmt: skip
    if truth:
        verdict = step.verdict
        cells.append((order[verdict], truth_word(verdict)) if verdict else (-1, marked("truth.not_checked")))
    share = -1.0 if step.right is None or not step.ended else step.right / step.ended
    below = marked("judge_tab.none_ended") if not step.ended else numbers.NOT_AVAILABLE
    cells.append((share, marked("judge_tab.share", right=step.right, of=step.ended) if share >= 0 else below))
    drop = step.drop
    cells.append((-1.0, "") if drop is None else (drop, f"{drop:.2f}" if drop > 0 else ""))
    cells.append((step.node.copies, str(step.node.copies)))
    body = "".join(f'<td data-value="{value}">{shown}</td>' for value, shown in cells)
    return f'<tr class="{kind}">{body}</tr>'
