"""The engine's thread: runs are submitted, stopped and recorded from other threads, and closing loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from recorded import PROBLEM

from engine.errors import InvalidInput
from engine.host import Host
from engine.models import Catalogue
from engine.params import RunParams
from engine.run import Question
from engine.store import Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def host(file: Path) -> Iterator[Host]:
    store = Store.open(str(file))
    host = Host(store, Catalogue())
    yield host
    host.close()
    store.close()


def test_a_run_is_recorded_as_it_was_searched(host: Host) -> None:
    running = host.submit(Question(PROBLEM, "262"), RunParams(n=4, width=2))
    finished = running.future.result(timeout=60)
    assert running.ended.wait(10)
    host.store.flush()
    record = host.store.run(running.id)
    assert (record.status, record.answer, record.correct) == (finished.status, finished.answer, finished.correct)
    assert len(host.store.tree(running.id)) > 1
    assert not host.running
    assert not host.stop(running.id)


def test_stopping_from_another_thread(host: Host) -> None:
    running = host.submit(Question(PROBLEM), RunParams(n=256, width=4, temperature=1.5))
    assert host.stop(running.id)
    running.stop()
    assert running.ended.wait(20)
    with pytest.raises(CancelledError):
        running.future.result(timeout=10)
    host.store.flush()
    assert host.store.run(running.id).status == "stopped"


def test_closing_stops_what_runs_and_records_it(file: Path) -> None:
    with Store.open(str(file)) as store:
        host = Host(store, Catalogue())
        runs = [host.submit(Question(PROBLEM), RunParams(n=256, temperature=1.5, seed=seed)) for seed in range(2)]
        host.close()
        assert not asyncio.all_tasks(host._loop)
    with Store.open(str(file)) as store:
        assert {store.run(run.id).status for run in runs} == {"stopped"}


def test_a_mistake_is_raised_to_the_caller(host: Host) -> None:
    with pytest.raises(InvalidInput, match="models"):
        host.submit(Question(PROBLEM), RunParams(), "unknown")
    with pytest.raises(InvalidInput, match="context window"):
        host.submit(Question("7 + " * 1000), RunParams())
    assert not host.running
    assert host.store.runs() == []
