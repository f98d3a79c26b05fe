"""Which sweeps there are for whom, and their rows, read once for as long as nothing is added to them."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import Lock

from engine.errors import InvalidInput
from engine.runs.sweeps.curves import Groups, grouped
from engine.runs.sweeps.measured import Measured, measured
from engine.store import Store
from engine.store.sweep_records import SweepRecord
from tts_ui.words.interface import say

#: Sweeps whose rows are kept in memory (a hundred thousand rows take some 100 MB).
_KEPT = 3


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: rows have none, and looking at all of them again and again as they become more
    takes a sixth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Source:
    """The sweeps of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups: OrderedDict[tuple[str, int, str], Groups] = OrderedDict()
        self._lock = Lock()

    def listed(self, within: Collection[str] | None) -> list[SweepRecord]:
        """Newest first; `within` are the ids that may be seen, None for all."""
        return [sweep for sweep in self._store.sweeps() if within is None or sweep.id in within]

    def chosen(self, name: str, listed: list[SweepRecord]) -> SweepRecord | None:
        """The sweep of that id or name among those listed; without a name the newest with something to show. None where
        there is none at all. Raises `InvalidInput`."""
        if name:
            found = next((sweep for sweep in listed if name in (sweep.id, sweep.name)), None)
            if found is None:
                raise InvalidInput("sweep", say("scaling_says.no_sweep", name=repr(name[:60])))
            return found
        return next((sweep for sweep in listed if sweep.done), listed[0] if listed else None)

    def groups(self, sweep: SweepRecord) -> Groups:
        """What it has measured so far."""
        key = (sweep.id, sweep.done, sweep.status)
        with self._lock:
            if key not in self._groups:
                with _uncollected():
                    self._groups[key] = grouped(measured(self._store, [sweep.id]))
                while len(self._groups) > _KEPT:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(key)
            return self._groups[key]

    def own(self, sweep: SweepRecord) -> list[Measured]:
        """What each run tells of its own N, under its own rule and the vote by score: what difficulty is guessed from.
        Not kept: few ask for it."""
        return measured(self._store, [sweep.id], ("prm_last_vote",), own=True)
