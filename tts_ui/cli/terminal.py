"""Runs as text: what the command line prints on standard output, drawn with rich.

Texts of models and people are data: they are shown as they are, their markup has no effect, and characters that could
steer the terminal are made visible. Nothing is said by colour alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text
from rich.tree import Tree as Drawing

from engine.search.cost import LARGE_MODELS, tokens_for
from engine.search.events import Usage
from engine.search.tree import Node, Tree
from tts_ui.words import numbers
from tts_ui.words.reasons import latest, why
from tts_ui.words.results import costs, outcome, run_outcome, too_long, weighed_votes

if TYPE_CHECKING:  # a refusal is printed from here too, and needs neither SQL nor the catalogue
    from engine.models.catalogue.catalogue import Catalogue, ModelEntry
    from engine.store import RunRecord

#: Viridis, the scale of the page's tree: safe for the colour-blind, and its lightness rises with the score.
_VIRIDIS = (
    (68, 1, 84), (72, 36, 117), (65, 68, 135), (53, 95, 141), (42, 120, 142), (33, 145, 140), (34, 168, 132),
    (68, 191, 112), (122, 209, 81), (189, 223, 38), (253, 231, 37),
)  # fmt: skip
#: The shapes of the page's tree; the chosen path has its own.
_SHAPES = {"open": "●", "kept": "●", "pruned": "○", "finished": "◆"}
_ON_PATH, _CHOSEN = "▶", "★"
_ENDED = {"eos": "", "length": "cut: out of room", "budget": "cut: out of budget", "step": ""}

#: Control characters (escape sequences begin with one) and those that turn the direction of writing.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

#: Width where no terminal gives one, and the least that is left for text after the deepest branch.
_PAPER, _LEAST = 120, 40


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal replaced by a visible one."""
    return _STEERING.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\ufffd", text)


def one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def one_line_text(text: str) -> Text:
    """For a place that has one line only: what does not fit is cut."""
    return Text(one_line(text), no_wrap=True, overflow="ellipsis")


def json_text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)


def print_json(document: Mapping[str, Any]) -> None:
    typer.echo(json_text(document).encode())  # JSON is UTF-8 whatever the terminal's encoding


def print_summary(record: RunRecord, tree: Tree, look_again: str) -> None:
    """The answer, who voted for it, what it cost, and how to see more."""
    console = console_for_text()
    _print_result(console, record, tree)
    console.print(Text(look_again, style="dim"), soft_wrap=True)


def print_tree(record: RunRecord, tree: Tree, judge: str | None) -> None:
    """The whole tree: every step with its score by `judge`, what became of it and why."""
    console = console_for_text()
    deepest = max(node.depth for node in tree.nodes)
    console.width = max(console.width, 4 * deepest + _LEAST)
    console.print(Text(_asked(record), style="dim"))
    for decision in tree.root.decisions:
        console.print(Text(one_line(": ".join(filter(None, why(decision))))))
    console.print(_drawing(record, tree, judge))
    _print_result(console, record, tree)
    if same := bought(record.usage):
        console.print(Text(f"the same FLOPs give {same}", style="dim"), soft_wrap=True)


def _print_result(console: Console, record: RunRecord, tree: Tree) -> None:
    console.print(_answer(record, tree))
    if said := too_long(record, tree):
        console.print(Text(said))
    console.print(Text(_cost(record)))


def bought(usage: Usage) -> str:
    """The tokens that large models would generate for the same FLOPs, by both conventions; empty if not known."""
    if not usage.flops_known or not usage.flops_all:
        return ""
    parts = [
        f"{numbers.fraction(tokens_for(usage.flops_paper, size))} tokens of {name} "
        f"(all: {numbers.fraction(tokens_for(usage.flops_all, size))})"
        for name, size in LARGE_MODELS.items()
    ]
    return ", ".join(parts)


def print_runs(records: Sequence[RunRecord]) -> None:
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("run", "created (UTC)", "strategy", "N", "status", "answer", ""):
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("problem", no_wrap=True, overflow="ellipsis", ratio=1)  # gives way to the others
    for record in records:
        table.add_row(
            record.id, record.created_at[:16].replace("T", " "), record.strategy, str(record.params.get("n", "")),
            record.status, Text(one_line(record.answer or "")), run_outcome(record),
            Text(one_line(record.problem)),
        )  # fmt: skip
    console_for_text().print(table)


def print_models(catalogue: Catalogue) -> None:
    """The pairs of a catalogue and what this machine can run of them: nothing is loaded or downloaded.

    Servers are asked what they can do.
    """
    from engine.models.catalogue.fit import fit
    from engine.models.servers.survey import survey, survey_judge

    console = console_for_text()
    for pair in catalogue.pairs.values():
        default = " (default)" if pair.name == catalogue.default else ""
        judge = catalogue.scorer(pair.name)
        prm = f"{judge.label} ({judge.kind})" if judge else "none"
        console.print(Text(one_line(f"{pair.name}{default}: {pair.title or pair.name}"), style="bold"))
        console.print(Text(f"  {one_line(f'policy {pair.policy.label} ({pair.policy.kind}), PRM {prm}')}"))
        served = survey(pair.policy) if pair.policy.urls else []
        served += survey_judge(judge) if judge and judge.urls else []
        for line in served:
            console.print(Text(f"  {one_line(line)}"))
        models = [pair.policy, *([judge] if judge else [])]
        about = [str(fit(catalogue, models)), *(_terms(catalogue, model) for model in models)]
        console.print(Text(f"  {one_line('; '.join(filter(None, dict.fromkeys(about))))}"), soft_wrap=True)
        if pair.note:
            console.print(Text(f"  {one_line(pair.note)}", style="dim"), soft_wrap=True)
    if catalogue.scorers:
        console.print(Text("PRMs for --scorer", style="bold"))
    for scorer in catalogue.scorers.values():
        about = survey_judge(scorer) if scorer.urls else [str(fit(catalogue, [scorer]))]
        about += [_terms(catalogue, scorer), scorer.note or scorer.title]
        line = f"{scorer.label} ({scorer.kind}): {'; '.join(filter(None, about))}"
        console.print(Text(f"  {one_line(line)}"), soft_wrap=True)


