"""The Calibration tab of the lab: what a judge's scores mean, and a map that makes them mean what they say."""

from __future__ import annotations

from html import escape
from typing import get_args

import gradio as gr

from engine.errors import InvalidInput
from engine.models.catalogue.models_file import ModelEntry
from engine.runs.lab import calibration, recalibration
from engine.runs.lab.calibration import Against, Bin, Calibration, Observation
from engine.runs.lab.evidence import Evidence, Trees
from tts_ui.web.lab import reading
from tts_ui.web.lab.chosen import Chosen
from tts_ui.web.lab.figures import SHARES, Axis, Line, Mark, bars, behind, figure, opener, ranged, table
from tts_ui.web.lab.links import Place
from tts_ui.web.parts.notices import notice, sentence
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

_AGAINST = ("truth", "rollouts")
_PARTS = ("nothing", "policy", "depth", "length", "difficulty", "family")


def build(blocks: gr.Blocks, chosen: Chosen) -> None:
    """Put the tab's content into the current tab."""
    ways = [(say(f"calibration.way_{each}"), each) for each in get_args(recalibration.Way)]
    with gr.Row(elem_classes="settings"):
        judge = reading.judge_field(chosen, "calibration-judge")
        against = gr.Dropdown(
            [(say(f"calibration.against_{against}"), against) for against in _AGAINST],
            value="truth",
            label=say("calibration.against"),
            info=say("calibration.against_says"),
            elem_id="calibration-against",
            scale=2,
        )
        parts = gr.Dropdown(
            [(say(f"calibration.part_{part}"), part) for part in _PARTS],
            value="nothing",
            label=say("calibration.parted"),
            info=say("calibration.parted_says"),
            elem_id="calibration-parts",
            scale=2,
        )
        way = gr.Dropdown(
            [(say("calibration.no_way"), ""), *ways],
            value="",
            label=say("calibration.way"),
            info=say("calibration.way_says"),
            elem_id="calibration-way",
            scale=2,
        )
        button = gr.Button(say("lab.measure"), variant="primary", elem_id="calibration-measure")
    shown = gr.HTML("", elem_id="calibration-answer", container=False, padding=False)
    reading.on_measure(chosen, button, [judge, against, parts, way], answer, shown)
    if not chosen.visitors.strict:
        _offer(chosen, judge, against, way)


def _offer(chosen: Chosen, judge: gr.Dropdown, against: gr.Dropdown, way: gr.Dropdown) -> None:
    """Let a recalibrated judge be used in searches of this process."""
    with gr.Row(elem_classes="settings"):
        name = gr.Textbox(
            label=say("calibration.name"), info=say("calibration.name_says"),
            placeholder=say("calibration.name_empty"), max_lines=1, elem_id="calibration-name", scale=3,
        )  # fmt: skip
        button = gr.Button(say("calibration.offer"), elem_id="calibration-offer")
    told = gr.HTML("", elem_id="calibration-told", container=False, padding=False)

    def offer(trees: Trees, judge: str | None, against: Against, way: str, name: str) -> str:
        label = (name or "").strip()
        if not label:
            raise InvalidInput("name", say("calibration.name_missing"))
        evidence = reading.of_judge(trees, judge)
        fitted = recalibration.recalibrate(evidence, against, _way(way or "isotonic")).map
        chosen.host.catalogue.add(ModelEntry(
            kind="recalibrated", name=label, title=label, of=evidence.judge, map=fitted,
            note=say("calibration.note", judge=evidence.judge),
        ))  # fmt: skip
        entry = escape(recalibration.entry(label, evidence.judge, fitted))
        return f"<p>{marked('calibration.offered', judge=escape(label))}</p><pre>{entry}</pre>"

    reading.on_measure(chosen, button, [judge, against, way, name], offer, told)


def _way(way: str) -> recalibration.Way:
    return "temperature" if way == "temperature" else "isotonic"


