"""The writer: many runs at once, a database that refuses, a run that breaks the rules, and the end of the process."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from support.sample_runs import Script, flat, levels, record_all, started, whole_run
from support.waiting import until

from engine.errors import StoreError
from engine.search.events import RunFinished, StepScored, Usage
from engine.store import Store, recorder
from engine.store.ids import new_run_id


def test_runs_of_many_threads_interleave_while_others_read(store: Store) -> None:
    run_ids = [new_run_id() for _ in range(6)]
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        seen: dict[str, int] = dict.fromkeys(run_ids, 0)
        while not done.is_set():
            for record in store.runs():
                log = store.events(record.id)
                whole = flat(whole_run(record.id, 30))
                if log != whole[: len(log)] or len(log) < seen[record.id]:
                    wrong.append(log)
                seen[record.id] = len(log)

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=record_all, args=(store, run_id, whole_run(run_id, 30))) for run_id in run_ids]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    store.flush()
    done.set()
    for thread in readers:
        thread.join()
    assert not wrong
    assert {run_id: store.events(run_id) for run_id in run_ids} == {
        run_id: flat(whole_run(run_id, 30)) for run_id in run_ids
    }


def test_a_locked_database_is_reported_and_nothing_is_lost_or_shown(file: Path) -> None:
    with Store.open(f"sqlite:///{file}?timeout=0.05") as store:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        run_id = new_run_id()
        record_all(store, run_id, whole_run(run_id))
        with pytest.raises(StoreError, match="another program holds its lock"):
            store.flush(run_id)
        assert store.error is not None
        assert store.runs() == []  # readers do not wait for the lock either
        other.execute("ROLLBACK")
        other.close()
        store.flush(run_id)
        assert store.error is None
        assert store.events(run_id) == flat(whole_run(run_id))


def test_the_writer_tries_again_by_itself(file: Path) -> None:
    with Store.open(f"sqlite:///{file}?timeout=0.05") as store:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        run_id = new_run_id()
        record_all(store, run_id, whole_run(run_id))
        until(lambda: store.error)
        other.execute("ROLLBACK")
        other.close()
        until(lambda: store.error is None and store.runs())
        assert store.events(run_id) == flat(whole_run(run_id))


def test_too_much_that_waits_stops_the_search(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "CAPACITY", 20)
    store = Store.open(f"sqlite:///{file}?timeout=0.05")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run_id = new_run_id()
    with pytest.raises(StoreError, match="rows wait for a database"):
        record_all(store, run_id, whole_run(run_id, 10))
    with pytest.raises(StoreError, match="could not be saved"):
        store.close()
    other.close()


def test_a_database_that_refuses_for_long_stops_the_search_and_keeps_its_end(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "PATIENCE_S", 0.0)
    with Store.open(f"sqlite:///{file}?timeout=0.05") as store:
        rounds = list(levels("r1", 3))
        store.record(rounds[0], Usage(), "r1")
        store.flush()
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.record(rounds[1], Usage(), "r1")
        until(lambda: store.error)
        with pytest.raises(StoreError, match="refuses them: .*another program holds its lock"):
            store.record(rounds[2], Usage(), "r1")
        store.record(rounds[2], Usage(), "r1")  # the run ends: what it had, once more, and its last word
        store.record([RunFinished("failed", error="it was told to stop")], Usage(), "r1")
        record, log = store.read("r1")
        assert (record.status, log[-1]) == ("failed", RunFinished("failed", error=record.error))
        assert record.error is not None and "another program holds its lock" in record.error
        other.execute("ROLLBACK")
        other.close()
        store.flush("r1")
        assert store.events("r1") == [*flat(rounds[:3]), RunFinished("failed", error="it was told to stop")]


FULL_DISK = """
import resource, sys
from engine.errors import StoreError
from engine.store import Store
from support.sample_runs import flat, record_all, whole_run
store = Store.open(sys.argv[1])
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))  # no file may grow beyond this: a disk that is full
record_all(store, "r1", whole_run("r1", 600))
try:
    store.flush()
