"""A page in a browser, without the browser: the requests that Gradio's own client sends, in its order."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import httpx

from tts_ui.web.explore import form

_CONFIG = re.compile(r"window\.gradio_config = (\{.*?\});</script>", re.DOTALL)
#: The first line of a tree, where quotes are escaped: which run it is, while it goes on.
_TREE = re.compile(r'\{\\"t\\":\s*\\"run\\",\s*\\"id\\":\s*\\"([\w.:-]+)')
_STEP = re.compile(r'\[\\"n\\",')
_EXPORT = re.compile(r"export/([\w.:-]+)/json")
#: Seconds without a byte after which a request counts as hung. A stream has a heartbeat every 15 s.
PATIENCE_S = 120.0


class Failed(Exception):
    """Something that a visitor would call an error; the text is its kind."""


class Page:
    """An open page: the session that it made up, the functions of its elements, the run that it shows."""

    def __init__(self, client: httpx.AsyncClient, config: dict[str, Any]) -> None:
        self.client, self._config = client, config
        self.session = secrets.token_hex(6)
        self.run_id: str | None = None  # once it is over
        self.running_id: str | None = None
        self._heart = asyncio.create_task(self._beat())

    @classmethod
    async def open(cls, client: httpx.AsyncClient, query: str = "") -> Self:
        """Load the page and what it shows first."""
        answer = await checked(client.get("", params=query))
        found = _CONFIG.search(answer.text)
        if not found:
            raise Failed("a page without its configuration")
        page = cls(client, json.loads(found[1]))
        try:
            load = min(each["id"] for each in page._config["dependencies"] if "load" in dict(each["targets"]).values())
            async with page.asked(load, query=query) as told:
                async for _ in told:
                    pass
        except BaseException:
            await page.close()
            raise
        return page

    async def close(self) -> None:
        """As a closed tab: its connections end."""
        self._heart.cancel()
        with suppress(asyncio.CancelledError, httpx.HTTPError):
            await self._heart

    def function(self, element: str, event: str = "click") -> int:
        ids = {each["id"] for each in self._config["components"] if each["props"].get("elem_id") == element}
        return next(
            int(each["id"])
            for each in self._config["dependencies"]
            for target, name in each["targets"]
            if name == event and target in ids and each["backend_fn"]
        )

    def form(self, **asked: Any) -> list[Any]:
        """The fields of Explore as the page has them, but for what is asked."""
        shown = {each["id"]: each["props"].get("value") for each in self._config["components"]}
        ask = self.function("run")
        inputs = next(each["inputs"] for each in self._config["dependencies"] if each["id"] == ask)
        return [asked.get(name, shown[field]) for name, field in zip(form.FIELDS, inputs, strict=True)]

    async def direct(self, number: int, *data: Any, **more: Any) -> httpx.Response:
        return await checked(self.client.post("gradio_api/run/predict", json=self._call(number, data) | more))

    @asynccontextmanager
    async def asked(self, number: int, *data: Any, query: str = "") -> AsyncIterator[AsyncIterator[str]]:
        """Ask a queued function; yields the messages of the page's stream. Leaving it closes the stream."""
        await checked(self.client.post(f"gradio_api/queue/join?{query}", json=self._call(number, data)))
        stream = self.client.stream("GET", "gradio_api/queue/data", params={"session_hash": self.session})
        try:
            async with stream as answer:
                if answer.status_code != httpx.codes.OK:
                    raise Failed(f"a stream with status {answer.status_code}")
                yield self._messages(answer)
        except httpx.HTTPError as error:
            raise Failed(f"a stream that broke: {type(error).__name__}") from error

    async def _messages(self, answer: httpx.Response) -> AsyncIterator[str]:
        async for line in answer.aiter_lines():
            if not line.startswith("data:"):
                continue
            if found := _TREE.search(line):
                self.running_id = found[1]
            if found := _EXPORT.search(line):
                self.run_id = found[1]
            kind = json.loads(line[5:])
            if kind.get("success") is False:
                raise Failed(f"a function that failed: {str(kind.get('output'))[:150]}")
            yield line
            if kind["msg"] == "close_stream":
                return
        raise Failed("a stream that ended early")

    def _call(self, number: int, data: tuple[Any, ...]) -> dict[str, Any]:
        return {"data": list(data), "fn_index": number, "session_hash": self.session}

    async def _beat(self) -> None:
        """A browser keeps this connection for as long as the page is open."""
        with suppress(httpx.HTTPError):
            async with self.client.stream("GET", f"gradio_api/heartbeat/{self.session}") as answer:
                async for _ in answer.aiter_bytes():
                    pass


def shows_step(message: str) -> bool:
    """Whether a message of a page's stream brings a step of a tree."""
    return _STEP.search(message) is not None


async def checked(asking: Any, *, may_be: tuple[int, ...] = ()) -> httpx.Response:
    """The answer. Raises `Failed` for a status that is an error and not in `may_be`, and for none at all."""
    try:
        answer: httpx.Response = await asking
    except httpx.HTTPError as error:
        raise Failed(f"no answer: {type(error).__name__}") from error
    if answer.is_error and answer.status_code not in may_be:
        raise Failed(f"status {answer.status_code}: {answer.text[:100]}")
    return answer
