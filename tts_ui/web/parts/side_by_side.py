"""Several trees side by side: a place for each, the pane of the step that is selected in all of them, and what stands
above each at a moment of the replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from engine.domains import Domains
from engine.search.tree import Node, Tree
from engine.store import RunRecord
from tts_ui.web.parts.feed import Feed
from tts_ui.web.parts.moments import moment, then
from tts_ui.web.parts.steps import Pane, markdown, pane, rest
from tts_ui.words import parameters
from tts_ui.words.interface.markup import marked
from tts_ui.words.texts import without_number

#: What stands above a tree: made of its place, the name of its search, the run, and the tree.
Head = Callable[[int, str, RunRecord, Tree], str]


def column_classes(shown: bool) -> list[str]:
    """Of a tree's place. Hidden, not absent: Gradio forgets the properties of an absent component when one of them is
    updated."""
    return ["tree-column"] if shown else ["tree-column", "unused"]


def detail_pane(hint: str) -> Pane:
    """Put it into the current part of the page; `hint` says how to select a step."""
    with gr.Column(elem_id="detail"):
        return pane(hint)


def selected(nodes: Sequence[Node | None], trees: Sequence[Tree], node: int) -> Node:
    """The step that was selected, of those that are the same in each tree: the one whose id is `node`."""
    return next((each for each in nodes if each and each.id == node), None) or trees[0].root


def told(domains: Domains, domain: str, node: Node, facts: str) -> tuple[str, str, str]:
    """What the pane says of a step: its number, its text, and `facts`, what became of it in each tree."""
    name = marked("step.problem") if node.parent is None else marked("step.number", step=node.depth)
    return (
        f'<div class="head"><b>{name}</b></div>',
        markdown(domains, domain, without_number(node.text, node.depth)),
        rest(node.text) + facts,
    )


def heads_at(event: gr.EventData, feeds: Sequence[Feed], head: Head, places: int) -> tuple[Any, ...]:
    """What stands above each tree at the moment that the replay shows; nothing new above the others of `places`."""
    heads = []
    labels = parameters.labels([feed.record for feed in feeds])
    for place, (feed, label) in enumerate(zip(feeds, labels, strict=True)):
        seq = moment(event, feed.record.id)
        record, tree, _ = feed.at(seq)
        heads.append(then(head(place, label, record, tree), seq))
    return (*heads, *(gr.skip() for _ in range(places - len(heads))))
