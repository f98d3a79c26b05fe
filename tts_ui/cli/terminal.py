"""Runs as text: what the command line prints on standard output, drawn with rich.

Texts of models and people are data: they are shown as they are, their markup has no effect, and characters that could
steer the terminal are made visible. Nothing is said by colour alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text
from rich.tree import Tree as Drawing

from engine.characters import STEERING, escaped
from engine.search.cost import LARGE_MODELS, tokens_for
from engine.search.events import Usage
from engine.search.tree import Node, Tree
from tts_ui.words import numbers
from tts_ui.words.equal_flops import SOURCE, vote_said
from tts_ui.words.reasons import latest, why
from tts_ui.words.results import flops, imported_from, outcome, run_outcome, spent, stopped_by, too_long, weighed_votes

if TYPE_CHECKING:  # a refusal is printed from here too, and needs neither SQL nor the catalogue
    from engine.models.catalogue.catalogue import Catalogue, ModelEntry
    from engine.runs.equal_flops import EqualVote
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

#: Columns of a table: the widest, what a problem needs to be worth showing, and the space between two.
_WIDEST, _LEAST_PROBLEM, _GAP = 24, 12, 2
#: Deeper steps are not indented any more, and say which step they are below: a chain may have thousands.
_DEEPEST = 40
#: Width where no terminal gives one, and the least that is left for text after the deepest branch.
_PAPER, _LEAST = 120, 40
#: Characters of a critique below its step.
_CRITIQUE = 200


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal replaced by a visible one."""
    return STEERING.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\ufffd", text)


def one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def one_line_text(text: str) -> Text:
    """For a place that has one line only: what does not fit is cut."""
    return Text(one_line(text), no_wrap=True, overflow="ellipsis")


def json_text(document: Mapping[str, Any]) -> str:
    """JSON in which characters that could steer a terminal are spelled as escapes: the same document."""
    return escaped(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2))


def print_json(document: Mapping[str, Any]) -> None:
    typer.echo(json_text(document).encode())  # JSON is UTF-8 whatever the terminal's encoding


def print_summary(record: RunRecord, tree: Tree, look_again: str | None) -> None:
    """The answer, who voted for it, what it cost, and how to see more, if it is on record."""
    console = console_for_text()
    _print_result(console, record, tree)
    if look_again:
        console.print(Text(look_again, style="dim"), soft_wrap=True)


def print_tree(record: RunRecord, tree: Tree, judge: str | None, vote: EqualVote | None = None) -> None:
    """The whole tree: every step with its score by `judge`, what became of it and why; `vote` is the majority at equal
    FLOPs beside a judge that writes."""
    console = console_for_text()
    deepest = max(node.depth for node in tree.nodes)
    console.width = max(console.width, 4 * min(deepest, _DEEPEST) + _LEAST)
    console.print(Text(_asked(record), style="dim"))
    if source := imported_from(record):
        console.print(Text(one_line(source), style="dim"))
    if record.warning:
        console.print(Text(one_line(f"warning: {record.warning}"), style="bold"))
    for decision in tree.root.decisions:
        console.print(Text(one_line(": ".join(filter(None, why(decision))))))
    console.print(_drawing(record, tree, judge))
    _print_result(console, record, tree)
    if same := bought(record.usage):
        console.print(Text(f"the same FLOPs give {same}", style="dim"), soft_wrap=True)
    if vote:
        said = one_line(f"majority vote at equal FLOPs: {vote_said(vote)} ({SOURCE})")
        console.print(Text(said, style="dim"), soft_wrap=True)


def _print_result(console: Console, record: RunRecord, tree: Tree) -> None:
    if record.error:
        console.print(Text(f"failed: {one_line(record.error)}", style="bold"))
    if record.answer is not None or not record.error:
        console.print(_answer(record, tree))
    if said := too_long(record, tree):
        console.print(Text(said))
    console.print(Text(_cost(record)))


def bought(usage: Usage) -> str:
    """The tokens that large models would generate for the same FLOPs, by both conventions; empty if not known."""
    paper, whole = flops(usage)
    if not paper or not whole:
        return ""
    parts = [
        f"{numbers.fraction(tokens_for(paper, size))} tokens of {name} "
        f"(all: {numbers.fraction(tokens_for(whole, size))})"
        for name, size in LARGE_MODELS.items()
    ]
    return ", ".join(parts)