def answer(trees: Trees, judge: str | None, against: Against, parts: str, way: str) -> str:
    """The tab's answer as HTML. Raises `InvalidInput` where nothing can be said."""
    evidence = reading.of_judge(trees, judge)
    found = calibration.observations(evidence, against)
    if not found:
        raise InvalidInput("q", say("calibration.no_truth" if against == "truth" else "calibration.no_rollouts"))
    whole = calibration.calibrate(found)
    what = "calibration.what_truth" if against == "truth" else "calibration.what_rollouts"
    said = f"<p>{escape(reading.said(evidence))} {marked(what)}</p>"
    drawn = _reliability(say("calibration.reliability"), whole, evidence.judge, "cal")
    pair = f'<div class="pair"><div>{drawn}</div><div>{_facts(whole, evidence, against)}</div></div>'
    lists = _lists(whole, evidence.judge, "cal")
    return said + pair + lists + _parted(evidence, against, parts) + _recalibrated(evidence, against, way)


def _reliability(title: str, measured: Calibration, judge: str, prefix: str, before: Calibration | None = None) -> str:
    marks = [_mark(each, f"{prefix}-{int(each.low * 10)}", "a") for each in measured.bins]
    lines = [Line(((0, 0), (1, 1)), say("calibration.perfect"), "ideal"), _line(measured, judge, "a")]
    if before:
        lines.append(_line(before, say("calibration.before"), "b"))
        marks += [_mark(each, None, "b") for each in before.bins]
    counts = [(each.low, len(each.observations), f"{prefix}-{int(each.low * 10)}") for each in measured.bins]
    x, y = Axis(say("calibration.axis_score"), SHARES), Axis(say("calibration.axis_share"), SHARES)
    of = {"steps": counted("steps", measured.steps), "problems": counted("problems", measured.problems)}
    note = say("calibration.of", **of)
    return figure(title, note, marks, lines, x, y) + bars(say("columns.steps"), counts)


def _line(measured: Calibration, name: str, kind: str) -> Line:
    return Line(tuple((each.score, each.share.mean) for each in measured.bins), name, kind)


def _mark(each: Bin, name: str | None, kind: str) -> Mark:
    words = say(
        "calibration.bin", steps=counted("steps", len(each.observations)), low=f"{each.low:.1f}",
        high=f"{each.high:.1f}", mean=f"{each.score:.2f}", share=ranged(each.share, 2),
    )  # fmt: skip
    return Mark(each.score, each.share.mean, each.share.low, each.share.high, words, name, kind)


def _lists(measured: Calibration, judge: str, prefix: str) -> str:
    return "".join(
        behind(
            f"{prefix}-{int(each.low * 10)}",
            say("calibration.bin_list", low=f"{each.low:.1f}", high=f"{each.high:.1f}"),
            [_place(seen, judge) for seen in sorted(each.observations, key=_surprise)],
        )
        for each in measured.bins
    )  # fmt: skip


def _surprise(seen: Observation) -> tuple[float, str, int]:
    return -abs(seen.step.score - seen.right / seen.of), seen.run.run, seen.step.node


def _place(seen: Observation, judge: str) -> Place:
    rolled = seen.step.rolled
    known = [say(f"truth.{seen.step.verdict}")] if seen.step.verdict else []
    known += [say("calibration.rolled", n=rolled[1], right=rolled[0])] if rolled else []
    words = say(
        "calibration.place", score=f"{seen.step.score:.3f}", known=", ".join(known), step=seen.step.depth,
        words=seen.step.words,
    )  # fmt: skip
    return Place(seen.run.run, seen.step.node, words, judge)


def _facts(whole: Calibration, evidence: Evidence, against: Against) -> str:
    right = marked("calibration.right", share=f"{whole.right / whole.of:.1%}")
    rows = [
        [marked("calibration.ece"), ranged(whole.ece), marked("calibration.ece_means")],
        [marked("calibration.brier"), ranged(whole.brier), marked("calibration.brier_means")],
        [marked("calibration.auc"), ranged(whole.auc), marked("calibration.auc_means")],
        [marked("calibration.outcomes"), f"{whole.of:,.0f}", right],
    ]
    if against == "truth":
        rows += _first_errors(evidence)
    return table(["", say("calibration.measured"), ""], rows) + f"<p>{marked('calibration.intervals')}</p>"


