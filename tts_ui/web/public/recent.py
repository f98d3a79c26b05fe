"""The last lines that a server complained in, for its owner."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass

_MOST, _LONGEST = 100, 500


@dataclass(frozen=True, slots=True)
class Complaint:
    """When (Unix seconds), and what, in one line."""

    at: float
    text: str


class Recent(logging.Handler):
    """Remembers what is logged as a warning or worse; the log itself is written as before."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: deque[Complaint] = deque(maxlen=_MOST)

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            said += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        self._kept.append(Complaint(time.time(), " ".join(said.split())[:_LONGEST]))

    def lines(self) -> list[Complaint]:
        """The newest first."""
        return list(reversed(self._kept))

    def listen(self) -> None:
        """Hear all loggers. Those that write nowhere else go on writing to stderr."""
        root = logging.getLogger()
        if not root.handlers and logging.lastResort:
            root.addHandler(logging.lastResort)
        for logger in (root, logging.getLogger("uvicorn.error")):
            logger.addHandler(self)

    def leave(self) -> None:
        for logger in (logging.getLogger(), logging.getLogger("uvicorn.error")):
            logger.removeHandler(self)
