"""Loading models, and downloading them first, in threads that serve nothing else.

A download takes minutes. Those who want the same models wait for one load; those who want models that are loaded
already wait for nobody.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from engine.models.catalogue.catalogue import Catalogue, Models
from engine.search.scorer import Scorer

T = TypeVar("T")


class Loading:
    """What is being loaded from a catalogue. To be used on one event loop."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._under_way: dict[tuple[str | None, ...], Future[Any]] = {}

    async def load(self, models: str | None, scorer: str | None) -> Models:
        """As `Catalogue.load`; cancelling stops the waiting, not the loading."""
        if self._catalogue.loaded(models, scorer):
            return self._catalogue.load(models, scorer)
        return await self._aside((models, scorer), lambda: self._catalogue.load(models, scorer))

    async def judge(self, scorer: str) -> Scorer:
        """As `Catalogue.judge`, likewise."""
        if self._catalogue.judge_loaded(scorer):
            return self._catalogue.judge(scorer)
        return await self._aside((scorer,), lambda: self._catalogue.judge(scorer))

    async def _aside(self, asked: tuple[str | None, ...], load: Callable[[], T]) -> T:
        if asked not in self._under_way:
            self._under_way[asked] = loaded = Future[T]()
            # Of daemon threads no one waits for the last byte of a download when the process ends.
            threading.Thread(target=_fulfil, args=[loaded, load], name="loading", daemon=True).start()
        under_way: Future[T] = self._under_way[asked]
        try:
            return await asyncio.shield(asyncio.wrap_future(under_way))
        finally:
            if (known := self._under_way.get(asked)) and known.done():
                del self._under_way[asked]


def _fulfil(promise: Future[T], work: Callable[[], T]) -> None:
    try:
        promise.set_result(work())
    except BaseException as error:
        promise.set_exception(error)
