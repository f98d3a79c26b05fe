"""The solutions that people work on right now, each with the judges that have read it."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from engine.runs.host import Host
from engine.runs.lab.solutions import Bench, Reading, letters_about
from engine.search.scorer import Scorer

#: Benches that are kept; what falls off is read anew when it comes back.
_KEPT = 16

#: Whose, which judge, which problem.
_Key = tuple[str, str, str]


@dataclass(slots=True, eq=False)
class _Kept:
    bench: Bench
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # a bench reads one thing at a time


class Benches:
    """Reads solutions on a host's loop. What one visitor has had read is not told from another's bill."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, judge: str, problem: str, solutions: Sequence[Sequence[str]], visitor: str = "") -> Future[Reading]:
        """The judge's scores of solutions of one problem; cancelling stops the reading. Errors as `Host.judging`."""

        async def work(scorer: Scorer) -> Reading:
            kept = self._bench((visitor, judge, problem), scorer)
            async with kept.lock:
                return await kept.bench.read(solutions)

        return self._host.judging(judge, work, visitor=visitor)

    def about(self, judge: str, problem: str, solutions: Sequence[Sequence[str]], visitor: str = "") -> int:
        """About how many positions `read` will compute. Loads nothing."""
        with self._lock:
            kept = self._kept.get((visitor, judge, problem))
        if kept is not None:
            return kept.bench.about(solutions)
        if not self._host.catalogue.judge_loaded(judge):
            return letters_about(problem, list(dict.fromkeys(step for steps in solutions for step in steps)))
        return Bench(problem, self._host.catalogue.judge(judge)).about(solutions)

    def _bench(self, key: _Key, scorer: Scorer) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(key, _Kept(Bench(key[2], scorer)))
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                _, oldest = self._kept.popitem(last=False)
                if not oldest.lock.locked():  # else its cache is dropped when memory is needed
                    oldest.bench.close()
        return kept
