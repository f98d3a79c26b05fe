"""Whose run it is: a dead process's runs become `interrupted`, a living one's never."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from support.sample_runs import Script, flat, levels, record_all, whole_run
from support.waiting import until

from engine.search.events import RunFinished
from engine.search.tree import Tree
from engine.store import Store, recorder
from engine.store.ids import new_run_id
from engine.store.owner import SILENCE_S, Owner, process_started, this_process

ENDLESS = """
import sys
from engine.search.events import Usage
from engine.store import Store
from support.sample_runs import levels
store = Store.open(sys.argv[1])
for events in levels(sys.argv[2]):
    store.record(events, Usage(len(events)), sys.argv[2])
    store.flush()
"""


def rewrite(file: Path, **columns: object) -> None:
    connection = sqlite3.connect(file)
    with connection:
        for name, value in columns.items():
            connection.execute(f"UPDATE runs SET {name} = ?", (value,))
    connection.close()


def test_kill_9_leaves_a_readable_tree_and_the_run_is_marked_only_then(file: Path, script: Script) -> None:
    with Store.open(str(file)) as store:
        process = script(ENDLESS, file, "r1")
        until(lambda: process.poll() is not None or (store.runs() and len(store.events("r1")) > 200))
        assert process.poll() is None
        assert store.mark_interrupted() == []
        with Store.open(str(file)) as another:
            assert another.run("r1").status == "running"

        os.kill(process.pid, signal.SIGKILL)
        until(lambda: store.mark_interrupted() == ["r1"])  # nobody has waited for it yet: it is a zombie, and dead
        log = store.events("r1")
        assert log.pop() == RunFinished("interrupted")
        assert len(log) > 200
        whole = (event for events in levels("r1") for event in events)
        assert log == [next(whole) for _ in log]
        assert len(Tree.from_events(log)) > 50
        assert store.run("r1").usage.generated_tokens > 0
        assert store.mark_interrupted() == []


def test_opening_marks_what_a_dead_process_left(file: Path, script: Script) -> None:
    process = script(ENDLESS, file, "r1")
    until(lambda: file.exists() and process.poll() is None)
    with Store.open(str(file)) as store:
        until(lambda: store.runs())
    process.kill()
    process.wait()
    with Store.open(str(file)) as store:
        assert store.run("r1").status == "interrupted"


def test_a_reused_pid_is_not_the_owner(store: Store, file: Path) -> None:
    record_all(store, "r1", list(levels("r1", 1)))
    store.flush()
    assert store.mark_interrupted() == []
    rewrite(file, owner_pid=os.getppid(), owner_started="before")
    assert store.mark_interrupted() == ["r1"]
    assert store.run("r1").status == "interrupted"


def test_on_another_host_only_silence_tells(store: Store, file: Path) -> None:
    record_all(store, "r1", list(levels("r1", 1)))
    store.flush()
    rewrite(file, owner_host="elsewhere", owner_pid=1, heartbeat=time.time() - SILENCE_S / 2)
    assert store.mark_interrupted() == []
    rewrite(file, heartbeat=time.time() - 2 * SILENCE_S)
    assert store.mark_interrupted() == ["r1"]


def test_a_finished_run_is_nobody_s_to_mark(store: Store, file: Path) -> None:
    record_all(store, "r1", whole_run("r1"))
    store.flush()
    rewrite(file, owner_pid=2**22 + 1)
    assert store.mark_interrupted() == []
    assert store.run("r1").status == "done"


def test_the_heart_beats_while_a_run_does_nothing_and_takes_back_what_sleep_cost(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "HEARTBEAT_S", 0.05)
    with Store.open(str(file)) as store:
        record_all(store, "r1", list(levels("r1", 1)))
        store.flush()
        first = store.run("r1").heartbeat
        until(lambda: store.run("r1").heartbeat > first)
        rewrite(file, status="interrupted")
        until(lambda: store.run("r1").status == "running")


TWO_RUNS = """
import sys
from engine.store import Store
from support.sample_runs import record_all, whole_run
with Store.open(sys.argv[1]) as store:
    for run_id in sys.argv[2:]:
        record_all(store, run_id, whole_run(run_id, 20))
        store.flush()
"""


def test_two_processes_write_one_database(url: str, script: Script) -> None:
    run_ids = [new_run_id() for _ in range(8)]
    writers = [script(TWO_RUNS, url, *run_ids[:4]), script(TWO_RUNS, url, *run_ids[4:])]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    with Store.open(url) as store:
        for run_id in run_ids:
            assert store.events(run_id) == flat(whole_run(run_id, 20))


def test_this_process_is_alive_and_a_pid_without_process_is_not() -> None:
    me = this_process()
    assert me.pid == os.getpid()
    assert me.alive(heartbeat=0.0)
    assert process_started(os.getpid())
    assert process_started(2**22 + 1) == ""
    assert not Owner(me.host, 2**22 + 1, "1").alive(heartbeat=time.time())
