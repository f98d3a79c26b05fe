"""A run as an importer finds it in a file: a tree that grows step by step, and what the file says about it.

A draft numbers its steps level by level, so that an imported tree can be replayed: the steps of a level, their scores,
what was decided about them. It becomes a run document (`document`), which is checked like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from engine.errors import InvalidInput
from engine.search.events import Finish, NodeOrigin, ScoreKind

#: What stands where a file does not say which model it was.
UNNAMED_POLICY, UNNAMED_SCORER = "policy not recorded", "PRM not recorded"


@dataclass(frozen=True, slots=True)
class Score:
    value: float
    kind: ScoreKind = "imported"
    n: int | None = None


@dataclass(slots=True)
class Step:
    """A step below `parent` (an index in `Draft.steps`). `verdict`: whether the file says that its answer is right."""

    parent: int
    depth: int
    text: str
    finish: Finish = "step"
    copies: int = 1
    origin: NodeOrigin = "import"
    answer: str | None = None
    verdict: bool | None = None
    logprob: float | None = None
    tokens: int = 0
    scores: dict[str, Score] = field(default_factory=dict)
    decisions: list[tuple[str, str, Mapping[str, float]]] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """One run. `scorer` is the judge whose scores are shown first, None where the file has none.

    `chosen` is the leaf (an index in `steps`) that the file says was chosen; None: the rule `select` chooses.
    `warnings` become the run's warning. `verdict` is what the file says of the run as a whole. `joint` is what stands
    between two steps where the file leaves it out; `answers_end`: a last step that gives an answer ended its completion
    (the file does not say which ones did).
    """

    problem: str
    reference: str | None = None
    strategy: str = "best_of_n"
    policy: str = UNNAMED_POLICY
    scorer: str | None = None
    select: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    created_at: str | None = None
    verdict: bool | None = None
    chosen: int | None = None
    warnings: list[str] = field(default_factory=list)
    joint: str = ""
    answers_end: bool = False
    steps: list[Step] = field(init=False)
    _outside: dict[str, tuple[int, str]] = field(default_factory=dict)
    _index: dict[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = [Step(-1, 0, self.problem)]

    def add(self, parent: int, text: str, origin: NodeOrigin = "import") -> int:
        """A new step below `parent`; returns its index."""
        self.steps.append(Step(parent, self.steps[parent].depth + 1, text, origin=origin))
        return len(self.steps) - 1

    def child(self, parent: int, text: str) -> tuple[int, bool]:
        """The step below `parent` with this text, and whether it is new: identical siblings are one step."""
        known = self._index.get((parent, text))
        if known is not None:
            return known, False
        self._index[parent, text] = added = self.add(parent, text)
        return added, True

    def finish(self, step: int, reason: Finish = "eos") -> None:
        """Note that a completion ends here; one more of the same raises the copies."""
        leaf = self.steps[step]
        if leaf.finish != "step":
            leaf.copies += 1
            return
        leaf.finish = reason
        leaf.decisions.append(("finish", reason, {}))

    def decide(self, step: int, action: str, numbers: Mapping[str, float] | None = None) -> None:
        """Note what the file says was done with a step (`recorded` in `engine.search.events.REASONS`)."""
        self.steps[step].decisions.append((action, "recorded", numbers or {}))

    def score(self, step: int, scorer: str, value: object, place: str, kind: ScoreKind = "imported") -> float | None:
        """Note a score; returns it. One that is not between 0 and 1 is left out, which the run's warning says; what is
        no number is refused. None (not scored) is taken as such."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            raise InvalidInput("FILE", f"{place}: {str(value)[:40]!r} is not a score; write a number from 0 to 1")
        if not 0 <= value <= 1:
            count, first = self._outside.get(scorer, (0, f"{value:g} at {place}"))
            self._outside[scorer] = count + 1, first
            return None
        self.steps[step].scores.setdefault(scorer, Score(float(value), kind))
        return float(value)

    def warning(self) -> str | None:
        """Everything that looked wrong, in one line."""
        outside = [
            f"{count} score{'s' if count > 1 else ''} of {scorer} {'are' if count > 1 else 'is'} not between 0 and 1 "
            f"and {'are' if count > 1 else 'is'} left out (the first is {first})"
            for scorer, (count, first) in self._outside.items()
        ]
        return "; ".join(dict.fromkeys([*self.warnings, *outside])) or None

    def path(self, step: int) -> str:
        """The text from the first step to this one."""
        texts: list[str] = []
        while step > 0:
            texts.append(self.steps[step].text)
            step = self.steps[step].parent
        return self.joint.join(reversed(texts))

    def ends(self) -> list[int]:
        """The steps that no other follows."""
        parents = {step.parent for step in self.steps}
        return [at for at in range(1, len(self.steps)) if at not in parents]

    def leaves(self) -> Iterator[int]:
        """Where completions end."""
        return (at for at, step in enumerate(self.steps) if at and step.finish != "step")

    def rule(self) -> str:
        """The rule under which the run is read: votes weighted by the last score, if there are scores."""
        return self.select or ("prm_last_vote" if self.scorer else "majority_vote")

    def document(self, run_id: str, created_at: str) -> tuple[dict[str, Any], list[int]]:
        """The run document, and for each step of the draft the id of its node."""
        if self.joint:
            for at in {step.parent for step in self.steps if step.parent > 0}:
                self.steps[at].text += self.joint
            self.joint = ""
        order = sorted(range(len(self.steps)), key=lambda at: (self.steps[at].depth, at))
        ids = [0] * len(order)
        for node, at in enumerate(order):
            ids[at] = node
        parts: dict[str, list[dict[str, Any]]] = {"nodes": [], "scores": [], "decisions": []}
        seq = 0
        level: list[int] = []
        for at in order:
            if level and self.steps[at].depth != self.steps[level[0]].depth:
                seq = self._level(level, ids, parts, seq)
                level = []
            level.append(at)
        self._level(level, ids, parts, seq)
        run = {
            "id": run_id, "created_at": self.created_at or created_at, "problem": self.problem,
            "reference_answer": self.reference, "strategy": self.strategy,
            "params": {**self.params, "select": self.rule()}, "policy": self.policy, "scorer": self.scorer,
            "status": "done", "origin": "import",
        }  # fmt: skip
        return {"format": "tts-ui.run", "version": 1, "run": run, "usage": self.usage, **parts}, ids

    def _level(self, level: list[int], ids: list[int], parts: dict[str, list[dict[str, Any]]], seq: int) -> int:
        """Write out the steps of one level; returns the next free seq."""
        for at in level:
            step = self.steps[at]
            parts["nodes"].append({
                "id": ids[at], "parent": ids[step.parent] if at else None, "depth": step.depth, "text": step.text,
                "tokens": step.tokens, "logprob": step.logprob, "finish": step.finish, "copies": step.copies,
                "origin": step.origin, "answer": step.answer, "seq": seq,
            })  # fmt: skip
            seq += 1
        for at in level:
            for scorer, score in self.steps[at].scores.items():
                entry = {"node": ids[at], "scorer": scorer, "value": score.value, "kind": score.kind, "seq": seq}
                parts["scores"].append(entry if score.n is None else entry | {"n": score.n})
                seq += 1
        for at in level:
            for action, reason, numbers in self.steps[at].decisions:
                parts["decisions"].append(
                    {"node": ids[at], "action": action, "reason": reason, "numbers": dict(numbers), "seq": seq}
                )
                seq += 1
        return seq
