"""What the runs of one problem have in common: made when the first of them opens a session, given up when all have
closed theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class _Session(Protocol):
    def close(self) -> None: ...


class _Shared(Protocol):
    @property
    def real(self) -> _Session: ...


S = TypeVar("S", bound=_Shared)


class InCommon(Generic[S]):
    """For `runs` of `problem`, each of which leaves once."""

    def __init__(self, problem: str, runs: int) -> None:
        self._problem, self._runs = problem, runs
        self._shared: S | None = None

    def shared(self, problem: str, make: Callable[[], S]) -> S:
        """Raises `ValueError` for another problem."""
        if problem != self._problem:
            raise ValueError("the runs of a comparison share one problem")
        if self._shared is None:
            self._shared = make()
        return self._shared

    def leave(self) -> None:
        """The last to leave closes the real session."""
        self._runs -= 1
        if not self._runs and self._shared:
            self._shared.real.close()
            self._shared = None
