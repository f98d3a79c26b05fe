"""A round: what one call of `Store.record` brought, as rows, and how rounds are written to the tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Dialect, bindparam, update

from engine.errors import StoreError
from engine.search.events import Decision, Event, RunFinished, RunStarted, StepSampled, StepScored
from engine.store import rows
from engine.store.owner import this_process
from engine.store.statements import Prepared, Values, inserting, saving
from engine.store.tables import comparisons, decisions, nodes, runs, scores
from engine.store.version import product_version

_RAISE = update(nodes).where(nodes.c.run_id == bindparam("of_run"), nodes.c.id == bindparam("of_node"))
_OF_RUN = update(runs).where(runs.c.id == bindparam("of_run"))


@dataclass(slots=True)
class Round:
    """What one call of `record` brought for one run, as rows; `comparison` is the row of the comparison it is in."""

    run_id: str
    usage: Values
    comparison: Values | None = None
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

        `next_node` is that id before them; None if it is not known, then `stored_nodes` is asked if a node comes.
        """
        for event in events:
            match event:
                case StepSampled():
                    next_node = self._sampled(event, stored_nodes(self.run_id) if next_node is None else next_node)
                case StepScored():
                    self.scores.append(rows.score_values(self.run_id, event))
                case Decision():
                    self.decisions.append(rows.decision_values(self.run_id, event))
                case RunStarted():
                    self.run = rows.run_values(event, this_process(), product_version(), time.time())
                    self.nodes.append(rows.root_values(event))
                    next_node = 1
                case RunFinished():
                    self.finish = rows.finish_values(event)
        return next_node

    def _sampled(self, event: StepSampled, next_node: int) -> int:
        if event.node > next_node:
            raise StoreError(f"node {event.node} of run {self.run_id} arrived when node {next_node} was due")
        if event.node == next_node:
            self.nodes.append(rows.node_values(self.run_id, event))
            return next_node + 1
        self.raises.append(
            {"of_run": self.run_id, "of_node": event.node, "copies": event.copies, "revised_seq": event.seq}
        )
        return next_node


class RoundWriter:
    """The statements that write rounds, prepared for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        ended = ("status", "stop_reason", "answer", "correct", "graded_by", "error", "grades")
        late = {*ended} - {"status"}
        self._compare = saving(comparisons, dialect, rows.USAGE)
        self._begin = inserting(runs, dialect, without=late)
        self._node = inserting(nodes, dialect)
        self._raise = Prepared(_RAISE, dialect, ["of_run", "of_node", "copies", "revised_seq"])
        self._score = inserting(scores, dialect)
        self._decision = inserting(decisions, dialect)
        self._spend = Prepared(_OF_RUN, dialect, ["of_run", *rows.USAGE])
        self._end = Prepared(_OF_RUN, dialect, ["of_run", *ended])

    def save(self, connection: Connection, due: list[Round]) -> None:
        """Write all rounds, table by table in the order their keys need; the last usage stands for all of them."""
        compared = {saved.comparison["id"]: saved.comparison for saved in due if saved.comparison is not None}
        self._compare.execute(connection, list(compared.values()))
        self._begin.execute(connection, [saved.run | saved.usage for saved in due if saved.run is not None])
        self._node.execute(connection, [row for saved in due for row in saved.nodes])
        self._raise.execute(connection, [row for saved in due for row in saved.raises])
        self._score.execute(connection, [row for saved in due for row in saved.scores])
        self._decision.execute(connection, [row for saved in due for row in saved.decisions])
        spent = {saved.run_id: {"of_run": saved.run_id, **saved.usage} for saved in due if saved.run is None}
        self._spend.execute(connection, list(spent.values()))
        ended = [{"of_run": saved.run_id, **saved.finish} for saved in due if saved.finish is not None]
        self._end.execute(connection, ended)
