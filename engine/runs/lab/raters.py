"""Who has judged the steps of a selection of runs (people, files, exact checks, rollouts, PRMs), and how they agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from engine.runs.lab.sources import EXACT, SourceKind, Sources
from engine.runs.statistics.kappa import Kappa, cohen
from engine.search.events import Event
from engine.search.tree import Tree
from engine.search.truth import Truth
from engine.store import RunRecord

#: The kinds of raters, in the order in which they are listed. A `judge` is a PRM, read at a threshold.
RaterKind = Literal["human", "imported", "exact", "estimated", "judge"]
_KINDS: tuple[RaterKind, ...] = ("human", "imported", "exact", "estimated", "judge")

RATINGS, RIGHT_WRONG = (-1, 0, 1), (-1, 1)
#: A step: its run and its node.
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """What two raters said of the steps that both have judged. `weighted` is kappa with linear weights, where both know
    neutral steps; elsewhere a neutral step counts as right. `differ` are the steps where they differ, with what the
    first and the second said."""

    first: str
    second: str
    kappa: Kappa
    weighted: Kappa | None
    differ: tuple[tuple[Place, int, int], ...]


@dataclass(slots=True)
class Raters:
    """Everybody's ratings (-1, 0, 1) of the steps of some runs."""

    kinds: dict[str, RaterKind] = field(default_factory=dict)
    said: dict[str, dict[Place, int]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def names(self) -> list[str]:
        return sorted(self.kinds, key=lambda name: (_KINDS.index(self.kinds[name]), name))

    def take(
        self, record: RunRecord, tree: Tree, events: Sequence[Event], truth: Truth | None, threshold: float
    ) -> None:
        """Take in a run; a PRM's score of `threshold` or more says that a step is right."""
        sources = Sources.of(events)
        for judge in sources.judges:
            kind: SourceKind | None = sources.kind(judge)
            if kind:
                self._take(judge, kind, record, sources.ratings(judge))
        if truth is not None:
            verdicts = {node.id: truth[node.id] for node in tree.nodes[1:]}
            exact = {node: 1 if verdict == "right" else -1 for node, verdict in verdicts.items() if verdict in _JUDGED}
            self._take(EXACT, "exact", record, exact)
        scored: dict[str, dict[int, int]] = defaultdict(dict)
        for node in tree.nodes[1:]:
            for judge, value in node.scores.items():
                if sources.kind(judge) is None:
                    scored[judge][node.id] = 1 if value >= threshold else -1
        for judge, ratings in scored.items():
            self._take(judge, "judge", record, ratings)

    def _take(self, name: str, kind: RaterKind, record: RunRecord, ratings: Mapping[int, int]) -> None:
        self.kinds.setdefault(name, kind)
        self.said[name] |= {(record.id, node): rating for node, rating in ratings.items()}

    def pairs(self) -> list[Pair]:
        """Every two of whom at least one is a person or a file, and who have judged a step in common."""
        people = [name for name in self.names if self.kinds[name] in ("human", "imported")]
        every = ((one, other) for one, other in combinations(self.names, 2) if one in people or other in people)
        return [pair for one, other in every if (pair := self._pair(one, other)).kappa.n]

    def _pair(self, one: str, other: str) -> Pair:
        shared = sorted(self.said[one].keys() & self.said[other].keys())
        both = all(self.kinds[name] in ("human", "imported") for name in (one, other))
        told = [(place, self.said[one][place], self.said[other][place]) for place in shared]
        if not both:
            told = [(place, first or 1, second or 1) for place, first, second in told]
        ratings = [(first, second) for _, first, second in told]
        weighted = cohen(ratings, RATINGS, linear=True) if both else None
        differ = tuple((place, first, second) for place, first, second in told if first != second)
        return Pair(one, other, cohen(ratings, RATINGS if both else RIGHT_WRONG), weighted, differ)


_JUDGED = ("right", "wrong")


def labellable(tree: Tree) -> list[int]:
    """The steps that say something; a bare end of an answer is none."""
    return [node.id for node in tree.nodes[1:] if node.text.strip()]


def next_unlabelled(tree: Tree, done: Iterable[int]) -> int | None:
    """The step to label next: on the chosen path if one is left there, else the first one drawn."""
    known = set(done)
    left = [node for node in labellable(tree) if node not in known]
    chosen = {step.id for step in tree.path(tree[tree.chosen])} if tree.chosen is not None else set()
    return next((node for node in left if node in chosen), left[0] if left else None)
