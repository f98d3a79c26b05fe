"""What a page that is sent to others tells of a run, as plain data. Only what is named here gets into it: nothing that
says on which machine, from which files or with which keys it was made, and no error, which may name any of these.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.domains import Domains
from engine.search.params import PARAMETERS
from engine.search.tree import Node, Tree
from engine.search.truth import Truth
from engine.store import RunRecord
from tts_ui.web.parts.feed import Feed
from tts_ui.web.parts.steps import markdown
from tts_ui.words import numbers, parameters
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.parameters import LETTERS
from tts_ui.words.reasons import latest, why
from tts_ui.words.results import cost_columns, costs, no_answer, outcome, run_outcome, votes, weighed_votes
from tts_ui.words.texts import RENDERED

#: A text with formulas between its plain parts: of a formula its TeX, and whether it stands on a line of its own.
Piece = str | tuple[str, bool]

_FORMULA = re.compile(
    r"\$\$(?P<a>.+?)\$\$|\\\[(?P<b>.+?)\\\]|\\\((?P<c>.+?)\\\)|\$(?P<d>(?:[^$\\]|\\.)+?)\$", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of runs with the formulas of their domains."""

    domains: Domains

    def runs(self, feeds: Sequence[Feed]) -> list[dict[str, Any]]:
        labels = parameters.labels([feed.record for feed in feeds])
        return [
            {"letter": LETTERS[place] if len(feeds) > 1 else "", "label": label, **self._run(feed)}
            for place, (feed, label) in enumerate(zip(feeds, labels, strict=True))
        ]

    def _run(self, feed: Feed) -> dict[str, Any]:
        record, tree = feed.record, feed.tree
        return {
            "id": record.id,
            "created": record.created_at[:16].replace("T", " "),
            "problem": record.problem,
            "reference": record.reference_answer,
            "policy": record.policy.name,
            "judge": record.judge,
            "settings": [
                [parameters.name(key), parameters.value(value)]
                for key, value in record.params.items()
                if key in PARAMETERS
            ],
            "status": record.status,
            "answer": record.answer,
            "outcome": run_outcome(record),
            "correct": record.correct,
            "votes": weighed_votes(record, tree) if record.judge else votes(record, tree),
            "cost": [
                list(row) for row in zip(cost_columns(), costs(record.usage, scored=bool(record.scorer)), strict=True)
            ],
            "chosen": tree.chosen,
            "answers": _answers(record, tree),
            "steps": [self._step(record, node, feed.truth) for node in tree.nodes],
            "lines": feed.value,
        }

    def _step(self, record: RunRecord, node: Node, truth: Truth | None) -> dict[str, Any]:
        """The place in the list is the step's id."""
        told: dict[str, Any] = {
            "parent": node.parent, "depth": node.depth, "status": node.status,
            "text": self._pieces(record.domain, node.text),
        }  # fmt: skip
        if node.scores:
            told["scores"] = {judge: round(value, 6) for judge, value in node.scores.items()}
        if node.critiques:
            told["critiques"] = dict(node.critiques)
        if node.decisions:
            told["why"] = [list(why(decision)) for decision in latest(node)]
        if node.parent is not None:
            told["facts"] = _facts(node, truth)
        if node.answer is not None:
            grade = record.grades.get(node.answer)
            told["answer"], told["correct"] = node.answer, grade.correct if grade else None
            told["outcome"] = outcome(record, told["correct"])
        return told

    def _pieces(self, domain: str, text: str) -> list[Piece]:
        source = markdown(self.domains, domain, text[:RENDERED])
        pieces: list[Piece] = []
        end = 0
        for found in _FORMULA.finditer(source):
            kind = found.lastgroup or ""
            pieces += [_plain(source[end : found.start()]), (found[kind], kind in ("a", "b"))]
            end = found.end()
        pieces.append(_plain(source[end:]) + text[RENDERED:])
        return [piece for piece in pieces if piece]


def _plain(source: str) -> str:
    """Markdown that shows a text literally, as that text again."""
    return html.unescape(source.replace("<br>", "\n"))


def _facts(node: Node, truth: Truth | None) -> str:
    verdict = truth[node.id] if truth else None
    facts = [
        say(f"story.{verdict}") if verdict else "",
        counted("tokens", node.tokens),
        say("step.logprob", value=numbers.nats(node.logprob)),
        say("story.sure", confidence=numbers.nats(node.confidence), certainty=numbers.nats(node.certainty)),
        say("step.drawn", n=node.copies) if node.copies > 1 else say("step.drawn_once"),
        "" if node.finish == "step" else say(f"finish.{node.finish}"),
    ]
    return ", ".join(filter(None, facts))


def _answers(record: RunRecord, tree: Tree) -> list[dict[str, Any]]:
    return [
        {
            "answer": no_answer() if group.answer is None else group.answer,
            "outcome": outcome(record, group.correct) if group.answer is not None else "",
            "correct": group.correct,
            "votes": group.votes,
            "weight": numbers.weight(group.weight),
            "best": numbers.score(group.best_score),
            "node": group.nodes[0],
        }
        for group in record.answers(tree)
    ]
