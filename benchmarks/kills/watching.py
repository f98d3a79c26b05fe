"""Somebody who starts searches on a server's page and sees their trees grow, until the server is gone."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
from collections import defaultdict
from contextlib import suppress

import httpx

from benchmarks.endurance.page import Failed, Page
from engine.domains.builtin.problems import examples

#: The lines of a tree (`tts_ui.web.components.tree_lines`) as they are in a message, where quotes are escaped.
_RUN = re.compile(r'\{\\"t\\":\s*\\"run\\",\s*\\"id\\":\s*\\"([\w.:-]+)')
_STEP = re.compile(r'\[\\"n\\",\s*(\d+)')


class Watching:
    """Goes on in a thread of its own.

    Attributes:
        shown: of each run, the number of the last step that its tree on the page had.
        over: runs that the page said were over.
    """

    def __init__(self, url: str, draw: random.Random) -> None:
        self.shown: defaultdict[str, int] = defaultdict(int)
        self.over: set[str] = set()
        self._url, self._seed, self._leave = url, draw.randrange(10**6), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(timeout=30)

    async def _watch(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=30, trust_env=False, verify=False) as client:
            with suppress(Failed, httpx.HTTPError, json.JSONDecodeError):
                page = await Page.open(client)
                try:
                    while not self._leave.is_set():
                        await self._search(page)
                finally:
                    await page.close()

    async def _search(self, page: Page) -> None:
        self._seed += 1
        problem = examples()[self._seed % len(examples())].text
        fields = page.form(problem=problem, strategy="beam_search", n=16, width=4, seed=self._seed)
        ask, page.run_id = page.function("run"), None
        await page.direct(ask, *fields)
        async with page.asked(ask + 1, None, *fields) as messages:
            run_id = None
            async for message in messages:
                if found := _RUN.search(message):
                    run_id = found[1]
                if run_id:
                    self.shown[run_id] = max([self.shown[run_id], *map(int, _STEP.findall(message))])
                if page.run_id:
                    self.over.add(page.run_id)
                if self._leave.is_set():
                    return
