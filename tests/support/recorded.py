"""Running a search in a test and keeping all that it emitted."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest import approx

from engine.domains.maths.domain import Maths
from engine.models.catalogue.catalogue import Models
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.domain import Domain
from engine.search.events import Event, RunFinished, StepScored, Usage
from engine.search.params import RunParams
from engine.search.policy import Policy
from engine.search.scorer import Scorer
from engine.search.tree import Tree

PROBLEM = "Compute 5 + 18 * 13 + 8 + 8 + 8."


@dataclass
class Recorded:
    """What the sink of one run was handed."""

    events: list[Event] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    finished: RunFinished | None = None

    def sink(self, events: Any, usage: Usage) -> None:
        self.events.extend(events)
        self.usages.append(usage)

    @property
    def usage(self) -> Usage:
        return self.usages[-1]

    @property
    def tree(self) -> Tree:
        return Tree.from_events(self.events)

    @property
    def scored(self) -> list[StepScored]:
        return [event for event in self.events if isinstance(event, StepScored)]

    @property
    def last(self) -> RunFinished:
        """The run's end, which must be the last event and the only one of its kind."""
        ends = [event for event in self.events if isinstance(event, RunFinished)]
        assert len(ends) == 1
        assert self.events[-1] is ends[0]
        return ends[0]


def assert_same_document(one: Recorded, other: Recorded, within: float = 1e-5) -> None:
    """The two logs say the same but for ids, times, and floats beyond `within` of their size."""
    assert len(one.events) == len(other.events)
    for mine, theirs in zip(one.events, other.events, strict=True):
        assert type(mine) is type(theirs)
        ours, yours = asdict(mine), asdict(theirs)
        for skipped in ("run_id", "created_at"):
            ours.pop(skipped, None)
            yours.pop(skipped, None)
        numbers, others = ours.pop("numbers", {}), yours.pop("numbers", {})
        for key in ("logprob", "confidence", "certainty", "value"):
            if key in ours:
                numbers[key], others[key] = ours.pop(key), yours.pop(key)
        assert ours == yours
        assert numbers == approx(others, rel=within, abs=within)


def texts(tree: Tree) -> list[tuple[int | None, str, str, int]]:
    """The tree without its numbers."""
    return [(node.parent, node.text, node.finish, node.copies) for node in tree.nodes]


def make_run(
    policy: Policy,
    scorer: Scorer | None,
    recorded: Recorded,
    domain: Domain | None = None,
    *,
    problem: str = PROBLEM,
    reference: str | None = None,
    **params: Any,
) -> Run:
    """A run that is not begun; one that is refused, or compares no formulas, needs no domain to be closed again."""
    question = Question(problem, reference)
    return Run("test", question, RunParams(**params), policy, scorer, domain or Maths(), recorded.sink)


async def solve_with(policy: Policy, scorer: Scorer | None, maths: Domain, **request: Any) -> Recorded:
    recorded = Recorded()
    recorded.finished = await make_run(policy, scorer, recorded, maths, **request).execute()
    return recorded


async def solve(models: Models, maths: Domain, **request: Any) -> Recorded:
    """One run of the built-in pair."""
    return await solve_with(models.policy, models.scorer, maths, **request)


async def until(condition: Any, timeout: float = 20.0) -> None:
    """Wait until `condition()` holds."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.005)