def _terms(catalogue: Catalogue, model: ModelEntry) -> str:
    """A model's licence and availability; empty if it is here and states no licence."""
    gated = ", gated: accept it on the Hub and set HF_TOKEN" if model.gated else ""
    where = "" if model.urls or catalogue.find(model) else ", to be downloaded"
    return f"{model.label}: {(model.licence + gated + where).lstrip(', ')}" if model.licence or where else ""


def console_for_text() -> Console:
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _PAPER)
    return console


def _answer(record: RunRecord, tree: Tree) -> Text:
    state = "" if record.status == "done" else record.status
    stop = f"stopped by the {record.stop_reason}" if record.stop_reason else ""
    if record.error:
        return Text(f"failed: {one_line(record.error)}", style="bold")
    if record.answer is None:
        words = ", ".join(filter(None, [state, stop]))
        return Text.assemble(("No answer", "bold"), f"  {words}" if words else "")
    line = Text.assemble("Answer ", (one_line(record.answer), "bold"))
    if said := run_outcome(record):
        line.append(f"  {said}", style="bold")
    details = [_votes(record, tree), state, stop]
    return line.append("".join(f"  {detail}" for detail in details if detail))


def _votes(record: RunRecord, tree: Tree) -> str:
    said = weighed_votes(record, tree)
    return f"{said} ({record.params['select']})" if said else ""


def _cost(record: RunRecord) -> str:
    tokens, prm, _, flops, _, time = costs(record.usage, scored=record.scorer is not None)
    return " | ".join([f"{tokens} tokens", f"PRM {prm}" if record.scorer else prm, flops, time])


def _asked(record: RunRecord) -> str:
    sizes = [f"{name} {record.params[key]}" for key, name in (("n", "N"), ("width", "M")) if key in record.params]
    models = " + ".join(model.name for model in (record.policy, record.scorer) if model)
    parts = [record.strategy, *sizes, models, f"seed {record.params.get('seed', numbers.NOT_AVAILABLE)}"]
    return one_line(f"{record.id}  {', '.join(parts)}  {record.created_at[:16].replace('T', ' ')} UTC")


def _drawing(record: RunRecord, tree: Tree, judge: str | None) -> Drawing:
    path = {node.id for node in tree.path(tree[tree.chosen])} if tree.chosen is not None else set[int]()

    def order(node: Node) -> tuple[bool, float, int]:
        return node.id not in path, -node.scores.get(judge or "", 0.0), node.id

    root = Drawing(Text(printable(tree.root.text), style="bold"), guide_style="dim")
    open_branches = [(tree.root, root)]
    while open_branches:  # no recursion: a chain may be long
        node, branch = open_branches.pop()
        for child in sorted(tree.children(node), key=order):
            label = _label(record, child, judge, child.id in path, child.id == tree.chosen)
            open_branches.append((child, branch.add(label)))
    return root


def _label(record: RunRecord, node: Node, judge: str | None, on_path: bool, chosen: bool) -> Text:
    """Two parts: the facts of a step in one line, then its text."""
    shape = _CHOSEN if chosen else _ON_PATH if on_path else _SHAPES[node.status]
    line = Text(f"{shape} #{node.id} ", style="bold" if on_path else "")
    if judge:
        line.append_text(_chip(node.scores.get(judge))).append(" ")
    line.append(
        "; ".join(": ".join(filter(None, why(decision))) for decision in latest(node))
        or ", ".join(filter(None, [node.status, _ENDED[node.finish]]))
    )
    if node.copies > 1:
        line.append(f"  x{node.copies}")
    if node.answer is not None:
        grade = record.grades.get(node.answer)
        graded = outcome(record, grade.correct if grade else None) if record.reference_answer is not None else ""
        line.append(f"  answer {one_line(node.answer)} {graded}".rstrip())
    words = "\n".join(filter(str.strip, printable(node.text).splitlines()))
    return line.append(f"\n{words}", style="" if on_path else "dim" if node.status == "pruned" else "")


def _chip(score: float | None) -> Text:
    """The number on its colour."""
    if score is None:
        return Text(f" {numbers.NOT_AVAILABLE} ", style="dim")
    at = min(1.0, max(0.0, score)) * (len(_VIRIDIS) - 1)
    low = min(len(_VIRIDIS) - 2, int(at))
    mixed = [round(a + (b - a) * (at - low)) for a, b in zip(_VIRIDIS[low], _VIRIDIS[low + 1], strict=True)]
    ink = "black" if score > 0.45 else "white"
    return Text(f" {numbers.score(score)} ", style=Style(color=ink, bgcolor="#{:02x}{:02x}{:02x}".format(*mixed)))
