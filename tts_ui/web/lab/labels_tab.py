"""The Labels tab of the lab: who has labelled what, how labellers and judges agree, and labels as files.

Labelling itself is done in the tree of Explore, with keys: a step is labelled where its path and its siblings are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from engine.errors import InvalidInput, TtsError
from engine.runs.lab.raters import Pair, Raters, labellable, next_unlabelled
from engine.runs.statistics.kappa import Kappa
from engine.search.tree import Tree
from engine.search.truth import Truth
from engine.store import RunRecord
from engine.store.exporters import LABELS
from engine.store.labels import PREFIX, judge_of, labeller_of
from tts_ui.web.lab.chosen import FIELDS, Chosen
from tts_ui.web.lab.links import Place, listing
from tts_ui.web.parts.notices import notice, sentence
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: Runs that are read for their next step without a label, and pairs of raters that are shown.
_NEXT, _PAIRS = 10, 40
_SAID = {-1: "labels.wrong", 0: "labels.neutral", 1: "labels.right"}
_TITLES = {"prm800k": "PRM800K", "processbench": "ProcessBench", "trl": "TRL"}


def build(blocks: gr.Blocks, chosen: Chosen) -> None:
    """Put the tab's content into the current tab."""
    keys = {name: f"<kbd>{key}</kbd>" for name, key in (("wrong", 1), ("neutral", 2), ("right", 3), ("first", "e"))}
    gr.HTML(f'<p class="hint">{marked("labels.hint", **keys)}</p>', container=False, padding=False)
    with gr.Row():
        name = gr.Textbox(
            label=say("labels.labeller"), info=say("labels.labeller_says"), max_lines=1,
            elem_id="labels-name",
        )  # fmt: skip
        threshold = gr.Number(
            0.5, minimum=0, maximum=1, step=0.05, label=say("labels.threshold"), elem_id="labels-threshold",
            info=say("labels.threshold_says"),
        )  # fmt: skip
        button = gr.Button(say("labels.show"), variant="primary", elem_id="labels-go", min_width=120)
    shown = gr.HTML("", elem_id="labels", container=False, padding=False)

    def show(request: gr.Request, labeller: str, at: float | None, *values: Any) -> str:
        try:
            return _shown(chosen, labeller or "", at, values, request)
        except TtsError as error:
            return notice(sentence(error, discreet=chosen.visitors.strict), "error")

    button.click(
        show, [name, threshold, *chosen.fields], shown, show_progress="hidden", api_visibility="private"
    )  # fmt: skip


def _shown(chosen: Chosen, labeller: str, at: float | None, values: Sequence[Any], request: gr.Request) -> str:
    if at is None or not 0 <= at <= 1:
        raise InvalidInput("threshold", say("labels.threshold_wrong"))
    runs = chosen.runs(values, request)
    there = chosen.host.store.labelled([record.id for record in runs])
    raters = Raters()
    for record in runs:
        if record.id in there:
            whole, tree, truth, events = _read(chosen, record)
            raters.take(whole, tree, events, truth, at)
    judge = _judge(labeller, raters)
    parts = [
        _counts(raters, len(runs), len(there)), _agreement(raters, at), _due(chosen, runs, raters, judge),
        _files(raters, judge, values),
    ]  # fmt: skip
    return "".join(parts)


def _judge(labeller: str, raters: Raters) -> str | None:
    """The judge that a name stands for: a person's, or that of labels that came with a file."""
    name = labeller.strip()
    return (name if name in raters.kinds else judge_of(name.removeprefix(PREFIX))) if name else None


def _read(chosen: Chosen, record: RunRecord) -> tuple[RunRecord, Tree, Truth | None, Any]:
    whole, events = chosen.host.store.read(record.id)
    tree = Tree.from_events(events)
    checker = chosen.host.domains[whole.domain].step_checker(whole.problem)
    truth = Truth(checker) if checker else None
    if truth:
        truth.take(tree.nodes[1:])
    return whole, tree, truth, events


