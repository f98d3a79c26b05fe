"""A run as GraphML, for graph programs (Gephi, yEd, networkx): one node per step, one edge to each next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import networkx as nx

from engine.characters import NOT_IN_XML, referenced
from engine.search.events import Event
from engine.search.tree import Node, Tree
from engine.store.records import RunRecord

_LABEL_CHARS = 60


def render(record: RunRecord, events: Sequence[Event]) -> bytes:
    """The tree. Missing values are left out; a node's label is the start of its text."""
    tree = Tree.from_events(events)
    graph: nx.DiGraph[int] = nx.DiGraph(**_legal(_run_attributes(record)))
    for node in tree.nodes:
        graph.add_node(node.id, **_legal(_attributes(tree, node)))
        if node.parent is not None:
            graph.add_edge(node.parent, node.id)
    return f"{referenced(chr(10).join(nx.generate_graphml(graph)))}\n".encode()


def _run_attributes(record: RunRecord) -> dict[str, Any]:
    return {
        "run": record.id,
        "problem": record.problem,
        "strategy": record.strategy,
        "policy": record.policy.name,
        "scorer": record.scorer.name if record.scorer else None,
        "status": record.status,
        "answer": record.answer,
        "correct": record.correct,
    }


def _attributes(tree: Tree, node: Node) -> dict[str, Any]:
    line = " ".join(node.text.split())
    return {
        "label": line if len(line) <= _LABEL_CHARS else line[: _LABEL_CHARS - 1] + "…",
        "text": node.text,
        "depth": node.depth,
        "tokens": node.tokens,
        "logprob": node.logprob,
        "confidence": node.confidence,
        "certainty": node.certainty,
        "finish": node.finish,
        "copies": node.copies,
        "origin": node.origin,
        "status": node.status,
        "answer": node.answer,
        "seq": node.seq,
        "chosen": node.id == tree.chosen,
        **{f"score {scorer}": value for scorer, value in node.scores.items()},
    }


def _legal(attributes: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in attributes.items() if value is not None}
    return {
        NOT_IN_XML.sub("", name): NOT_IN_XML.sub("", value) if isinstance(value, str) else value
        for name, value in known.items()
    }
