"""Opening a database: where it is found, how it is made, and the one line that says why it cannot be used."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from support.sample_runs import Script, flat, record_all, whole_run

import engine.store.migrations as migrations
from engine.errors import StoreError
from engine.store import Store
from engine.store.address import resolve
from engine.store.connect import open_engine
from engine.store.ids import new_run_id
from engine.store.tables import metadata


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(url).close()
    message = str(caught.value)
    assert "\n" not in message
    assert "--db" in message
    return message


def test_argument_then_environment_then_the_user_s_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_UI_DB", str(tmp_path / "from_env.db"))
    assert resolve(str(tmp_path / "given.db")).database == str(tmp_path / "given.db")
    assert resolve(None).database == str(tmp_path / "from_env.db")
    monkeypatch.setenv("TTS_UI_DB", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Path(str(resolve(None).database)).name == "runs.db"
    assert str(resolve("~/x.db").database) == str(tmp_path / "x.db")


@pytest.mark.parametrize("name", ["runs.db", "with space/ü?#%20&.db", "deep/er/and/deeper.db"])
def test_folders_are_made_and_odd_names_are_kept(tmp_path: Path, name: str) -> None:
    with Store.open(str(tmp_path / name)) as store:
        assert store.runs() == []
    assert (tmp_path / name).is_file()


def test_urls_are_taken_too(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/a.db?timeout=1"):
        assert (tmp_path / "a.db").is_file()


def test_an_empty_file_is_a_new_database(file: Path) -> None:
    file.touch()
    with Store.open(str(file)) as store:
        assert store.runs() == []


def test_the_file_is_set_up_for_many_readers(store: Store, file: Path) -> None:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_nothing_is_left_beside_a_closed_database(file: Path) -> None:
    Store.open(str(file)).close()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_text_that_is_no_database(file: Path) -> None:
    file.write_text("dear diary, " * 1000)
    assert "not a SQLite database" in refusal(str(file))
    assert file.read_text().startswith("dear diary")


def test_a_damaged_database(file: Path) -> None:
    Store.open(str(file)).close()
    content = bytearray(file.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    file.write_bytes(content)
    assert "damaged" in refusal(str(file))


def test_a_folder(tmp_path: Path) -> None:
    assert "it is a folder" in refusal(str(tmp_path))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    assert "folder cannot be created" in refusal(str(tmp_path / "plain" / "runs.db"))
    assert "folder cannot be created" in refusal("/proc/nowhere/runs.db")


def test_a_read_only_database(file: Path) -> None:
    Store.open(str(file)).close()
    assert "read-only" in refusal(f"sqlite:///file:{file}?mode=ro&uri=true")
    if os.geteuid():  # root may write everything
        file.chmod(0o444)
        assert "read-only" in refusal(str(file))


def test_a_database_of_a_newer_version(file: Path) -> None:
    Store.open(str(file)).close()
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    assert "newer version" in refusal(str(file))


def test_another_program_s_database_is_left_alone(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    assert "another program's tables (bookmarks)" in refusal(str(file))
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    connection.close()


def test_a_database_that_stays_locked(file: Path) -> None:
    Store.open(str(file)).close()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    assert "another program holds its lock" in refusal(f"sqlite:///{file}?timeout=0.1")
    connection.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u@h/d", "://", "nonsense://x", "postgresql"]
)
def test_urls_that_name_no_database(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if "://" in url:
        refusal(url)
    else:
        Store.open(url).close()  # a plain word is a file's name
        assert (tmp_path / url).is_file()


SLIPS = {
    "sqlite://dir/x.db": "write --db sqlite:///dir/x.db",
    "sqlite://me:secret@dir/x.db": "write --db sqlite:///dir/x.db",
    "sqlite:x.db": "neither a path nor a whole URL",
    "sqlite:/x.db": "neither a path nor a whole URL",
    "file:x.db?mode=ro": "neither a path nor a whole URL",
    "postgresql:runs": "neither a path nor a whole URL",
    ":memory:": "in-memory",
    "sqlite:///file::memory:?uri=true": "in-memory",
    "sqlite:///file:x.db?mode=memory&uri=true": "in-memory",
    "~nobody-of-that-name/x.db": "no user of that name",
    "sqlite:///~nobody-of-that-name/x.db": "no user of that name",
    "sqlite:///x.db?timeout=abc": "timeout=abc",
    "sqlite:///x.db?timeout=-1": "timeout=-1",
    "sqlite:///x.db?timeout=nan": "timeout=nan",
    "sqlite:///x.db?timeout=1&timeout=2": "timeout=",
    "sqlite:///x.db?mode=ro": "mode is not an option",
    "sqlite:///x.db?isolation_level=chaos": "isolation_level is not an option",
    "sqlite:///x.db?uri=true": "uri=true belongs to",
    "sqlite:///file:x.db": "needs uri=true",
    "sqlite+aiosqlite:///x.db": "the driver aiosqlite is not supported",
    "sqlite+pysqlcipher://:key@/x.db": "the driver pysqlcipher is not supported",
    "postgresql+asyncpg://h/d": "the driver asyncpg is not supported",
    "postgresql+psycopg2://h/d": "the driver psycopg2 is not supported",
    "postgresql://h:port/d": "cannot be read",
    "a\0b.db": "not a file's name",
    "x" * 300: "File name too long",
}


@pytest.mark.parametrize("url", SLIPS, ids=range(len(SLIPS)))
def test_a_slip_in_a_url_is_refused_and_makes_no_file(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(url)
    assert SLIPS[url] in message and "secret" not in message
    assert list(tmp_path.iterdir()) == []


def test_a_home_folder_is_spelled_out_in_urls_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve("sqlite:///~/x.db").database == str(tmp_path / "x.db")


def test_a_server_that_does_not_answer_and_its_password_is_not_told() -> None:
    pytest.importorskip("psycopg")
    message = refusal("postgresql://me:secret@127.0.0.1:1/runs?connect_timeout=2")
    assert "secret" not in message


def test_postgresql_may_be_shared_but_not_the_tables(postgresql_url: str) -> None:
    import psycopg

    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    Store.open(postgresql_url).close()
    with psycopg.connect(postgresql_url) as connection:
        connection.execute(f"DROP TABLE {migrations.VERSION_TABLE}")
    assert "another program's tables (bills, comparisons, decisions)" in refusal(postgresql_url)


def test_the_migrations_end_where_the_tables_are(url: str) -> None:
    engine = open_engine(resolve(url))
    with engine.connect() as connection:
        options = {"version_table": migrations.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()


def test_head_is_the_last_revision() -> None:
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head() == migrations.HEAD


OPENER = """
import sys
from engine.store import Store
sys.stdin.readline()
Store.open(sys.argv[1]).close()
"""


def test_processes_that_open_a_new_database_together_do_not_collide(url: str, script: Script) -> None:
    openers = [script(OPENER, url) for _ in range(4)]
    for opener in openers:
        assert opener.stdin
        opener.stdin.write("go\n")
        opener.stdin.flush()
    for opener in openers:
        _, errors = opener.communicate(timeout=60)
        assert opener.returncode == 0, errors
    Store.open(url).close()


def test_a_copied_file_is_a_whole_database(store: Store, file: Path, tmp_path: Path) -> None:
    run_id = new_run_id()
    record_all(store, run_id, whole_run(run_id))
    store.close()
    shutil.copy(file, tmp_path / "copy.db")
    with Store.open(str(tmp_path / "copy.db")) as copy:
        assert copy.events(run_id) == flat(whole_run(run_id))
