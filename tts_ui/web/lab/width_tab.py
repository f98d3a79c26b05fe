"""The Useful width tab of the lab: how many draws a judge can choose among, as predicted and as it was."""

from __future__ import annotations

import math
from html import escape

import gradio as gr

from engine.errors import InvalidInput
from engine.runs.lab.evidence import Trees
from engine.runs.lab.useful_width import AtDepth, Width, policies, useful_width
from engine.search.interval import Interval
from engine.search.selection import REDUCERS
from tts_ui.web.lab import reading
from tts_ui.web.lab.chosen import Chosen
from tts_ui.web.lab.figures import SHARES, Axis, Line, Mark, behind, figure, opener, ranged, table
from tts_ui.web.lab.links import Place
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: Predictions from here on are written as "more than".
_MANY = 1e6
_SHOWN = 300

_HEAD = ("judge", "policy", "ratio", "predicted", "own_noises", "best", "accuracy", "all", "draws")
_DEPTH_HEAD = ("depth", "gap", "noise", "predicted", "ended")


def build(blocks: gr.Blocks, chosen: Chosen) -> None:
    """Put the tab's content into the current tab."""
    with gr.Row(elem_classes="settings"):
        judge = reading.judge_field(chosen, "width-judge", reading.ALL)
        reducer = gr.Dropdown(
            list(REDUCERS), value="last", label=say("width.reducer"), info=say("width.reducer_says"),
            elem_id="width-reducer", scale=2,
        )  # fmt: skip
        button = gr.Button(say("lab.measure"), variant="primary", elem_id="width-measure")
    shown = gr.HTML("", elem_id="width-answer", container=False, padding=False)
    reading.on_measure(chosen, button, [judge, reducer], answer, shown)


def answer(trees: Trees, judge: str, reducer: str) -> str:
    """The tab's answer as HTML. Raises `InvalidInput` where nothing can be said."""
    evidences = reading.of_judges(trees, judge)
    found = [
        width
        for evidence in evidences
        for policy in policies(evidence)
        if (width := useful_width(evidence, policy, reducer))
    ]
    if not found:
        raise InvalidInput("q", say("width.nothing"))
    head = [say(f"width.column_{name}") for name in _HEAD]
    rows = [_row(width, place) for place, width in enumerate(found)]
    details = "".join(_details(width, place) for place, width in enumerate(found))
    said = "".join(f"<p>{escape(reading.said(evidence))}</p>" for evidence in evidences[:1])
    explained = marked("width.explained", gap=f"<i>{marked('width.gap')}</i>", k="K = exp((gap/noise)&sup2;/2)")
    why = f"<details><summary>{marked('width.why')}</summary><p>{explained}</p></details>"
    return said + table(head, rows) + why + details


def _row(width: Width, place: int) -> list[str]:
    measured, best = width.measured, width.measured.best_interval()
    at = measured.accuracy[measured.ks.index(measured.best)]
    last = measured.ks[-1]
    return [
        opener(f"width-{place}-k{last}", width.judge), escape(width.policy),
        f"{width.whole.gap.mean / width.whole.noise.mean:.2f}", _k(width.whole.width),
        say("width.of", k=width.modelled, last=last), say("width.of", k=_whole(best), last=last),
        ranged(at), ranged(measured.accuracy[-1]),
        say("width.draws", draws=numbers.count(sum(pool.size for pool in width.pools)),
            problems=counted("problems", len(width.pools))),
    ]  # fmt: skip


def _whole(best: Interval) -> str:
    return f"{best.mean:.0f} [{best.low:.0f}, {best.high:.0f}]"


def _k(width: Interval) -> str:
    return f"{_wide(width.mean)} [{_wide(width.low)}, {_wide(width.high)}]"


def _wide(k: float) -> str:
    return say("width.many") if k >= _MANY else f"{k:,.0f}" if k >= 10 else f"{k:.1f}"


