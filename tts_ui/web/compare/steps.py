"""The detail pane: the selected step, and side by side what happened to it in every tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from engine.search.tree import Node
from tts_ui.web.compare.table import badge
from tts_ui.web.parts.critiques import critiques
from tts_ui.web.parts.feed import Shown
from tts_ui.web.parts.fragments import answered, drawn, outcome_mark, outcome_of, reasons
from tts_ui.words import numbers
from tts_ui.words.interface.markup import marked


def hint() -> str:
    """What stands in place of a step until one is selected."""
    return f'<p class="hint">{marked("compare.select")}</p>'


def side_by_side(labels: Sequence[str], runs: Sequence[Shown], selected: Mapping[str, int | None]) -> str:
    """One column per run; `selected` is run id -> node, None where the step does not occur."""
    columns = ""
    for place, (label, shown) in enumerate(zip(labels, runs, strict=True)):
        record, tree, _ = shown
        node_id = selected.get(record.id)
        known = node_id is not None and 0 <= node_id < len(tree)
        body = _column(shown, tree[node_id]) if known and node_id is not None else _absent()
        columns += f"<section><h2>{badge(place)} {escape(label)}</h2>{body}</section>"
    return f'<div class="side">{columns}</div>'


def _absent() -> str:
    return f'<p class="hint">{marked("compare.absent")}</p>'


def _column(shown: Shown, node: Node) -> str:
    record, tree, judge = shown
    place = urlencode({"run": record.id, "node": node.id})
    alone = f'<p class="facts"><a href="./?{place}">{marked("compare.open")}</a></p>'
    if node.parent is None:
        grounds = "".join(f"<li>{line}</li>" for line in reasons(node, False)) if node.decisions else ""
        draws = sum(child.copies for child in tree.children(node))
        first = marked("compare.first_steps", n=draws, different=len(node.children))
        return f'<ul class="why">{grounds}</ul><p class="facts">{first}</p>{alone}'
    chosen = tree.chosen is not None and node in tree.path(tree[tree.chosen])
    grounds = "".join(f"<li>{line}</li>" for line in reasons(node, chosen))
    facts = [
        drawn(node),
        _next_steps(len(node.children)),
    ]
    if node.answer is not None:
        mark = outcome_mark(record, outcome_of(record, node)) if record.status != "running" else ""
        facts.append(answered(node.answer, mark))
    return (
        f'<p class="score">{_score(judge, node)}</p><ul class="why">{grounds}</ul>'
        f'<p class="facts">{" &middot; ".join(facts)}</p>{critiques(node, judge)}{alone}'
    )


def _next_steps(count: int) -> str:
    return marked("compare.next_steps", n=count) if count else marked("compare.no_next")


def _score(judge: str | None, node: Node) -> str:
    if judge is None:
        return marked("compare.no_prm")
    return marked("strip.read", count=f"<b>{numbers.score(node.scores.get(judge))}</b>")
