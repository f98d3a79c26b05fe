"""What the runs of a comparison have in common: the question, their samples where they are paired, and one bill.

Paired runs of one seed share every draw and score that they have in common (see `engine.runs.shared`); each is charged
as if it ran alone, and the actual total is recorded as well. Unpaired runs have their own seeds and share nothing, so
their bills add up.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Models
from engine.runs.question import Question
from engine.runs.run import Run
from engine.runs.shared import SharedPolicy, SharedScorer
from engine.search.cost import Meter
from engine.search.domain import Domain
from engine.search.events import Usage
from engine.search.params import RunParams
from engine.search.search import Sink
from engine.store import ComparisonRecord
from engine.store.ids import new_run_id


class Comparison:
    """Two or more runs of one question with one pair of models, and their bill."""

    def __init__(
        self, question: Question, params: Sequence[RunParams], models: Models, domain: Domain, *, paired: bool
    ) -> None:
        if len(params) < 2:
            raise InvalidInput("strategies", "a comparison needs two or more; name another")
        self.id = new_run_id()
        self.paired = paired
        self.run_ids = tuple(new_run_id() for _ in params)
        self._params = [each if paired else replace(each, seed=each.seed + place) for place, each in enumerate(params)]
        self._question, self._models, self._domain = question, models, domain
        self._policy = SharedPolicy(models.policy, question.problem, len(params))
        scored = sum(each.method.scored for each in params)
        self._scorer = SharedScorer(models.scorer, question.problem, scored) if models.scorer and scored else None
        self._created_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._started = time.monotonic()
        self._usages: dict[str, Usage] = {}

    def run(self, place: int, sink: Sink) -> Run:
        """The run at `place`, not yet begun; raises `InvalidInput` where the models or the question do not fit it."""
        policy, scorer = (self._policy, self._scorer) if self.paired else (self._models.policy, self._models.scorer)
        params, run_id = self._params[place], self.run_ids[place]
        return Run(run_id, self._question, params, policy, scorer, self._domain, sink, comparison_id=self.id)

    def billed(self, run_id: str, usage: Usage) -> ComparisonRecord:
        """Record a run's usage so far; returns the comparison as it is now."""
        self._usages[run_id] = usage
        budgets = {each.max_tokens_total for each in self._params}
        budget = budgets.pop() if len(budgets) == 1 else None
        return ComparisonRecord(self.id, self._created_at, self.paired, budget, self._spent(), self.run_ids)

    def _spent(self) -> Usage:
        """What was actually spent so far; seconds are those since the beginning."""
        if not self.paired:
            known = self._usages.values()
            sums = {field.name: sum(getattr(usage, field.name) for usage in known) for field in fields(Usage)}
            return Usage(**sums | {"wall_s": time.monotonic() - self._started})
        meter = Meter(self._policy.info, self._scorer.info if self._scorer else None, self._policy.cost)
        if self._scorer:
            meter.scorer_cost = self._scorer.cost
        meter.started = self._started
        return meter.usage()
