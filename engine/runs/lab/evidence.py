"""What recorded trees say of a judge: its scores beside what is known of each step and of each path.

Three things may be known of a step, and they are not the same. The *truth* is whether the step and all before it are
right, by an exact checker or by labels that people gave. *Rollout success* is the share of draws from the step that
ended right: a wrong step that the policy mends has some, a right step that it cannot finish has none. Draws count as
rollouts only where no judge chose among them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.domains import Domains
from engine.search.events import Event, StepScored
from engine.search.tree import Node, Tree
from engine.search.truth import Truth, Verdict
from engine.store import RunRecord, Store

#: Strategies whose draws no judge has chosen among.
FREE = ("majority_vote", "best_of_n", "greedy")
#: Kinds of scores that are labels, not a judge's.
LABELS = ("human", "exact")
#: Steps that are read at most; beyond it runs are left out.
MOST_STEPS = 400_000
_WORDS = 70
_NUMBERED = re.compile(r"^#*\s*Step \d+[:.]\s*")


@dataclass(frozen=True, slots=True)
class ScoredStep:
    """A step that the judge has scored. `before` is its score of the step before; `rolled` counts rollouts from here,
    those that ended right and all; `passed` the tokens up to its end."""

    node: int
    depth: int
    tokens: int
    passed: int
    score: float
    before: float | None
    verdict: Verdict | None
    rolled: tuple[int, int] | None
    words: str


@dataclass(frozen=True, slots=True)
class ScoredPath:
    """A finished completion all of whose steps the judge has scored; `answer` is the group of its answer."""

    leaf: int
    steps: tuple[ScoredStep, ...]
    tokens: int
    copies: int
    correct: bool | None
    answer: str | None

    @property
    def scores(self) -> list[float]:
        return [step.score for step in self.steps]

    @property
    def first_wrong(self) -> int | None:
        """The place of the first wrong step, from 0; None where there is none. Ask only where `checked`."""
        return next((place for place, step in enumerate(self.steps) if step.verdict == "wrong"), None)

    @property
    def checked(self) -> bool:
        return all(step.verdict for step in self.steps)


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """One run under one judge."""

    run: str
    problem: str
    policy: str
    family: str | None
    draws: tuple[str, ...] | None  # what the draws derive from: runs that agree share them; None: a judge chose
    steps: tuple[ScoredStep, ...]
    paths: tuple[ScoredPath, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A selection of runs under one judge. `read` counts the runs that were read, `left_out` those that were not
    because there were too many steps."""

    judge: str
    runs: tuple[RunEvidence, ...]
    read: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one recorded tree, whatever the judge."""

    record: RunRecord
    tree: Tree
    family: str | None
    verdicts: Mapping[int, Verdict]
    rolled: Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Trees:
    """Recorded trees that were read once, for any of the judges that scored them."""

    known: tuple[_Known, ...]
    left_out: int = 0
    judges: Counter[str] = field(default_factory=Counter)

    def evidence(self, judge: str) -> Evidence:
        runs = [_scored(each, judge) for each in self.known]
        return Evidence(judge, tuple(run for run in runs if run.steps), len(self.known), self.left_out)


def read(store: Store, domains: Domains, records: Iterable[RunRecord]) -> Trees:
    """Read the trees of `records`, in their order, as long as there is room for their steps. Takes a while: not for an
    event loop."""
    known: list[_Known] = []
    judges: Counter[str] = Counter()
    steps, left_out = 0, 0
    for each in records:
        if steps > MOST_STEPS:
            left_out += 1
            continue
        record, events = store.read(each.id)
        one = _known(record, events, domains)
        known.append(one)
        steps += len(one.tree)
        judges.update(_judges(events))
    return Trees(tuple(known), left_out, judges)


def _judges(events: Iterable[Event]) -> set[str]:
    return {e.scorer for e in events if isinstance(e, StepScored) and e.kind in ("measured", "imported")}


def _known(record: RunRecord, events: Sequence[Event], domains: Domains) -> _Known:
    tree, domain = Tree.from_events(events), domains[record.domain]
    checker = domain.step_checker(record.problem)
    verdicts: dict[int, Verdict] = {}
    if checker is not None:
        truth = Truth(checker)
        truth.take(tree.nodes[1:])
        verdicts = {node.id: verdict for node in tree.nodes[1:] if (verdict := truth[node.id])}
    scored = [event for event in events if isinstance(event, StepScored)]
    if not verdicts:
        verdicts = _labelled(tree, {each.node: each.value for each in scored if each.kind in LABELS})
    rolled = _draws_below(record, tree) if record.strategy in FREE and record.reference_answer is not None else {}
    rolled |= {
        each.node: (round(each.value * each.n), each.n) for each in scored if each.kind == "estimated" and each.n
    }
    return _Known(record, tree, domain.family(record.problem), verdicts, rolled)


def _labelled(tree: Tree, labels: Mapping[int, float]) -> dict[int, Verdict]:
    """Verdicts from labels: below a half is wrong, and what comes after a wrong step is not right any more."""
    verdicts: dict[int, Verdict] = {}
    for node in tree.nodes[1:]:
        if verdicts.get(node.parent or 0) in ("wrong", "after"):
            verdicts[node.id] = "after"
        elif node.id in labels:
            verdicts[node.id] = "right" if labels[node.id] >= 0.5 else "wrong"
    return verdicts


def _draws_below(record: RunRecord, tree: Tree) -> dict[int, tuple[int, int]]:
    counts = [(0, 0)] * len(tree)
    for leaf in tree.completions():
        right = leaf.copies if _correct(record, leaf) else 0
        counts[leaf.id] = (right, leaf.copies)
    for node in reversed(tree.nodes[1:]):  # children come after their parents
        (right, of), (more, ended) = counts[node.parent or 0], counts[node.id]
        counts[node.parent or 0] = (right + more, of + ended)
    return {node.id: counts[node.id] for node in tree.nodes[1:] if counts[node.id][1]}


def _correct(record: RunRecord, leaf: Node) -> bool | None:
    """Whether a completion ended right; without an answer it did not, where there is anything to grade by."""
    if record.reference_answer is None:
        return None
    grade = record.grades.get(leaf.answer) if leaf.answer is not None else None
    return False if leaf.answer is None else grade.correct if grade else None


def _scored(known: _Known, judge: str) -> RunEvidence:
    record, tree = known.record, known.tree
    steps: dict[int, ScoredStep] = {}
    passed = [0] * len(tree)
    for node in tree.nodes[1:]:
        assert node.parent is not None
        passed[node.id] = passed[node.parent] + node.tokens
        if (score := node.scores.get(judge)) is not None:
            steps[node.id] = ScoredStep(
                node.id, node.depth, node.tokens, passed[node.id], score, tree[node.parent].scores.get(judge),
                known.verdicts.get(node.id), known.rolled.get(node.id),
                _NUMBERED.sub("", " ".join(node.text.split()))[:_WORDS],
            )  # fmt: skip
    paths = []
    for leaf in tree.completions():
        path = [node for node in tree.path(leaf) if node.text.strip()]
        if path and all(node.id in steps for node in path):
            grade = record.grades.get(leaf.answer) if leaf.answer is not None else None
            paths.append(ScoredPath(
                leaf.id, tuple(steps[node.id] for node in path), passed[leaf.id], leaf.copies, _correct(record, leaf),
                grade.group if grade else leaf.answer,
            ))  # fmt: skip
    asked = record.params
    draws = (record.policy.name, *(str(asked.get(name)) for name in ("seed", "temperature", "top_p", "max_tokens")))
    free = record.strategy in FREE and not asked.get("stop")  # a run that stops once it is sure agrees too often
    return RunEvidence(
        record.id, record.problem, record.policy.name, known.family, draws if free else None, tuple(steps.values()),
        tuple(paths),
    )  # fmt: skip
