"""What stands above a lesson's trees, and what is said of the step that is selected in them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.search.tree import Node, Tree
from engine.store import RunRecord
from tts_ui.web.parts.feed import Feed
from tts_ui.web.parts.fragments import answer_line, answered, drawn, outcome_mark, outcome_of, reasons, truth_word
from tts_ui.words import numbers
from tts_ui.words.interface.markup import marked
from tts_ui.words.results import flops


def hint() -> str:
    """What stands in place of a step until one is selected."""
    return f'<p class="hint">{marked("learn_tree.select")}</p>'


def search_head(_place: int, label: str, record: RunRecord, tree: Tree) -> str:
    """The name of a search above what it came to and its bill, so far as it is known at this moment."""
    usage, parts = record.usage, [answer_line(record, tree)]
    if record.bill_known:
        wrote, read = (f"<b>{numbers.count(each)}</b>" for each in (usage.generated_tokens, usage.scored_tokens))
        parts.append(marked("learn_tree.wrote", n=usage.generated_tokens, count=wrote))
        parts.append(marked("learn_tree.judge_read", count=read) if record.scorer else marked("learn_tree.no_judge"))
        parts.append(marked("learn_tree.computing", flops=f"<b>{numbers.flops(flops(usage)[1])}</b>"))
    told = "".join(f"<span>{part}</span>" for part in parts)
    return f'<h3 class="learn-search">{escape(label)}</h3><div class="strip">{told}</div>'


def node_at(feed: Feed, node: int | None) -> Node | None:
    """The node of this id, where the tree has it."""
    return feed.tree[node] if node is not None and 0 <= node < len(feed.tree) else None


def side_by_side(labels: Sequence[str], feeds: Sequence[Feed], nodes: Sequence[Node | None]) -> str:
    """A column for each search in which the step occurs."""
    told = zip(labels, feeds, nodes, strict=True)
    columns = "".join(
        f"<section><h3>{escape(label)}</h3>{_column(feed, node)}</section>" for label, feed, node in told if node
    )
    return f'<div class="side">{columns}</div>'


def _column(feed: Feed, node: Node) -> str:
    if node.parent is None:
        first = sum(child.copies for child in feed.tree.children(node))
        return f'<p class="facts">{marked("learn_tree.first_steps", n=first)}</p>'
    chosen = feed.tree.chosen is not None and node in feed.tree.path(feed.tree[feed.tree.chosen])
    grounds = "".join(f"<li>{line}</li>" for line in reasons(node, chosen))
    verdict = feed.truth[node.id] if feed.truth else None
    facts = [drawn(node)]
    if node.answer is not None:
        facts.append(answered(node.answer, outcome_mark(feed.record, outcome_of(feed.record, node))))
    score = f"<b>{numbers.score(node.scores.get(feed.judge or ''))}</b>"
    judged = marked("learn_tree.judged", score=score) if feed.judge else marked("learn_tree.no_judge")
    truth = f" &middot; {marked('learn_tree.in_truth', verdict=truth_word(verdict))}" if verdict else ""
    told = " &middot; ".join(facts)
    return f'<p class="score">{judged}{truth}</p><ul class="why">{grounds}</ul><p class="facts">{told}</p>'
