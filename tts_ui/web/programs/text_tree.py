"""A run's tree as plain text, for programs and for hosts that show no pages."""

from __future__ import annotations

from engine.characters import STEERING
from engine.search.tree import Node, Tree
from engine.store import RunRecord
from tts_ui.words import numbers
from tts_ui.words.results import no_answer, run_outcome, weighed_votes
from tts_ui.words.texts import short, without_number

#: Steps that are drawn, and characters of each.
_STEPS, _LETTERS = 400, 160


def text_tree(record: RunRecord, tree: Tree) -> str:
    """The problem, each step with its score and what became of it, and the answer. `*` marks the chosen path."""
    on_path = {node.id for node in tree.path(tree[tree.chosen])} if tree.chosen is not None else set()
    lines = [_one_line(tree.root.text)]
    due = [(child, "") for child in reversed(tree.children(tree.root))]
    while due and len(lines) <= _STEPS:
        node, indent = due.pop()
        lines.append(f"{indent}{'*' if node.id in on_path else '-'} {_step(record, node)}")
        due += [(child, f"{indent}  ") for child in reversed(tree.children(node))]
    if len(tree) - 1 > _STEPS:
        lines.append(f"... {len(tree) - 1 - _STEPS:,} more steps")
    lines.append(answer_line(record, tree))
    return "\n".join(lines)


def answer_line(record: RunRecord, tree: Tree) -> str:
    """What the run found, and who voted for it."""
    if record.answer is None:
        return f"{no_answer()}; the run is {record.status}"
    facts = [fact for fact in (run_outcome(record), weighed_votes(record, tree)) if fact]
    ended = "" if record.status == "done" else f"; the run is {record.status}"
    return f"answer: {_one_line(record.answer)} ({', '.join(facts)}){ended}"


def _step(record: RunRecord, node: Node) -> str:
    score = node.scores.get(record.judge or "")
    facts = [
        numbers.score(score) if score is not None else "",
        node.status,
        f"drawn {node.copies} times" if node.copies > 1 else "",
        f"answer {_one_line(node.answer)}" if node.answer is not None else "",
    ]
    return f"[{node.id}: {', '.join(filter(None, facts))}] {_one_line(without_number(node.text, node.depth))}"


def _one_line(text: str) -> str:
    """What could steer a terminal that prints it is made visible."""
    return STEERING.sub("\ufffd", short(" ".join(text.split()), _LETTERS))
