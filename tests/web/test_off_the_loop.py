"""One event loop answers everybody, so nothing on it waits for the database: a slow one would hold up all pages."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event
from support.site import Site
from support.visitor import Stream, visiting
from support.waiting import until


@pytest.fixture
def asked_on_a_loop() -> Iterator[list[str]]:
    """From where a thread whose event loop runs has asked a database."""
    found: list[str] = []

    def note(*_: Any) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        found.append("".join(traceback.format_stack(limit=20)[:-1]))

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def test_pages_and_programs_ask_the_database_elsewhere(public: Site, asked_on_a_loop: list[str]) -> None:
    with visiting(public.url, "thorough") as visitor:
        visitor.start(n=4).ends()
        (row,) = [row for row in visitor.client.get("rte/runs").json()["rows"] if row["mine"]]
        visitor.open(f"run={row['id']}")
        paths = ["rte/runs?kind=comparisons", "rte/runs/choices", "rte/mine", "healthz"]
        for path in [*paths, f"export/{row['id']}/json"]:
            assert visitor.client.get(path).status_code == 200
        for change in ({"do": "describe", "tags": "one"}, {"do": "delete"}, {"do": "restore"}):
            assert visitor.client.post("rte/runs/change", json={"runs": [row["id"]], **change}).status_code == 200
        asked = {"model": "greedy/builtin-xs", "messages": [{"role": "user", "content": "What is 1 + 1?"}]}
        assert visitor.client.post("v1/chat/completions", json=asked).status_code == 200
        assert visitor.client.post("rte/mine", json={"do": "delete"}).json() == {"deleted": 2}
    assert not asked_on_a_loop, asked_on_a_loop[0]


def test_a_lesson_s_searches_do_so_too_and_one_stop_is_for_all(public: Site, asked_on_a_loop: list[str]) -> None:
    with visiting(public.url, "learner", "learn") as visitor:
        again = visitor.function("learn-again")
        assert visitor.join(again, "small-and-large", None).status_code == 200
        stream = Stream(visitor)
        until(lambda: public.host.running, 60)
        run_id = next(iter(public.host.running))
        until(lambda: public.host.store.starter(run_id), 60)
        assert visitor.direct(visitor.function("stop"), run_id).status_code == 200
        stream.ends()
        assert visitor.client.get("rte/mine").json()["runs"] == 1
    assert not asked_on_a_loop, asked_on_a_loop[0]
