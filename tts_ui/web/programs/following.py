"""From a program's request to its end: the wait for a turn, then what is committed of its runs, as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

from engine.runs.host import Host, Running
from engine.runs.ticket import Ticket
from engine.search.events import Event, StepSampled, StepScored
from engine.store import RunRecord
from tts_ui.web.parts import waiting
from tts_ui.web.programs.caller import Caller
from tts_ui.web.programs.results import summary

#: Seconds between two looks at the store.
_LOOK_S = 0.1


async def until_begun(
    ticket: Ticket[Any], host: Host, models: str | None, scorer: str | None, caller: Caller
) -> AsyncGenerator[dict[str, Any], None]:
    """What a request waits for; where the caller leaves before it begins, it is taken back."""
    async for loading, line in waiting.until_begun(ticket, host, models, scorer):
        if not caller.takes():
            ticket.leave()
            return
        yield {"status": "waiting", "waits_for": line or loading}


def abandon(ticket: Ticket[Any]) -> None:
    """Take a request back, or stop what has begun of it."""
    ticket.leave()
    if ticket.done:
        with suppress(Exception):  # it never began
            ticket.result().stop()


class Following:
    """Runs that go on, as a program sees them.

    Attributes:
        records: of each run, once something of it is committed.
        fresh: the events of the latest update, by place.
    """

    def __init__(self, host: Host, runs: Sequence[Running], caller: Caller, *, discreet: bool) -> None:
        self._host, self._runs, self._caller, self._discreet = host, runs, caller, discreet
        self.records: dict[int, RunRecord] = {}
        self.log: list[list[Event]] = [[] for _ in runs]
        self.fresh: dict[int, list[Event]] = {}

    async def updates(self) -> AsyncGenerator[None, None]:
        """Whenever something was committed, until all have ended."""
        while True:
            for running in self._runs:
                if self._caller.takes() and running.id in self._host.running:
                    self._host.watch(running.id)
            self.fresh = await asyncio.to_thread(self._read)
            if self.fresh:
                yield
            if all(place in self.records and self.over(place) for place in range(len(self._runs))):
                return
            await asyncio.sleep(_LOOK_S)

    def over(self, place: int) -> bool:
        return self.records[place].status != "running"

    def document(self, **more: Any) -> dict[str, Any]:
        """What is known: the new steps and scores, and of what is over the whole."""
        runs = [self._told(place) for place in range(len(self._runs))]
        return runs[0] if len(runs) == 1 else {**more, "runs": runs}

    def _read(self) -> dict[int, list[Event]]:
        fresh: dict[int, list[Event]] = {}
        for place, running in enumerate(self._runs):
            if place in self.records and self.over(place):
                continue
            after = max((getattr(event, "seq", -1) for event in self.log[place]), default=-1)
            self.records[place], events = self._host.store.read(running.id, after=after)
            if events:
                self.log[place] += events
                fresh[place] = events
        return fresh

    def _told(self, place: int) -> dict[str, Any]:
        record = self.records[place]
        if self.over(place):
            return summary(record, self.log[place], self._caller.address, discreet=self._discreet)
        return {
            "status": record.status,
            "run": record.id,
            "strategy": record.strategy,
            "new_steps": [step(event) for event in self.fresh.get(place, ()) if isinstance(event, StepSampled)],
            "new_scores": [
                {"node": event.node, "scorer": event.scorer, "score": event.value}
                for event in self.fresh.get(place, ())
                if isinstance(event, StepScored)
            ],
            "generated_tokens": record.usage.generated_tokens,
        }


def step(event: StepSampled) -> dict[str, Any]:
    return {
        "node": event.node, "parent": event.parent, "depth": event.depth, "text": event.text, "copies": event.copies,
        "answer": event.answer,
    }  # fmt: skip
