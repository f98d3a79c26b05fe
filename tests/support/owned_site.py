"""A public server whose owner has a token and keeps runs for a week, and what is on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from support.recorded import PROBLEM
from support.site import Site

from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store
from tts_ui.web.app import launch
from tts_ui.web.public.opening import Opening

TOKEN = "the token of the owner"


@contextmanager
def site(db: Path, **opening: Any) -> Iterator[Site]:
    usual: dict[str, Any] = {"secret": b"a secret of the test", "owner_token": TOKEN, "keep_s": 7 * 24 * 3600}
    opened = Opening(**usual | opening)
    with Store.open(str(db)) as store:
        host = Host(store)
        served = launch(host, public=True, opening=opened)
        try:
            yield Site(host, served.url)
        finally:
            served.close()
            host.close()


def solved(where: Site, **params: Any) -> str:
    """A run of nobody's; its id."""
    running = where.host.submit(Question(PROBLEM), RunParams(**{"n": 2, "width": 1} | params))
    running.future.result(timeout=60)
    where.host.store.flush(running.id)
    return running.id


def listed(client: httpx.Client) -> dict[str, bool]:
    """The runs that somebody finds, but for the examples, and whether they are his to change."""
    rows = client.get("rte/runs", params={"origin": "search"}).json()["rows"]
    return {row["id"]: row["mine"] for row in rows}