def _details(width: Width, place: int) -> str:
    measured = width.measured
    most = math.log2(max(2, measured.ks[-1]))

    def at(k: float) -> float:
        return math.log2(k) / most

    x = Axis(say("width.axis_k"), tuple((at(k), f"{k}") for k in measured.ks))
    points = [(at(k), each) for k, each in zip(measured.ks, measured.accuracy, strict=True)]
    marks = [
        Mark(px, each.mean, each.low, each.high, say("width.mark", k=k, share=ranged(each)), f"width-{place}-k{k}", "a")
        for (px, each), k in zip(points, measured.ks, strict=True)
    ]
    modelled = say("width.column_own_noises")
    lines = [
        Line(tuple((px, each.mean) for px, each in points), say("width.measured"), "a"),
        Line(tuple((at(k), value) for k, value in zip(measured.ks, width.model, strict=True)), modelled, "b"),
    ]
    predicted = width.whole.width.mean
    if predicted <= measured.ks[-1]:
        named = say("width.predicted", k=_wide(predicted))
        lines.append(Line(((at(predicted), 0), (at(predicted), 1)), named, "ideal"))
    note = f"{width.policy}, {counted('problems', measured.problems)}"
    y = Axis(say("width.axis_share"), SHARES)
    curve = figure(say("width.curve", judge=width.judge), note, marks, lines, x, y)
    lists = "".join(_problems(width, place, k, column) for column, k in enumerate(measured.ks))
    lists += "".join(_steps(width, place, each) for each in width.depths)
    return (
        f'<h2>{escape(width.judge)}</h2><div class="pair"><div>{curve}</div>'
        f"<div>{_depths(width, place)}</div></div>{lists}"
    )


def _depths(width: Width, place: int) -> str:
    rows = [
        [
            opener(f"width-{place}-d{each.depth}", say("step.lower", step=each.depth)), ranged(each.separation.gap, 2),
            ranged(each.separation.noise, 2),
            _k(each.separation.width),
            f"{each.separation.right:,} / {each.separation.wrong:,}",
        ]
        for each in width.depths
    ]  # fmt: skip
    head = [say(f"width.column_{name}") for name in _DEPTH_HEAD]
    return f"<h3>{marked('width.by_depth')}</h3>" + table(head, rows)


def _problems(width: Width, place: int, k: int, column: int) -> str:
    """The problems that the best of k loses most often, each with the wrong completion that the judge likes best."""
    used = [pool for pool in width.pools if pool.size >= width.measured.ks[-1]]
    lost = sorted(zip(width.measured.table[:, column], used, strict=True), key=lambda each: each[0])
    places = []
    for chance, pool in lost[:_SHOWN]:
        wrong = [
            (score, draw) for score, right, draw in zip(pool.scores, pool.right, pool.draws, strict=True) if not right
        ]
        if wrong and pool.right.any():
            score, (run, path) = max(wrong, key=lambda each: float(each[0]))
            words = say(
                "width.lost_place", k=k, chance=f"{chance:.2f}", random=f"{pool.right.mean():.2f}",
                score=f"{max(0.0, float(score)):.3f}", problem=pool.problem[:70],
            )  # fmt: skip
            places.append(Place(run.run, path.leaf, words, width.judge))
    return behind(f"width-{place}-k{k}", say("width.lost", k=k), places)


def _steps(width: Width, place: int, at: AtDepth) -> str:
    """The steps that blur the gap: high ones on paths that ended wrong, low ones on paths that ended right."""
    distinct = {(run.run, step.node): (run, step, right) for run, step, right in at.steps}
    blurring = sorted(distinct.values(), key=lambda each: each[1].score if each[2] else 1 - each[1].score)
    places = [
        Place(
            run.run, step.node,
            say("width.blur_right" if right else "width.blur_wrong", score=f"{step.score:.3f}", words=step.words),
            width.judge,
        )
        for run, step, right in blurring[:_SHOWN]
    ]  # fmt: skip
    return behind(f"width-{place}-d{at.depth}", say("width.blur", step=at.depth), places)
