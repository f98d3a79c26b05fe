"""Waiting for another thread or process: poll what is to happen, never sleep for as long as it should take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_LOOK_S = 0.01


def until(ready: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll until `ready()` is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(_LOOK_S)
