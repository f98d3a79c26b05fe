"""The prefix cache of one session: the KV of the path to every node, kept in segments, one per node.

Siblings share their ancestors' segments, so a tree costs only its distinct tokens. Memory is bounded for all sessions
of a device together, policies' and PRMs' alike, and the rows being computed count: they take up to half of it, and
segments have the rest. The least recently used segment goes first, and a session that needs it again recomputes it from
the token ids.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from engine.models.local.memory import free_gpus, free_ram

#: The share of the memory free after loading the models that keys and values may take. The rest is for what a step
#: computes besides and, on a CPU, for other programs.
_SHARE_OF_GPU, _SHARE_OF_RAM = 0.5, 0.25
_LEAST, _MOST_RAM = 64 << 20, 8 << 30

_lock = threading.Lock()
_names = itertools.count()


class _Store:
    """Segments of several caches, at most `limit` bytes (None: by free memory); the newest is always kept.

    `running` are the bytes that rows being computed take, by the model that computes them; they are part of the limit.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.bytes = 0
        self.running: dict[object, int] = {}
        self.segments: OrderedDict[tuple[int, Hashable], Tensor] = OrderedDict()

    def put(self, key: tuple[int, Hashable], segment: Tensor) -> None:
        self.drop(key)
        self.segments[key] = segment
        self.bytes += segment.nbytes
        self.fit(segment.device)

    def fit(self, device: torch.device) -> int:
        """Drop what no longer fits; returns the limit."""
        running = sum(self.running.values())
        if self.limit is None:
            self.limit = _derived(device, self.bytes + running)
        while self.bytes + running > self.limit and len(self.segments) > 1:
            self.drop(next(iter(self.segments)))
        return self.limit

    def drop(self, key: tuple[int, Hashable]) -> None:
        segment = self.segments.pop(key, None)
        self.bytes -= 0 if segment is None else segment.nbytes


class Room:
    """What all sessions share: a store for each device, and the limit that somebody decided on (None: nobody did)."""

    def __init__(self) -> None:
        self.decided: int | None = None
        self._stores: dict[torch.device, _Store] = {}

    def limit(self, device: torch.device) -> int | None:
        """Bytes that keys and values may take there; None until the first have come."""
        return self.on(device).limit

    def on(self, device: torch.device) -> _Store:
        return self._stores.setdefault(device, _Store(self.decided))

    def fit_anew(self, limit_bytes: int | None) -> None:
        self.decided = limit_bytes or self.decided
        for store in self._stores.values():
            store.limit = self.decided


#: This process's.
room = Room()


def fit_anew(limit_bytes: int | None = None) -> None:
    """Set the shared limit to `limit_bytes`, for good, or else by the memory free now."""
    with _lock:
        room.fit_anew(limit_bytes)


def allowance(device: torch.device, model: object) -> int:
    """Bytes that the rows which `model` computes there may take: half of all, less what other models' rows take."""
    with _lock:
        store = room.on(device)
        return store.fit(device) // 2 - sum(held for owner, held in store.running.items() if owner is not model)


def hold(device: torch.device, model: object, size: int) -> None:
    """Note the bytes that `model`'s rows take there from now on; segments make way for them."""
    with _lock:
        store = room.on(device)
        if size:
            store.running[model] = size
            store.fit(device)
        else:
            store.running.pop(model, None)


def longest_path(device: torch.device, position: int) -> int:
    """Positions of `position` bytes that one path may have: in the segments, in the batch, and once more while the
    batch grows."""
    with _lock:
        return room.on(device).fit(device) // (3 * position)


def _derived(device: torch.device, held: int) -> int:
    if device.type == "cuda":
        return max(_LEAST, int((free_gpus()[device.index or 0] + held) * _SHARE_OF_GPU))
    return min(_MOST_RAM, max(_LEAST, int((free_ram() + held) * _SHARE_OF_RAM)))


class PrefixCache:
    """One session's segments by key; with `limit_bytes` it shares nothing and has that limit to itself.

    Thread-safe: a stopped search clears its cache while the worker may be at its last token.
    """

    def __init__(self, limit_bytes: int | None = None) -> None:
        self._store = None if limit_bytes is None else _Store(limit_bytes)
        self._name = next(_names)
        self._keys: set[Hashable] = set()

    def longest(self, keys: Sequence[Hashable]) -> list[Tensor]:
        """The segments of `keys`, up to the first missing one."""
        found: list[Tensor] = []
        with _lock:
            for key in keys:
                segment = self._store.segments.get((self._name, key)) if self._store else None
                if segment is None:
                    break
                assert self._store is not None
                self._store.segments.move_to_end((self._name, key))
                found.append(segment)
        return found

    def put(self, key: Hashable, segment: Tensor) -> None:
        with _lock:
            if self._store is None:
                self._store = room.on(segment.device)
            self._store.put((self._name, key), segment)
            self._keys.add(key)

    def drop(self, key: Hashable) -> None:
        """Forget a segment that will not be needed again; it need not be there."""
        with _lock:
            if self._store is not None:
                self._store.drop((self._name, key))
            self._keys.discard(key)

    def clear(self) -> None:
        with _lock:
            for key in self._keys if self._store else ():
                assert self._store is not None
                self._store.drop((self._name, key))
            self._keys.clear()