def _first_errors(evidence: Evidence) -> list[list[str]]:
    fit, show = recalibration.halves(evidence)
    usual = calibration.first_errors(evidence)
    if usual is None:
        return []
    solutions = {"wrong": numbers.count(usual.wrong), "right": numbers.count(usual.right)}
    rows = [
        [marked("calibration.f1"), ranged(usual.f1), marked("calibration.f1_means", **solutions)],
        [marked("calibration.on_wrong"), f"{usual.on_wrong:.3f}", marked("calibration.on_wrong_means")],
        [marked("calibration.on_right"), f"{usual.on_right:.3f}", marked("calibration.on_right_means")],
    ]
    best = calibration.best_threshold(fit)
    if fitted := calibration.first_errors(show, best):
        named = marked("calibration.f1_at", threshold=f"{best:.2f}")
        rows.append([named, ranged(fitted.f1), marked("calibration.f1_at_means")])
    return rows


def _parted(evidence: Evidence, against: Against, parts: str) -> str:
    if parts not in _PARTS[1:]:
        return ""
    found = calibration.slices(evidence, against)[parts]
    rows, lists = [], ""
    for place, (name, each) in enumerate(found.items()):
        anchor = f"cal-part-{place}"
        observed = [seen for group in each.bins for seen in group.observations]
        lists += behind(
            anchor, say("calibration.part_list", part=name),
            [_place(seen, evidence.judge) for seen in sorted(observed, key=_surprise)[:300]],
        )  # fmt: skip
        rows.append([
            opener(anchor, name), f"{each.steps:,}", f"{each.problems:,}",
            f"{each.right / each.of:.1%}", ranged(each.ece), ranged(each.brier), ranged(each.auc),
        ])  # fmt: skip
    part = say(f"calibration.part_{parts}")
    columns = ("steps", "problems", "right", "error", "brier", "auc")
    head = [part, *(say(f"calibration.column_{name}") for name in columns)]
    return f"<h2>{marked('calibration.parted_title', part=escape(part))}</h2>" + table(head, rows) + lists


def _recalibrated(evidence: Evidence, against: Against, way: str) -> str:
    if not way:
        return ""
    try:
        done = recalibration.recalibrate(evidence, against, _way(way))
    except InvalidInput as error:
        return f"<h2>{marked('calibration.recalibrated')}</h2>{notice(sentence(error))}"
    rows = [
        [marked("calibration.ece"), ranged(done.before.ece), ranged(done.after.ece)],
        [marked("calibration.brier"), ranged(done.before.brier), ranged(done.after.brier)],
        [marked("calibration.auc"), ranged(done.before.auc), ranged(done.after.auc)],
    ]
    name = say("calibration.recalibrated_judge", judge=evidence.judge)
    drawn = _reliability(say("calibration.other_half"), done.after, name, "cal-after", done.before)
    entry = escape(recalibration.entry(name, evidence.judge, done.map))
    title = marked("calibration.recalibrated_by", way=marked(f"calibration.way_{way}"))
    fitted = counted("steps", done.fitted_on)
    said = marked("calibration.fitted", fitted=fitted, shown=counted("steps", done.after.steps))
    head = [say("calibration.on_other_half"), say("calibration.before"), say("calibration.after")]
    return (
        f"<h2>{title}</h2><p>{said}</p>"
        f'<div class="pair"><div>{drawn}</div><div>{table(head, rows)}'
        f"<details><summary>{marked('calibration.models_file')}</summary><pre>{entry}</pre></details></div></div>"
        + _lists(done.after, evidence.judge, "cal-after")
    )
