"""A round: what one call of `Store.record` brought, as rows, and how rounds are written to the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Dialect, bindparam, update

from engine.errors import StoreError
from engine.search.events import Decision, Event, RunFinished, RunStarted, StepSampled, StepScored, Usage
from engine.store.records import (
    COMPARISON,
    DECIDED,
    OUTCOME,
    RUN,
    SAMPLED,
    SCORED,
    USAGE,
    ComparisonRecord,
    begun,
    root,
)
from engine.store.shapes import Values
from engine.store.statements import Prepared, inserting, saving
from engine.store.tables import bills, comparisons, decisions, nodes, raises, runs, scores

_RAISE = update(nodes).where(nodes.c.run_id == bindparam("run_id"), nodes.c.id == bindparam("node"))
_OF_RUN = update(runs).where(runs.c.id == bindparam("of_run"))


@dataclass(slots=True)
class Round:
    """What one call of `record` brought for one run, as rows; `comparison` is the comparison it is in, `seq` that of
    its last event."""

    run_id: str
    usage: Usage
    comparison: ComparisonRecord | None = None
    seq: int | None = None
    run: Values | None = None
    nodes: list[Values] = field(default_factory=list)
    raises: list[Values] = field(default_factory=list)
    scores: list[Values] = field(default_factory=list)
    decisions: list[Values] = field(default_factory=list)
    finish: Values | None = None

    def __len__(self) -> int:
        return 1 + len(self.nodes) + len(self.raises) + len(self.scores) + len(self.decisions)

    def fill(self, events: Sequence[Event], next_node: int | None, stored_nodes: Callable[[str], int]) -> int | None:
        """Take in `events`; returns the id that the run's next node will have.

        `next_node` is that id before them; None if it is not known: `stored_nodes` is then called if a node comes.
        """
        for event in events:
            match event:
                case StepSampled():
                    next_node = self._sampled(event, stored_nodes(self.run_id) if next_node is None else next_node)
                case StepScored():
                    self.scores.append({"run_id": self.run_id, **SCORED.values(event)})
                case Decision():
                    self.decisions.append({"run_id": self.run_id, **DECIDED.values(event)})
                case RunStarted():
                    self.run = RUN.values(begun(event, self.usage))
                    self.nodes.append(self._node(root(event.problem)) | {"parent": None})
                    next_node = 1
                case RunFinished():
                    self.finish = OUTCOME.values(event)
        self.seq = max((event.seq for event in events if not isinstance(event, RunFinished)), default=None)
        return next_node

    def _sampled(self, event: StepSampled, next_node: int) -> int:
        if event.node > next_node:
            raise StoreError(f"node {event.node} of run {self.run_id} arrived when node {next_node} was due")
        if event.node == next_node:
            self.nodes.append(self._node(event))
            return next_node + 1
        self.raises.append({"run_id": self.run_id, "seq": event.seq, "node": event.node, "copies": event.copies})
        return next_node

    def _node(self, event: StepSampled) -> Values:
        return {"run_id": self.run_id, **SAMPLED.values(event), "first_copies": event.copies}


class RoundWriter:
    """The statements that write rounds, prepared for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._compare = saving(comparisons, dialect, USAGE.columns)
        self._begin = inserting(runs, dialect)
        self._node = inserting(nodes, dialect)
        self._raised = inserting(raises, dialect)
        self._raise = Prepared(_RAISE, dialect, ["copies"])
        self._score = inserting(scores, dialect)
        self._decision = inserting(decisions, dialect)
        self._bill = saving(bills, dialect, USAGE.columns)
        self._spend = Prepared(_OF_RUN, dialect, USAGE.columns)
        self._end = Prepared(_OF_RUN, dialect, OUTCOME.columns)

    def save(self, connection: Connection, due: list[Round]) -> None:
        """Write all rounds, table by table in the order their keys need; the last usage is the run's."""
        compared = {saved.comparison.id: saved.comparison for saved in due if saved.comparison is not None}
        self._compare.execute(connection, [COMPARISON.values(record) for record in compared.values()])
        self._begin.execute(connection, [saved.run for saved in due if saved.run is not None])
        self._node.execute(connection, [row for saved in due for row in saved.nodes])
        raised = [row for saved in due for row in saved.raises]
        self._raised.execute(connection, raised)
        self._raise.execute(connection, raised)
        self._score.execute(connection, [row for saved in due for row in saved.scores])
        self._decision.execute(connection, [row for saved in due for row in saved.decisions])
        spent = {saved.run_id: {"of_run": saved.run_id, **USAGE.values(saved.usage)} for saved in due}
        self._spend.execute(connection, list(spent.values()))
        billed = [(saved.usage, {"run_id": saved.run_id, "seq": saved.seq}) for saved in due if saved.seq is not None]
        self._bill.execute(connection, [USAGE.values(usage) | of for usage, of in billed])
        ended = [{"of_run": saved.run_id, **saved.finish} for saved in due if saved.finish is not None]
        self._end.execute(connection, ended)
