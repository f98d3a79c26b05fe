"""Runs that come as a whole, from a file: many of them are written in one transaction, all or none.

A search is recorded round by round, because it must be seen while it goes on. An imported run is over already; what
counts there is that a file whose last run cannot be saved leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from engine.errors import InvalidInput
from engine.search.events import Event, RunFinished, StepScored, Usage
from engine.store import keeping, scorings
from engine.store.records import ComparisonRecord, ScoringRecord
from engine.store.rounds import Round, RoundWriter
from engine.store.tables import runs
from engine.store.tables import scorings as scorings_table

#: Rows that are handed to the database at a time.
_BATCH = 20_000

#: A seq and what the run had cost when that was its last.
Bill = tuple[int, Usage]


@dataclass(frozen=True, slots=True)
class WholeRun:
    """Everything that is known of a run that is over, as rows; `added` are the scores that came after its end."""

    run_id: str
    rounds: tuple[Round, ...]
    added: tuple[tuple[ScoringRecord, tuple[StepScored, ...]], ...] = ()

    @classmethod
    def of(
        cls,
        events: Sequence[Event],
        usage: Usage,
        *,
        bills: Sequence[Bill] = (),
        comparison: ComparisonRecord | None = None,
        added: Iterable[tuple[ScoringRecord, Sequence[StepScored]]] = (),
    ) -> WholeRun:
        """The run that `events` tell, from its `RunStarted` to its `RunFinished`; `bills` are those of its rounds."""
        run_id = events[0].run_id  # type: ignore[union-attr]  # a log begins with RunStarted
        rounds: list[Round] = []
        next_node: int | None = None
        for part, spent in _rounds(events, usage, bills):
            arrived = Round(run_id, spent, comparison if not rounds else None)
            next_node = arrived.fill(part, next_node, lambda _: 1)
            rounds.append(arrived)
        scored = tuple((replace(scoring, run_id=run_id), tuple(scores)) for scoring, scores in added)
        return cls(run_id, tuple(rounds), scored)

    def __len__(self) -> int:
        return sum(map(len, self.rounds))


def _rounds(events: Sequence[Event], usage: Usage, bills: Sequence[Bill]) -> Iterator[tuple[Sequence[Event], Usage]]:
    """The events of each bill, and at last those that follow the last one with the usage of the whole run."""
    at = 0
    for seq, spent in bills:
        end = at
        while end < len(events) and not isinstance(event := events[end], RunFinished) and event.seq <= seq:
            end += 1
        if end > at:
            yield events[at:end], spent
        at = end
    yield events[at:], usage


def save(connection: Connection, writer: RoundWriter, whole_runs: Iterable[WholeRun]) -> list[str]:
    """Write the runs that are not there yet, bring back those that were deleted, and add scorings that are missing;
    returns the ids of the runs that were written or came back."""
    written: list[str] = []
    for batch in _batches(whole_runs):
        ids = [whole.run_id for whole in batch]
        known = set(connection.execute(select(runs.c.id).where(runs.c.id.in_(ids))).scalars())
        fresh = {whole.run_id: whole for whole in reversed(batch) if whole.run_id not in known}
        ordered = [run_id for run_id in dict.fromkeys(ids) if run_id in fresh]
        writer.save(connection, [part for run_id in ordered for part in fresh[run_id].rounds])
        for whole in batch:
            _add_scorings(connection, whole)
        written += [*ordered, *keeping.restore(connection, sorted(known))]
    return written


def _add_scorings(connection: Connection, whole: WholeRun) -> None:
    if not whole.added:
        return
    ids = [scoring.id for scoring, _ in whole.added]
    asked = select(scorings_table.c.id, scorings_table.c.run_id).where(scorings_table.c.id.in_(ids))
    run_of = {row.id: row.run_id for row in connection.execute(asked)}
    for scoring, scores in whole.added:
        if scoring.id not in run_of:
            scorings.add(connection, scoring, scores)
        elif run_of[scoring.id] != whole.run_id:
            raise InvalidInput("scorings", f"{scoring.id} belongs to another run here; give this one its own id")


def _batches(whole_runs: Iterable[WholeRun]) -> Iterator[list[WholeRun]]:
    batch: list[WholeRun] = []
    rows = 0
    for whole in whole_runs:
        batch.append(whole)
        rows += len(whole)
        if rows >= _BATCH or len(batch) >= 500:  # SQLite takes so many ids in one query
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch
