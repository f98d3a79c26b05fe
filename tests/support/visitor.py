"""Somebody at the pages without a browser: what Gradio's own client sends, and what a stranger may send instead."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from engine.search.params import RunParams
from tts_ui.web.explore import form

#: What the form of Explore begins with, but for what a test asks for.
_FORM: dict[str, Any] = {
    "problem": "What is 18 * 19?", "models": "builtin-xs", "scorer": "the pair's own", "reference": "",
    "select": "the strategy's own",
}  # fmt: skip


class Visitor:
    """A page that was opened at `url`, with the cookie it was given unless `cookies` is False."""

    def __init__(self, url: str, session: str, page: str = "", *, cookies: bool = True) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)
        self.session = session
        self.page = self.client.get(page).text
        if not cookies:
            self.client.cookies.clear()
        found = re.search(r"window\.gradio_config = (\{.*?\});</script>", self.page, re.DOTALL)
        assert found
        self.config = json.loads(found[1])

    def function(self, element: str, event: str = "click") -> int:
        """The number of the first function that this event of an element calls; "" stands for the page itself."""
        ids = {each["id"] for each in self.config["components"] if each["props"].get("elem_id") == element}
        numbers = [
            each["id"]
            for each in self.config["dependencies"]
            for target, name in each["targets"]
            if name == event and (target in ids or not element) and each["backend_fn"]
        ]
        return int(numbers[0])

    def direct(self, number: int, *data: Any, **more: Any) -> httpx.Response:
        return self.client.post("gradio_api/run/predict", json=self._call(number, data) | more)

    def join(self, number: int, *data: Any, query: str = "", **more: Any) -> httpx.Response:
        return self.client.post(f"gradio_api/queue/join?{query}", json=self._call(number, data) | more)

    def _call(self, number: int, data: tuple[Any, ...]) -> dict[str, Any]:
        return {"data": list(data), "fn_index": number, "session_hash": self.session}

    def form(self, **asked: Any) -> list[Any]:
        """The fields of Explore."""
        params = RunParams()
        given = {name: getattr(params, name, None) for name in form.FIELDS}
        given = {name: 0 if value is None else value for name, value in given.items()} | _FORM | asked
        return [given[name] for name in form.FIELDS]

    def start(self, **asked: Any) -> Stream:
        """Fill in the form and press Run."""
        fields, ask = self.form(**asked), self.function("run")
        self.direct(ask, *fields)
        joined = self.join(ask + 1, None, *fields)
        assert joined.status_code == 200, joined.text
        return Stream(self)

    def open(self, query: str) -> str:
        """What a page with this address is told, to its end."""
        events = {each["id"]: [name for _, name in each["targets"]] for each in self.config["dependencies"]}
        load = min(number for number, names in events.items() if "load" in names)
        assert self.join(load, query=query).status_code == 200
        stream = Stream(self)
        stream.ends()
        return stream.said

    def close(self) -> None:
        self.client.close()


class Stream:
    """What a page is told, as it comes; `leave` closes it as a closed tab does."""

    def __init__(self, visitor: Visitor) -> None:
        self.said = ""
        self._url = str(visitor.client.base_url.join("gradio_api/queue/data"))
        self._session = visitor.session
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with httpx.stream("GET", self._url, params={"session_hash": self._session}, timeout=60) as answer:
            for line in answer.iter_lines():
                self.said += line + "\n"
                if self._leave.is_set():
                    return

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(timeout=30)

    def ends(self) -> None:
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


@contextmanager
def visiting(url: str, session: str, page: str = "", *, cookies: bool = True) -> Iterator[Visitor]:
    visitor = Visitor(url, session, page, cookies=cookies)
    try:
        yield visitor
    finally:
        visitor.close()
