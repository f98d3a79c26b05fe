"""Removes what has been kept long enough: when the server starts, and every hour."""

from __future__ import annotations

import sys
import threading

from engine.errors import StoreError
from engine.store import Store
from tts_ui.web.public.opening import Opening

_EVERY_S = 3600.0


class Housekeeping:
    """A thread of its own; `close` ends it."""

    def __init__(self, store: Store, opening: Opening, every_s: float = _EVERY_S) -> None:
        self._store, self._opening, self._every_s = store, opening, every_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="housekeeping", daemon=True)
        if opening.keep_s is not None:
            self._thread.start()

    def tidy(self) -> int:
        """Remove what is due; returns how many runs went."""
        assert self._opening.keep_s is not None
        return self._store.prune(self._opening.clock.now() - self._opening.keep_s)

    def _work(self) -> None:
        while True:
            try:
                if gone := self.tidy():
                    print(f"tts-ui: {gone} runs had been kept long enough and were removed", flush=True)
                self._store.remove_deleted()
            except StoreError as error:  # it is tried again in an hour
                print(f"tts-ui: old runs could not be removed: {error}", file=sys.stderr, flush=True)
            if self._end.wait(self._every_s):
                return

    def close(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
