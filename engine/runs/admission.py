"""Who is searched for now: so many runs at once, and a fair line for those that wait.

Visitors take turns: each time there is room the next one in the round gets it, however many requests another has put
into the line.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from engine.errors import Busy
from engine.runs.limits import Limits


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands in the line: requests `before` it, runs being searched, and how many of these are the visitor's."""

    before: int
    running: int
    own: int


@dataclass(slots=True, eq=False)
class Turn:
    """A place in the line for `runs` runs at once; `granted` is done when they may begin."""

    visitor: str
    runs: int
    granted: Future[None] = field(default_factory=Future)
    left: int = 0


class Line:
    """The line and who is being searched for. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Turn]] = {}  # the visitor whose turn it is comes first
        self._running: Counter[str] = Counter()

    def change(self, limits: Limits) -> None:
        """Hold to these limits from now on; who waits longer than they allow, or runs already, stays."""
        with self._lock:
            self.limits = limits
        self._go_on()

    def seen(self) -> dict[str, tuple[int, int]]:
        """Who is there: visitors, with the requests of each that wait and the runs that are searched."""
        with self._lock:
            waiting = {visitor: len(line) for visitor, line in self._waiting.items()}
            return {
                visitor: (waiting.get(visitor, 0), self._running[visitor])
                for visitor in dict.fromkeys([*waiting, *self._running])
            }

    def enter(self, visitor: str, runs: int) -> Turn:
        """Take a place behind the visitor's other requests."""
        turn = Turn(visitor, runs)
        with self._lock:
            self._waiting.setdefault(visitor, deque()).append(turn)
        self._go_on()
        return turn

    def ended(self, turn: Turn, runs: int = 1) -> None:
        """So many of the turn's runs are over."""
        with self._lock:
            runs = min(runs, turn.left)
            turn.left -= runs
            self._running[turn.visitor] -= runs
            if not self._running[turn.visitor]:
                del self._running[turn.visitor]
        self._go_on()

    def leave(self, turn: Turn) -> None:
        """Give up the place, or whatever is left of the turn."""
        with self._lock:
            line = self._waiting.get(turn.visitor, deque())
            if turn in line:
                line.remove(turn)
                if not line:
                    del self._waiting[turn.visitor]
        self.ended(turn, turn.left)

    def standing(self, turn: Turn) -> Standing:
        with self._lock:
            own = self._waiting.get(turn.visitor, deque())
            place = own.index(turn) if turn in own else 0
            before, mine = place, False
            for visitor, line in self._waiting.items():
                mine = mine or visitor == turn.visitor
                if visitor != turn.visitor:
                    before += min(len(line), place + (0 if mine else 1))
            return Standing(before, self._running.total(), self._running[turn.visitor])

    def _go_on(self) -> None:
        """Grant turns as long as there is room."""
        while turn := self._next():
            if turn.granted.set_running_or_notify_cancel():  # else it is about to be left
                turn.granted.set_result(None)

    def _next(self) -> Turn | None:
        with self._lock:
            for visitor, line in self._waiting.items():
                turn, own, total = line[0], self._running[visitor], self._running.total()
                if own and own + turn.runs > self.limits.runs_per_visitor:
                    continue
                if total and total + turn.runs > self.limits.runs_at_once:
                    return None  # smaller requests do not overtake, or a large one would never fit
                line.popleft()
                del self._waiting[visitor]
                if line:  # behind the others
                    self._waiting[visitor] = line
                turn.left = turn.runs
                self._running[visitor] += turn.runs
                return turn
            return None


def check_waiting(limits: Limits, waiting: Counter[str], visitor: str) -> None:
    """Raise `Busy` if another request of the visitor's may not wait."""
    if waiting[visitor] >= limits.waiting_per_visitor:
        raise Busy(f"{waiting[visitor]} of your requests are waiting; try again when one has begun, or stop them")
    if waiting.total() >= limits.waiting:
        raise Busy(f"{waiting.total()} requests are waiting, which is all that may; try again in a minute")
