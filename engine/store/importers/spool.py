"""Runs put aside in a temporary file until a whole import is known to be sound."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from engine.store.whole import WholeRun

#: Bytes that are kept in memory before a file is made.
_IN_MEMORY = 8 << 20


class Spool:
    """A pile of runs, read back in the order in which they came. Use it as a context manager."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._count = 0

    def put(self, whole: WholeRun) -> None:
        pickle.dump(whole, self._file, pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def __iter__(self) -> Iterator[WholeRun]:
        self._file.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._file)  # what `put` wrote

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._file.close()
