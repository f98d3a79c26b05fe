"""A round: what one call of `Store.record` brought, as rows, and how rounds are written to the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

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
from engine.store.statements import Inserting, Prepared, saving
from engine.store.sweep_records import READ, OutcomeRecord
from engine.store.tables import bills, comparisons, decisions, nodes, outcomes, raises, runs, scores

_RAISE = update(nodes).where(nodes.c.run_id == bindparam("run_id"), nodes.c.id == bindparam("node"))
_OF_RUN = update(runs).where(runs.c.id == bindparam("of_run"))


#: Values in the order of a table's columns.
Row = tuple[Any, ...]


@dataclass(slots=True)
class Round:
    """What one call of `record` brought for one run, as rows; `comparison` is the comparison it is in, `outcomes` what
    it came to (of a sweep's run, with its end), `seq` that of its last event."""

    run_id: str
    usage: Usage
    comparison: ComparisonRecord | None = None
    outcomes: Sequence[OutcomeRecord] = ()
    seq: int | None = None
    run: Values | None = None
    nodes: list[Row] = field(default_factory=list)
    raises: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    finish: Values | None = None

    def __len__(self) -> int:
        return 1 + sum(map(len, (self.nodes, self.raises, self.scores, self.decisions, self.outcomes)))

    def fill(self, events: Sequence[Event], next_node: int | None, stored_nodes: Callable[[str], int]) -> int | None:
        """Take in `events`; returns the id that the run's next node will have.

        `next_node` is that id before them; None if it is not known: `stored_nodes` is then called if a node comes.
        """
        for event in events:
            match event:
                case StepSampled():
                    next_node = self._sampled(event, stored_nodes(self.run_id) if next_node is None else next_node)
                case StepScored():
                    self.scores.append((self.run_id, *SCORED.row(event)))
                case Decision():
                    self.decisions.append((self.run_id, *DECIDED.row(event)))
                case RunStarted():
                    self.run = RUN.values(begun(event, self.usage))
                    problem = root(event.problem)
                    of_root = SAMPLED.values(problem) | {"parent": None}
                    self.nodes.append((self.run_id, *of_root.values(), problem.copies))
                    next_node = 1
                case RunFinished():
                    self.finish = OUTCOME.values(event)
        self.seq = next((event.seq for event in reversed(events) if not isinstance(event, RunFinished)), None)
        return next_node

    def _sampled(self, event: StepSampled, next_node: int) -> int:
        if event.node > next_node:
            raise StoreError(f"node {event.node} of run {self.run_id} arrived when node {next_node} was due")
        if event.node == next_node:
            self.nodes.append(self._node(event))
            return next_node + 1
        self.raises.append((self.run_id, event.seq, event.node, event.copies))
        return next_node

    def _node(self, event: StepSampled) -> Row:
        return (self.run_id, *SAMPLED.row(event), event.copies)


class RoundWriter:
    """The statements that write rounds, prepared for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._compare = saving(comparisons, dialect, USAGE.columns)
        self._begin = Inserting(runs, dialect)
        self._node = Inserting(nodes, dialect)
        self._raised = Inserting(raises, dialect)
        self._raise = Prepared(_RAISE, dialect, ["copies"])
        self._score = Inserting(scores, dialect)
        self._decision = Inserting(decisions, dialect)
        self._bill = saving(bills, dialect, USAGE.columns)
        self._spend = Prepared(_OF_RUN, dialect, USAGE.columns)
        self._end = Prepared(_OF_RUN, dialect, OUTCOME.columns)
        self._read = saving(outcomes, dialect, [name for name in READ.columns if name not in ("run_id", "rule", "n")])

    def save(self, connection: Connection, due: list[Round]) -> None:
        """Write all rounds, table by table in the order their keys need; the last usage is the run's."""
        compared = {saved.comparison.id: saved.comparison for saved in due if saved.comparison is not None}
        self._compare.execute(connection, [COMPARISON.values(record) for record in compared.values()])
        self._begin.execute(connection, [saved.run for saved in due if saved.run is not None])
        self._node.insert(connection, [row for saved in due for row in saved.nodes])
        raised = [row for saved in due for row in saved.raises]
        self._raised.insert(connection, raised)
        self._raise.execute(connection, [dict(zip(raises.c.keys(), row, strict=True)) for row in raised])
        self._score.insert(connection, [row for saved in due for row in saved.scores])
        self._decision.insert(connection, [row for saved in due for row in saved.decisions])
        spent = {saved.run_id: {"of_run": saved.run_id, **USAGE.values(saved.usage)} for saved in due}
        self._spend.execute(connection, list(spent.values()))
        billed = [(saved.usage, {"run_id": saved.run_id, "seq": saved.seq}) for saved in due if saved.seq is not None]
        self._bill.execute(connection, [USAGE.values(usage) | of for usage, of in billed])
        ended = [{"of_run": saved.run_id, **saved.finish} for saved in due if saved.finish is not None]
        self._end.execute(connection, ended)
        self.read(connection, [outcome for saved in due for outcome in saved.outcomes])

    def read(self, connection: Connection, found: Sequence[OutcomeRecord]) -> None:
        """Write what runs came to, in place of what was read of them before."""
        self._read.execute(connection, [READ.values(outcome) for outcome in found])