def _counts(raters: Raters, runs: int, there: int) -> str:
    named = [name for name in raters.names if raters.kinds[name] in ("human", "imported", "estimated")]
    if not named:
        return f'<p class="hint">{marked("labels.nobody", n=runs, runs=numbers.count(runs))}</p>'
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{marked(f'labels.kind_{raters.kinds[name]}')}</td><td>{len(said):,}</td>"
        f"<td>{len({run for run, _ in said}):,}</td>"
        + "".join(f"<td>{sum(each == rating for each in said.values()):,}</td>" for rating in (1, 0, -1)) + "</tr>"
        for name in named for said in [raters.said[name]]
    )  # fmt: skip
    columns = ("by", "kind", "steps", "runs", "right", "neutral", "wrong")
    heads = "".join(f"<th>{marked(f'labels.{head}')}</th>" for head in columns)
    caption = marked("labels.have", n=runs, labelled=numbers.count(there), runs=numbers.count(runs))
    return (
        f'<h2>{marked("lab.tab_labels")}</h2><div class="wide"><table class="labels">'
        f"<caption>{caption}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _agreement(raters: Raters, threshold: float) -> str:
    pairs = raters.pairs()
    if not pairs:
        return ""
    rows = "".join(_row(raters, pair) for pair in pairs[:_PAIRS])
    heads = "".join(
        f"<th>{marked(f'labels.{head}')}</th>"
        for head in ("first", "second", "steps", "agree", "kappa", "weighted", "differ")
    )
    left = len(pairs) - _PAIRS
    more = f'<p class="hint">{marked("labels.more_pairs", n=left)}</p>' if left > 0 else ""
    observed, expected = ("p<sub>o</sub>", "p<sub>e</sub>")
    explained = marked("labels.explained", observed=observed, expected=expected, threshold=f"{threshold:g}")
    return (
        f'<h2>{marked("labels.agreement")}</h2><div class="wide"><table class="labels agreement">'
        f"<caption>{marked('labels.both')}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{more}"
        f'<p class="hint">{explained}</p>'
    )


def _row(raters: Raters, pair: Pair) -> str:
    places = [
        Place(run, node, say(
            "labels.pair", first=labeller_of(pair.first), said=say(_SAID[first]), second=labeller_of(pair.second),
            other=say(_SAID[second]), run=run[:10], node=node,
        ))
        for (run, node), first, second in pair.differ
    ]  # fmt: skip
    differ = f"<details><summary>{len(places):,}</summary>{listing(places)}</details>" if places else "0"
    agree = numbers.NOT_AVAILABLE if pair.kappa.agreement is None else f"{pair.kappa.agreement:.0%}"
    cells = [
        escape(pair.first), escape(pair.second), f"{pair.kappa.n:,}", agree, _interval(pair.kappa),
        _interval(pair.weighted) if pair.weighted else "", differ,
    ]  # fmt: skip
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _interval(kappa: Kappa) -> str:
    if kappa.kappa is None:
        return f'<span title="{marked("labels.chance")}">{numbers.NOT_AVAILABLE}</span>'
    return f"{kappa.kappa:.2f} [{kappa.low:.2f}, {kappa.high:.2f}]"


def _due(chosen: Chosen, runs: Sequence[RunRecord], raters: Raters, judge: str | None) -> str:
    """Where a labeller goes on."""
    if judge is None:
        return ""
    mine = raters.said.get(judge, {})
    places: list[Place] = []
    for record in runs:
        if len(places) >= _NEXT:
            break
        tree = chosen.host.store.tree(record.id)
        done = [node for run, node in mine if run == record.id]
        if (node := next_unlabelled(tree, done)) is not None:
            steps = len(labellable(tree))
            said = say("labels.due", n=steps, problem=record.problem[:60], done=len(done), steps=steps)
            places.append(Place(record.id, node, said))
    return f"<h2>{marked('labels.next', labeller=escape(labeller_of(judge)))}</h2>{listing(places)}"


def _files(raters: Raters, judge: str | None, values: Sequence[Any]) -> str:
    """The labels of the selection as files; without a name, where only one person has labelled."""
    people = [name for name in raters.names if raters.kinds[name] in ("human", "imported")]
    wanted = judge if judge in people else people[0] if len(people) == 1 else None
    if wanted is None:
        return f'<p class="hint">{marked("labels.give")}</p>' if people else ""
    given = {name: value for name, value in zip(FIELDS, values, strict=True) if value not in (None, "")}
    query = escape(urlencode({**given, "labels": wanted}))
    links = ", ".join(
        f'<a href="./export/selection/{format}?{query}" download>{title}</a>'
        for format, title in _TITLES.items()
        if format in LABELS
    )
    said = marked("labels.files_say", labeller=escape(labeller_of(wanted)), links=links)
    return f"<h2>{marked('labels.files')}</h2><p>{said}</p>"