#: Columns of `runs` that give way on a narrow terminal, the first one first; ids and answers stay.
_GIVING_WAY = ("problem", "created (UTC)", "N", "strategy", "", "status")


def print_runs(records: Sequence[RunRecord]) -> None:
    from engine.store.ids import SHOWN

    rows = [
        {
            "run": record.id[:SHOWN], "created (UTC)": record.created_at[:16].replace("T", " "),
            "strategy": record.strategy, "N": str(record.params.get("n", "")), "status": record.status,
            "answer": one_line(record.answer or ""), "": run_outcome(record), "problem": one_line(record.problem),
        }
        for record in records
    ]  # fmt: skip
    console = console_for_text()
    table = Table(box=None, pad_edge=False, expand=True)
    for name in fitting(rows, _GIVING_WAY, console.width):
        if name == "problem":
            table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=1)  # gives way to the others
        else:
            table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=_WIDEST)
    for row in rows:
        table.add_row(*(Text(row[str(column.header)]) for column in table.columns))
    console.print(table)


def fitting(rows: Sequence[Mapping[str, str]], giving_way: Sequence[str], width: int) -> list[str]:
    """The columns of a table for which a terminal has room."""
    widest = {name: max([len(name), *(len(row[name]) for row in rows)]) for name in rows[0]}
    needed = {name: _LEAST_PROBLEM if name == "problem" else min(_WIDEST, size) for name, size in widest.items()}
    for name in giving_way:
        if sum(needed.values()) + _GAP * (len(needed) - 1) <= width:
            break
        del needed[name]
    return list(needed)


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


class _Paper(Console):
    """A console that leaves it to the command what a reader that has gone means."""

    def on_broken_pipe(self) -> None:
        raise


def console_for_text() -> Console:
    console = _Paper(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _PAPER)
    return console


def _answer(record: RunRecord, tree: Tree) -> Text:
    state = "" if record.status == "done" else record.status
    stop = stopped_by(record)
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
    return " | ".join(spent(record))


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
            below = branch.add(label)
            open_branches.append((child, below if child.depth < _DEEPEST else branch))
    return root


def _label(record: RunRecord, node: Node, judge: str | None, on_path: bool, chosen: bool) -> Text:
    """Two parts: the facts of a step in one line, then its text."""
    shape = _CHOSEN if chosen else _ON_PATH if on_path else _SHAPES[node.status]
    line = Text(f"{shape} #{node.id} ", style="bold" if on_path else "")
    if node.depth > _DEEPEST:
        line.append(f"below #{node.parent} ")
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
        known = record.reference_answer is not None or (grade is not None and grade.correct is not None)
        graded = outcome(record, grade.correct if grade else None) if known else ""
        line.append(f"  answer {one_line(node.answer)} {graded}".rstrip())
    words = "\n".join(filter(str.strip, printable(node.text).splitlines()))
    line.append(f"\n{words}", style="" if on_path else "dim" if node.status == "pruned" else "")
    for name, critique in node.critiques.items() if on_path else ():
        by = "" if name == judge else f" by {one_line(name)}"
        line.append(f"\ncritique{by}: {_shortened(critique)}", style="italic")
    return line


def _shortened(critique: str) -> str:
    """One line of it; the page shows all."""
    line = one_line(critique)
    return line if len(line) <= _CRITIQUE else f"{line[:_CRITIQUE].rstrip()} … ({len(critique.split())} words)"


def _chip(score: float | None) -> Text:
    """The number on its colour."""
    if score is None:
        return Text(f" {numbers.NOT_AVAILABLE} ", style="dim")
    at = min(1.0, max(0.0, score)) * (len(_VIRIDIS) - 1)
    low = min(len(_VIRIDIS) - 2, int(at))
    mixed = [round(a + (b - a) * (at - low)) for a, b in zip(_VIRIDIS[low], _VIRIDIS[low + 1], strict=True)]
    ink = "black" if score > 0.45 else "white"
    return Text(f" {numbers.score(score)} ", style=Style(color=ink, bgcolor="#{:02x}{:02x}{:02x}".format(*mixed)))
