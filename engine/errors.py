"""The errors the engine raises on purpose.

`InvalidInput` is the caller's mistake: one line that names the argument and the fix, raised at the edge before any
model works. `ModelError` and `StoreError` come from outside: a checkpoint or a database that cannot be used.
Any other exception is an internal error. The command line and the app map these to exit codes and fields, once,
at their edge.
"""

from __future__ import annotations


class TtsError(Exception):
    """Base of every error raised on purpose; `str(error)` is one line for the user."""


class InvalidInput(TtsError):
    """A mistake by the caller. `argument` names the parameter at fault, as the run document spells it."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(f"{argument}: {message}")
        self.argument = argument
        self.message = message


class ModelError(TtsError):
    """A policy or scorer that cannot be loaded or used (missing file, wrong architecture, corrupt weights)."""


class StoreError(TtsError):
    """A database that cannot be opened, read or written."""


class Busy(TtsError):
    """Too much is waiting already; the request may be made again later."""


class NoDatabase(StoreError):
    """There is nothing to read where a database was looked for."""
