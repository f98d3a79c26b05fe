"""What the runs of a comparison have in common: the question, their samples where they are paired, and one bill.

Paired runs of one seed share every draw and score that they have in common (see `engine.runs.shared`); each is charged
as if it ran alone, and the actual total is recorded as well. Unpaired runs have their own seeds and share nothing, so
their bills add up.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Models
from engine.runs.question import Question
from engine.runs.run import Run
from engine.runs.shared import SharedPolicy, SharedScorer
from engine.search.cost import Meter
from engine.search.domain import Domain
from engine.search.events import Usage
from engine.search.learned import Learned
from engine.search.params import RunParams
from engine.search.scorer import Scorer
from engine.search.search import Sink
from engine.store import ComparisonRecord
from engine.store.ids import new_run_id


class Comparison:
    """Two or more runs of one question by one policy, and their bill.

    `judges` has the scorer of each run, in the order of `params`; without it, all have that of `models`.
    """

    def __init__(
        self,
        question: Question,
        params: Sequence[RunParams],
        models: Models,
        domain: Domain,
        *,
        paired: bool,
        judges: Sequence[Scorer | None] = (),
    ) -> None:
        if len(params) < 2:
            raise InvalidInput("strategies", "a comparison needs two or more; name another")
        self.id = new_run_id()
        self.paired = paired
        self.run_ids = tuple(new_run_id() for _ in params)
        self._params = [each if paired else replace(each, seed=each.seed + place) for place, each in enumerate(params)]
        self._question, self._models, self._domain = question, models, domain
        self._policy = SharedPolicy(models.policy, question.problem, len(params))
        self._judges = list(judges) or [models.scorer] * len(params)
        used = Counter(judge for judge, each in zip(self._judges, params, strict=True) if judge and each.method.scored)
        self._shared = {judge: SharedScorer(judge, question.problem, runs) for judge, runs in used.items()}
        self._created_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._started = time.monotonic()
        self._usages: dict[str, Usage] = {}

    def run(self, place: int, sink: Sink, learned: Learned | None = None) -> Run:
        """The run at `place`, not yet begun; `learned` is what it may choose by. Raises
        `InvalidInput` where the models or the question do not fit it."""
        judge = self._judges[place]
        scorer: Scorer | None = self._shared.get(judge, judge) if self.paired and judge else judge
        policy = self._policy if self.paired else self._models.policy
        params, run_id = self._params[place], self.run_ids[place]
        return Run(
            run_id, self._question, params, policy, scorer, self._domain, sink, comparison_id=self.id, learned=learned
        )

    def billed(self, run_id: str, usage: Usage) -> ComparisonRecord:
        """Record a run's usage so far; returns the comparison as it is now."""
        self._usages[run_id] = usage
        budgets = {each.max_tokens_total for each in self._params}
        budget = budgets.pop() if len(budgets) == 1 else None
        return ComparisonRecord(self.id, self._created_at, self.paired, budget, self._spent(), self.run_ids)

    def _spent(self) -> Usage:
        """What was actually spent so far; seconds are those since the beginning."""
        if not self.paired:
            return replace(Usage.total(self._usages.values()), wall_s=time.monotonic() - self._started)
        meters = [Meter(self._policy.info, None, self._policy.cost)]
        meters += [Meter(self._policy.info, each.info, scorer_cost=each.cost) for each in self._shared.values()]
        return replace(Usage.total([meter.usage() for meter in meters]), wall_s=time.monotonic() - self._started)