except StoreError as error:
    print("refused:", error, flush=True)
print(len(store.runs()), flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
store.flush()
assert store.events("r1") == flat(whole_run("r1", 600))
store.close()
"""


def test_a_full_disk_is_reported_and_nothing_is_lost(file: Path, script: Script) -> None:
    pytest.importorskip("resource")
    process = script(FULL_DISK, file)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    refused, shown = output.splitlines()
    assert refused.startswith("refused: the database cannot be written to")
    assert shown == "0"
    with Store.open(str(file)) as store:
        assert store.events("r1") == flat(whole_run("r1", 600))


def test_a_run_that_breaks_the_rules_costs_no_other_run_anything(store: Store) -> None:
    good, bad = new_run_id(), new_run_id()
    store.record([started(bad), StepScored(1, 99, "prm", 0.5)], Usage(), bad)
    record_all(store, good, whole_run(good))
    with pytest.raises(StoreError, match=f"run {bad} is no longer recorded"):
        store.flush(bad)
    store.flush(good)
    assert store.events(good) == flat(whole_run(good))
    with pytest.raises(StoreError, match="no longer recorded"):
        store.record([RunFinished("done")], Usage(), bad)
    assert store.error is None


def test_a_run_that_is_no_longer_recorded_has_failed(store: Store) -> None:
    store.record([started("r1")], Usage(), "r1")
    store.flush()
    store.record([StepScored(1, 99, "prm", 0.5)], Usage(), "r1")
    with pytest.raises(StoreError, match="no longer recorded"):
        store.flush("r1")
    until(lambda: store.run("r1").status == "failed")
    assert "no longer recorded" in str(store.run("r1").error)


def test_an_id_is_recorded_once(store: Store) -> None:
    run_id = new_run_id()
    record_all(store, run_id, whole_run(run_id))
    store.flush()
    store.record([started(run_id, problem="another")], Usage(), run_id)
    with pytest.raises(StoreError):
        store.flush(run_id)
    assert store.events(run_id) == flat(whole_run(run_id))


def test_a_run_that_was_never_started_is_refused(store: Store) -> None:
    steps = whole_run("x")[1]
    with pytest.raises(StoreError, match="RunStarted comes first"):
        store.record(steps, Usage(), "x")


def test_closing_commits_what_waits_and_ends_what_runs(file: Path) -> None:
    store = Store.open(str(file))
    run_id = new_run_id()
    rounds = list(levels(run_id, 3))
    record_all(store, run_id, rounds)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.record(rounds[0], Usage(), run_id)
    store.flush()
    with Store.open(str(file)) as again:
        assert again.events(run_id) == [*flat(rounds), RunFinished("interrupted")]


FORGETFUL = """
import sys
from engine.store import Store
from support.sample_runs import record_all, whole_run
record_all(Store.open(sys.argv[1]), "r1", whole_run("r1"))
"""


def test_a_process_that_forgets_to_close_loses_nothing(file: Path, script: Script) -> None:
    process = script(FORGETFUL, file)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    with Store.open(str(file)) as store:
        assert store.events("r1") == flat(whole_run("r1"))


def test_recording_does_not_wait_for_the_disk(file: Path) -> None:
    with Store.open(str(file)) as store:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        record_all(store, "r1", whole_run("r1"))
        with sqlite3.connect(file) as reader:  # handed over, and nobody could have written it yet
            assert reader.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        reader.close()
        other.execute("ROLLBACK")
        other.close()


def test_usage_is_saved_with_each_round(store: Store) -> None:
    for number, events in enumerate(levels("r1", 3)):
        usage = Usage(number, 2, 3, 4, 5, 6, 7, 8.5, 9.5, number / 10)
        store.record(events, usage, "r1")
        store.flush()
        assert store.run("r1").usage == usage
