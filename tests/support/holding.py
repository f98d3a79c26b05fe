"""Searches that stand still for as long as a test looks at them, however fast the machine is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from engine.runs.host import Host
from engine.search.scorer import Scorer


@contextmanager
def standing_still(host: Host) -> Iterator[None]:
    """Meanwhile nothing that runs in this process goes on: its loop waits for this."""
    held, go_on = threading.Event(), threading.Event()

    async def hold(_: Scorer) -> None:
        held.set()
        go_on.wait(timeout=120)

    holding = host.judging("builtin-prm", hold)
    try:
        assert held.wait(timeout=60)
        yield
    finally:
        go_on.set()
        holding.result(timeout=60)
