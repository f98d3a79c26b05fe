"""Draws on their way through the decode loop: the rows of a request, what a budget pays for, who waits.

A budget pays for the first token of every draw in draw order, then for the second, and so on, whichever rows happen to
be decoded first. While some of them wait for memory the others run ahead of what is known to be paid for, and
`Request.settle` takes back what was not. So a run is the same, token for token, however many rows are decoded at once.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from engine.models.local.dice import Sure
from engine.models.local.prefix_cache import PrefixCache
from engine.models.local.worker import Job
from engine.search.cost import PolicyCost
from engine.search.events import Finish
from engine.search.policy import Draw, Sampling, Step, TokenBudget

#: Rows decoded at once, at most: more no longer pay, and what one token takes is what a newcomer waits for.
_MOST_ROWS = {"cpu": 256, "cuda": 1024}
#: The same while several runs are searched, so that a small one does not wait for the passes of a large one: on a CPU a
#: token takes a fifth longer than with all rows, and a pass a quarter of the time.
_SHARED_ROWS = {"cpu": 64, "cuda": 512}


class Session(Protocol):
    """One run's prompt and prefix cache."""

    prompt: list[int]
    cache: PrefixCache


@dataclass(slots=True, eq=False)
class Row:
    """A draw being decoded. `base` is the length of its path, prompt included; `text` and `sure` are token by token.

    `room` is how many tokens its chain may still grow by, `limit` how many this step may, `counted` how many of its
    tokens the budget has seen: a row that gave way draws the same ones again. One of `stops` ends it; `verdict` is
    what its request's head reads after its path.
    """

    request: Request
    draw: Draw
    base: int
    room: int
    limit: int
    ids: list[int] = field(default_factory=list)
    sure: list[Sure] = field(default_factory=list)
    text: str = ""
    finish: Finish | None = None
    number: int = 0
    counted: int = 0
    stops: tuple[str, ...] = ()
    verdict: float | None = None

    @property
    def parent(self) -> int:
        return self.draw.path[-1].id if self.draw.path else 0

    @property
    def columns(self) -> int:
        """Positions it takes once its next token is computed."""
        return self.base + max(1, len(self.ids))

    def start_again(self) -> None:
        """Forget what was drawn; its seed draws the same."""
        self.ids.clear()
        self.sure.clear()
        self.text = ""


class Request(Job[list[Step]]):
    """One call of `extend`, as the worker sees it.

    Attributes:
        unfinished: rows whose draw has not ended.
        read: the parents whose paths it was charged for.
        head: reads a number from the hidden state after each path, [1, width], if one is wanted.
    """

    def __init__(
        self, session: Session, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost,
        window: int, stops: tuple[str, ...] = (), head: Callable[[Tensor], Tensor] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.session, self.sampling, self.cost, self.head = session, sampling, cost, head
        self.rows: list[Row] = []
        for draw in draws:
            written = sum(node.tokens for node in draw.path)
            base = len(session.prompt) + written
            room = min(window - base, sampling.left(written, window))
            self.rows.append(Row(self, draw, base, room, min(sampling.max_step_tokens, room), stops=stops))
        self.unfinished = len(self.rows)
        self.read: set[int] = set()
        self._budget, self._most = budget, budget.left
        self._drawn: list[int] = []  # tokens by their place in the step
        self._taken = 0

    def kept(self, row: Row) -> list[int]:
        """Those tokens of a row that has ended which something may follow; their keys and values are kept."""
        return row.ids if row.finish == "step" else []

    def pays(self, row: Row) -> bool:
        """Pay for the row's next token; False if the budget is certain not to reach it."""
        place = len(row.ids)
        if place < row.counted:
            return True
        if place == len(self._drawn):
            self._drawn.append(0)
        # What comes before it: all earlier places, and in its own place the draws before it, which are never behind.
        if self._most is not None and self._taken >= self._most and sum(self._drawn[: place + 1]) >= self._most:
            return False
        row.counted += 1
        self._drawn[place] += 1
        self._taken += 1
        if self._budget.take():
            self.cost.generated_tokens += 1
        return True

    def settle(self) -> None:
        """Cut off what was drawn while it was not known that the budget would not reach it."""
        if self._most is None or self._taken <= self._most:
            return
        left, paid = self._most, dict.fromkeys(self.rows, 0)
        for place in range(len(self._drawn)):
            for row in self.rows:
                if left and place < len(row.ids):
                    paid[row] += 1
                    left -= 1
        for row, tokens in paid.items():
            if tokens < len(row.ids):
                del row.ids[tokens:], row.sure[tokens:]
                row.finish = "budget"


class Waiting:
    """Rows that wait to be decoded. Each request's come in draw order, and so its waiting ones are its last."""

    def __init__(self) -> None:
        self._lines: dict[Request, deque[Row]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, request: Request) -> None:
        self._lines[request] = deque(request.rows)

    def put_back(self, rows: Iterable[Row]) -> None:
        """Let rows wait again, in front of those of their requests that have waited all along."""
        for row in sorted(rows, key=lambda row: -row.number):
            self._lines.setdefault(row.request, deque()).appendleft(row)

    def take(self, count: int, running: Counter[Request]) -> list[Row]:
        """The next `count`: always one of the request that has the fewest `running`, these included."""
        lines = list(self._lines.items())
        shares = [(running[request], place) for place, (request, _) in enumerate(lines)]
        heapq.heapify(shares)
        taken: list[Row] = []
        while shares and len(taken) < count:
            share, place = heapq.heappop(shares)
            request, line = lines[place]
            taken.append(line.popleft())
            if line:
                heapq.heappush(shares, (share + 1, place))
            else:
                del self._lines[request]
        return sorted(taken, key=lambda row: row.number)

    def sessions(self) -> set[Session]:
        """The runs whose rows wait."""
        return {request.session for request in self._lines}

    def newcomer(self, running: Counter[Request]) -> bool:
        """Whether a request waits that has no row running."""
        return any(not running[request] for request in self._lines)

    def drop_cancelled(self) -> None:
        self._lines = {request: line for request, line in self._lines.items() if not request.cancelled}

    def clear(self) -> None:
        self._lines.clear()


def latest(rows: Sequence[Row], count: int) -> list[Row]:
    """The `count` of `rows` that give way first: the last draws of the requests that have the most."""
    places: Counter[Request] = Counter()
    ranked = []
    for row in sorted(rows, key=lambda row: row.number):
        ranked.append((places[row.request], row.number, row))
        places[row.request] += 1
    return [row for *_, row in sorted(ranked, key=lambda each: each[:2])[len(rows) - count :]]


def rows_at_once(device: str) -> tuple[int, int]:
    """How many rows are decoded at once on a kind of device: for a single run, and for several."""
    single, several = (rows.get(device, min(rows.values())) for rows in (_MOST_ROWS, _SHARED_ROWS))
    return single, several
