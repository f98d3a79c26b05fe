"""What a caller holds from the request of a run until it begins."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

from engine.errors import Busy
from engine.runs.admission import Line, Standing, Turn

T = TypeVar("T")


class Ticket(Generic[T]):
    """A request that was made: its models are being loaded, it waits in the line, or it has begun. Thread-safe."""

    def __init__(self, ticket_id: str, visitor: str, line: Line) -> None:
        self.id, self.visitor = ticket_id, visitor
        self.turn: Turn | None = None  # once the models are loaded
        self._line = line
        self._future: Future[T] = Future()

    def follow(self, future: Future[T]) -> None:
        """`future` ends when the request has begun, and cancelling it takes the request back."""
        self._future = future

    @property
    def future(self) -> Future[T]:
        """Ends as `result` does."""
        return self._future

    @property
    def done(self) -> bool:
        """Whether it has begun, failed, or was taken back."""
        return self._future.done()

    def standing(self) -> Standing | None:
        """How it stands in the line; None if it is not in it (yet)."""
        turn = self.turn
        return None if turn is None or turn.granted.done() else self._line.standing(turn)

    def leave(self) -> None:
        """Take it back. What has begun meanwhile is stopped."""
        self._future.cancel()

    def result(self) -> T:
        """Wait until it begins. Raises what `Host.submit` raises, and `Busy` where it was taken back."""
        try:
            return self._future.result()
        except CancelledError:
            raise Busy("the request was taken back before it began; make it again") from None
