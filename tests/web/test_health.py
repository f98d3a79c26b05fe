"""What keeps a server running asks whether it is well."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from support.site import Site

from engine.store import Store
from tts_ui.web.door import health
from tts_ui.web.door.server import serve_app


def asked(answers: Callable[[], object], times: int = 1) -> list[httpx.Response]:
    served = serve_app(Starlette(routes=[health.health_route(answers)]))
    try:
        return [httpx.get(f"{served.url}healthz", timeout=20) for _ in range(times)]
    finally:
        served.close()


def test_a_server_that_is_well_says_so_to_everybody(public: Site, own: Site) -> None:
    for site in (public, own):
        answer = httpx.get(f"{site.url}healthz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "version": version("tts-ui"), "store": True}
        assert answer.headers["cache-control"] == "no-store" and "set-cookie" not in answer.headers
        assert httpx.post(f"{site.url}healthz").status_code == 405
        assert httpx.get(f"{site.url}healthz", headers={"host": "elsewhere.example"}).status_code == 421


def test_a_database_that_is_gone_is_told(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "runs.db")) as store:
        assert asked(lambda: store.known(["healthz"]))[0].status_code == 200
        for file in tmp_path.glob("runs.db*"):
            file.write_bytes(b"no database")
        (answer,) = asked(lambda: store.known(["healthz"]))
        assert answer.status_code == 503
        assert answer.json()["status"] == "failing" and answer.json()["store"] is False


def test_a_database_that_hangs_holds_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    hung, asks = threading.Event(), []

    def hang() -> None:
        asks.append(1)
        hung.wait(60)

    monkeypatch.setattr(health, "_ANSWERS_WITHIN_S", 0.05)
    try:
        answers = asked(hang, times=3)
    finally:
        hung.set()
    assert [answer.status_code for answer in answers] == [503] * 3
    assert len(asks) == 1
