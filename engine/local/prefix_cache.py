"""The prefix cache of one session: the KV of the path to every node, kept in segments, one a node.

Siblings share their ancestors' segments, so a tree costs its distinct tokens and no more. Memory is bounded: the
segment used longest ago goes first, and whoever misses it computes it again from the token ids.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence

from torch import Tensor


class PrefixCache:
    """Segments by key, at most `limit_bytes` of them (at least the newest stays).

    Thread-safe: a stopped search clears its cache while the worker may be at its last token.
    """

    def __init__(self, limit_bytes: int = 1 << 30) -> None:
        self._limit = limit_bytes
        self._bytes = 0
        self._segments: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def longest(self, keys: Sequence[Hashable]) -> list[Tensor]:
        """The segments of `keys` up to the first that is missing."""
        found: list[Tensor] = []
        with self._lock:
            for key in keys:
                segment = self._segments.get(key)
                if segment is None:
                    break
                self._segments.move_to_end(key)
                found.append(segment)
        return found

    def put(self, key: Hashable, segment: Tensor) -> None:
        with self._lock:
            self._bytes += segment.nbytes - (self._segments[key].nbytes if key in self._segments else 0)
            self._segments[key] = segment
            self._segments.move_to_end(key)
            while self._bytes > self._limit and len(self._segments) > 1:
                _, oldest = self._segments.popitem(last=False)
                self._bytes -= oldest.nbytes

    def clear(self) -> None:
        with self._lock:
            self._segments.clear()
            self._bytes = 0
