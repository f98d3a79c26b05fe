"""What a server that runs for weeks must not pile up, and what it must not do while nobody asks for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.runs.host import Host
from engine.store import Store
from tts_ui.web.app import build
from tts_ui.web.door import Visitors, serve_behind_door

VISITS = 400


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Any]:
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store)
        visitors = Visitors()
        demo = build(host, visitors)
        served = serve_behind_door(demo, visitors)
        yield demo
        served.close()
        host.close()


def test_the_state_of_some_hundred_pages_is_remembered_not_of_all(demo: Any) -> None:
    sessions = demo.app.state_holder
    for visit in range(VISITS):
        sessions[f"visit {visit}"]
    assert len(sessions.session_data) < 300
    assert f"visit {VISITS - 1}" in sessions and "visit 0" not in sessions


def test_an_idle_server_hardly_looks_for_work(demo: Any) -> None:
    """Gradio's queue looks for events all the time: left alone, a thousand times a second and 5 % of a core."""
    assert demo._queue.sleep_when_free >= 0.02


def test_more_pages_than_threads_may_follow_runs(demo: Any) -> None:
    assert len(demo._queue.active_jobs) >= 200
