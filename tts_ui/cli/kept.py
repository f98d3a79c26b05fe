"""What a command's searches found, kept in memory too: an answer is printed even where nothing can be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from engine.errors import StoreError
from engine.runs.host import Running
from engine.search.events import Event, RunFinished, RunOutcome, RunStarted, Usage
from engine.store import ComparisonRecord, RunRecord, Store
from engine.store.records import begun
from engine.store.sweep_records import OutcomeRecord

Found = tuple[RunRecord, list[Event]]


class KeepingStore(Store):
    """A store that remembers what it is handed."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._events: dict[str, list[Event]] = {}
        self._usage: dict[str, Usage] = {}
        self._comparison: ComparisonRecord | None = None

    def record(
        self,
        events: Sequence[Event],
        usage: Usage,
        run_id: str,
        comparison: ComparisonRecord | None = None,
        outcomes: Sequence[OutcomeRecord] = (),
    ) -> None:
        self._events.setdefault(run_id, []).extend(events)
        self._usage[run_id] = usage
        self._comparison = comparison or self._comparison
        super().record(events, usage, run_id, comparison, outcomes)

    def found(self, running: Running) -> tuple[Found | None, str | None]:
        """What is on record of a search that has ended; what it found and why it is not on record, if it is not. None
        if it was stopped before it began."""
        try:
            self.flush(running.id)
            return (self.read(running.id) if running.id in self._events else None), None
        except StoreError as refused:
            return self._remembered(running), str(refused)

    def compared(self, comparison_id: str) -> ComparisonRecord:
        """The comparison, from the record or else from memory."""
        return self._comparison or self.comparison(comparison_id)

    def _remembered(self, running: Running) -> Found:
        # What was refused once is handed over again at the end: a later event of the same seq is the same event.
        handed = self._events[running.id]
        log = {event.seq: event for event in handed if not isinstance(event, RunFinished)}
        first = log[0]
        assert isinstance(first, RunStarted)
        last = next((event for event in reversed(handed) if isinstance(event, RunFinished)), RunFinished("failed"))
        outcome = {each.name: getattr(last, each.name) for each in fields(RunOutcome)}
        record = replace(begun(first, self._usage[running.id]), **outcome)
        return record, [*(log[seq] for seq in sorted(log)), last]
