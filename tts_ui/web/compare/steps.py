"""The detail pane: the selected step, and side by side what happened to it in every tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from engine.search.tree import Node
from tts_ui.web.compare.table import badge
from tts_ui.web.parts.feed import Feed
from tts_ui.web.parts.fragments import outcome_mark, outcome_of, reasons
from tts_ui.words import numbers

HINT = (
    '<p class="hint">Click a step in one tree, or walk it with the arrow keys: the same step is selected in the '
    "others, and what happened to it in each is shown here.</p>"
)


def step_head(node: Node) -> str:
    name = "Problem" if node.parent is None else f"Step {node.depth}"
    return f'<div class="head"><b>{name}</b></div>'


def side_by_side(labels: Sequence[str], feeds: Sequence[Feed], selected: Mapping[str, int | None]) -> str:
    """One column per run; `selected` is run id -> node, None where the step does not occur."""
    columns = ""
    for place, (label, feed) in enumerate(zip(labels, feeds, strict=True)):
        record, tree = feed.record, feed.tree
        node_id = selected.get(record.id)
        known = node_id is not None and 0 <= node_id < len(tree)
        body = _column(feed, tree[node_id]) if known and node_id is not None else _ABSENT
        columns += f"<section><h4>{badge(place)} {escape(label)}</h4>{body}</section>"
    return f'<div class="side">{columns}</div>'


_ABSENT = '<p class="hint">This step does not occur here.</p>'


def _column(feed: Feed, node: Node) -> str:
    record, tree = feed.record, feed.tree
    alone = f'<p class="facts"><a href="./?{urlencode({"run": record.id, "node": node.id})}">open in Explore</a></p>'
    if node.parent is None:
        grounds = "".join(f"<li>{line}</li>" for line in reasons(node, False)) if node.decisions else ""
        first = (
            f"{sum(child.copies for child in tree.children(node))} draws, {len(node.children)} different first steps"
        )
        return f'<ul class="why">{grounds}</ul><p class="facts">{first}</p>{alone}'
    chosen = tree.chosen is not None and node in tree.path(tree[tree.chosen])
    grounds = "".join(f"<li>{line}</li>" for line in reasons(node, chosen))
    facts = [
        f"drawn {node.copies} times" if node.copies > 1 else "drawn once",
        _next_steps(len(node.children)),
    ]
    if node.answer is not None:
        facts.append(f"answer <b>{escape(node.answer)}</b> {outcome_mark(record, outcome_of(record, node))}")
    return (
        f'<p class="score">{_score(feed.judge, node)}</p><ul class="why">{grounds}</ul>'
        f'<p class="facts">{" &middot; ".join(facts)}</p>{alone}'
    )


def _next_steps(count: int) -> str:
    return f"{count} different next steps" if count > 1 else "one next step" if count else "nothing drawn below it"


def _score(judge: str | None, node: Node) -> str:
    if judge is None:
        return "no PRM was used"
    return f"PRM <b>{numbers.score(node.scores.get(judge))}</b>"
