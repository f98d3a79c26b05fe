"""What visitors do: open the page, run a search and watch it, look at steps, save it; some reload, stop or leave."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from benchmarks.endurance.page import PATIENCE_S, Failed, Page, checked, shows_step
from engine.domains.builtin.problems import examples

#: Seconds that somebody thinks between two things, at least and at most.
_THINKS_S = (3.0, 25.0)
#: What they ask for: mostly small searches.
_ASKED = (
    {"strategy": "best_of_n", "n": 4}, {"strategy": "best_of_n", "n": 8},
    {"strategy": "beam_search", "n": 8, "width": 4}, {"strategy": "dvts", "n": 8, "width": 4},
    {"strategy": "mcts", "n": 8}, {"strategy": "majority_vote", "n": 8},
)  # fmt: skip
#: The server closes a connection after five idle seconds. A browser that asks at that moment asks again by itself.
_YOUNG = httpx.Limits(keepalive_expiry=3.0)
#: Seconds after which a run that goes on counts as hung.
_ENDS_WITHIN_S = 600.0
_FORMATS = ("json", "csv", "svg", "png", "html")
#: What one may be told without an error: the line is full, a few exports at a time.
_FULL, _BUSY = "requests are waiting", 503


@dataclass(slots=True)
class Told:
    """What all visitors were told: errors by kind, what they did, and seconds."""

    errors: Counter[str] = field(default_factory=Counter)
    did: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    answered: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)


async def crowd(url: str, told: Told, seconds: float, visitors: int, pace: float = 1.0) -> None:
    """So many visitors for so long; who is in the middle of something at the end is let finish it."""
    ends = time.monotonic() + seconds
    await asyncio.gather(*(_Visitor(url, told, ends, number, pace).stays() for number in range(visitors)))


class _Visitor:
    def __init__(self, url: str, told: Told, ends: float, number: int, pace: float) -> None:
        self._url, self._told, self._ends, self._pace = url, told, ends, pace
        self._draw = random.Random(number)

    async def stays(self) -> None:
        """Visits one after another, each with a browser that was just opened."""
        await self._thinks()
        while time.monotonic() < self._ends:
            async with httpx.AsyncClient(
                base_url=self._url, timeout=PATIENCE_S, limits=_YOUNG, trust_env=False, verify=False
            ) as client:
                try:
                    await self._visits(client)
                except Failed as failed:
                    self._told.errors[str(failed)] += 1
            await self._thinks()

    async def _visits(self, client: httpx.AsyncClient) -> None:
        page = await self._opens(client, "")
        try:
            for _ in range(self._draw.randint(1, 4)):
                await self._thinks()
                if time.monotonic() > self._ends:
                    return
                try:
                    async with asyncio.timeout(_ENDS_WITHIN_S):
                        stays = await self._runs(page)
                except TimeoutError:
                    raise Failed("a run that did not end") from None
                if not stays:
                    return
                if page.run_id:
                    await self._looks(page, page.run_id)
                if page.run_id and self._draw.random() < 0.25:
                    run_id = page.run_id
                    await page.close()
                    page = await self._opens(client, f"run={run_id}")
                    self._told.did["reloads"] += 1
        finally:
            await page.close()

    async def _opens(self, client: httpx.AsyncClient, query: str) -> Page:
        began = time.monotonic()
        page = await Page.open(client, query)
        self._told.pages.append(time.monotonic() - began)
        self._told.did["pages"] += 1
        return page

    async def _runs(self, page: Page) -> bool:
        """Press Run and watch; one in eight stops it, one in eight leaves. Whether the page is still open."""
        ask, stop = page.function("run"), page.function("stop")
        problem = self._draw.choice(examples())
        fields = page.form(problem=problem.text, seed=self._draw.randrange(1000), **self._draw.choice(_ASKED))
        how = self._draw.choice(["watch"] * 6 + ["stop", "leave"])
        page.run_id, page.running_id, began = None, None, time.monotonic()
        answered = stepped = False
        await page.direct(ask, *fields)
        async with page.asked(ask + 1, None, *fields) as messages:
            async for message in messages:
                if _FULL in message:
                    self._told.refused += 1
                if '"process_generating"' not in message:
                    continue
                if not answered:
                    self._told.answered.append(time.monotonic() - began)
                answered = True
                if stepped or not shows_step(message):
                    continue
                stepped = True
                self._told.first.append(time.monotonic() - began)
                if how == "leave":
                    self._told.did["left in the middle"] += 1
                    return False
                if how == "stop" and page.running_id:
                    with suppress(Failed):  # it may be over by now
                        await page.direct(stop, page.running_id)
                    self._told.did["stopped"] += 1
        self._told.whole.append(time.monotonic() - began)
        self._told.did["runs watched to the end"] += 1
        return True

    async def _looks(self, page: Page, run_id: str) -> None:
        """Select a few steps, and sometimes save the run."""
        select = page.function("tree", "select")
        for node in range(self._draw.randint(0, 3)):
            step = {"index": node, "value": node, "selected": True, "linked": {}, "moments": {}}
            await page.direct(select, run_id, event_data=step)
            self._told.did["steps selected"] += 1
        if self._draw.random() < 0.3:
            format = self._draw.choice(_FORMATS)
            answer = await checked(page.client.get(f"export/{run_id}/{format}"), may_be=(_BUSY,))
            self._told.did["exports" if answer.is_success else "exports asked to wait"] += 1

    async def _thinks(self) -> None:
        await asyncio.sleep(self._draw.uniform(*_THINKS_S) / self._pace)
