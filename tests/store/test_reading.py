"""Reading a database that cannot be written: a read-only folder, a full disk, a process that was killed. Nothing is
made or left behind, whatever state it is in."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.old_databases import upgraded
from support.sample_runs import Script, flat, record_all, whole_run

from engine.errors import NoDatabase, StoreError
from engine.store import Store


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def recorded(file: Path) -> Path:
    with Store.open(str(file)) as store:
        record_all(store, "r1", whole_run("r1"))
    return file


def as_it_is(file: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in file.parent.iterdir() if path.is_file()}


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> None:
    try:
        for part in range(1000):
            (folder / f"full{part}").write_bytes(bytes(8192))
    except OSError:
        pass


def test_reading_makes_no_database(file: Path) -> None:
    with pytest.raises(NoDatabase, match=r"there is no database .* --db"):
        Store.reading(str(file / "deeper" / "runs.db"))
    file.touch()
    with pytest.raises(NoDatabase):
        Store.reading(str(file))
    assert names(file.parent) == [file.name] and file.stat().st_size == 0


def test_reading_changes_nothing_and_leaves_nothing(file: Path) -> None:
    before = as_it_is(recorded(file))
    with Store.reading(str(file)) as store:
        assert store.events("r1") == flat(whole_run("r1"))
    assert as_it_is(file) == before


def test_a_reader_cannot_write(file: Path) -> None:
    before = as_it_is(recorded(file))
    with Store.reading(str(file)) as store, pytest.raises(StoreError):
        store.regrade("r1", "8", whole_run("r1")[-1][-1])  # type: ignore[arg-type]
    assert as_it_is(file) == before


@pytest.mark.skipif(os.name != "posix", reason="the permissions of a folder")
def test_a_read_only_folder(file: Path, script: Script) -> None:
    recorded(file)
    file.chmod(0o444)
    file.parent.chmod(0o555)
    if not os.geteuid():
        pytest.skip("root may write everywhere; the full disk says the same")
    with Store.reading(str(file)) as store:
        assert store.events("r1") == flat(whole_run("r1"))
    assert names(file.parent) == [file.name]


def test_a_full_disk(full_disk: Path) -> None:
    file = recorded(full_disk / "runs.db")
    fill(full_disk)
    before = names(full_disk)
    with Store.reading(str(file)) as store:
        assert store.events("r1") == flat(whole_run("r1"))
    assert names(full_disk) == before


KILLED = """
import sys
from engine.store import Store
from support.sample_runs import levels
from engine.search.events import Usage
store = Store.open(sys.argv[1])
for events in levels("r1", 3):
    store.record(events, Usage(), "r1")
store.flush()
print("recorded", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("filled", [False, True])
def test_a_run_whose_process_was_killed_is_interrupted(full_disk: Path, script: Script, filled: bool) -> None:
    file = full_disk / "runs.db"
    process = script(KILLED, file)
    assert process.stdout and process.stderr
    assert process.stdout.readline() == "recorded\n", process.stderr.read()
    if filled:
        fill(full_disk)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Store.reading(str(file)) as store:
        record, log = store.read("r1")
        assert (record.status, len(log)) == ("interrupted", 3 * 9 + 2)
        assert [each.status for each in store.runs()] == ["interrupted"]


@pytest.mark.parametrize("version", ["0001", "0002", "0003"])
def test_an_old_database_is_read_as_it_is(file: Path, version: str) -> None:
    upgraded(str(file), version).dispose()
    before = as_it_is(file)
    with Store.reading(str(file)) as store:
        assert store.runs() == []
    assert as_it_is(file) == before


def test_what_is_no_database(file: Path) -> None:
    file.write_text("dear diary, " * 1000)
    with pytest.raises(StoreError, match="not a SQLite database.*--db"):
        Store.reading(str(file))
    with pytest.raises(StoreError, match="is a folder"):
        Store.reading(str(file.parent))
    assert names(file.parent) == [file.name]


def test_a_writer_beside_a_reader(file: Path) -> None:
    with Store.open(str(file)) as writer:
        record_all(writer, "r1", whole_run("r1"))
        writer.flush()
        with Store.reading(str(file)) as reader:
            assert reader.events("r1") == flat(whole_run("r1"))
        record_all(writer, "r2", whole_run("r2"))
    with Store.open(str(file)) as again:
        assert {record.id for record in again.runs()} == {"r1", "r2"}


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_a_database_that_goes_while_it_is_in_use_is_noticed(file: Path, what: str) -> None:
    store = Store.open(str(file))
    record_all(store, "r1", whole_run("r1"))
    store.flush()
    away = file.with_name("away.db")
    if what == "deleted":
        file.rename(away)
    else:
        Store.open(str(away)).close()
        file.rename(file.with_name("old.db"))
        away.rename(file)
    with pytest.raises(StoreError, match=f"was {what}"):
        store.runs()
    record_all(store, "r2", whole_run("r2"))
    with pytest.raises(StoreError, match=f"was {what}"):
        store.flush("r2")
    (away if what == "deleted" else file.with_name("old.db")).replace(file)
    store.flush("r2")
    assert {record.id for record in store.runs()} == {"r1", "r2"}
    store.close()
