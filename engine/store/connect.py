"""Opening a database: where it is, how its connections behave, and its migrations. Every failure is one line of advice.

SQLite is set up for one writer and many readers: write-ahead log, so that readers never wait; transactions begin where
we say, so that a read is one snapshot and a write takes its lock at once instead of failing half-way.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, false, inspect, text, update
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from engine.errors import StoreError
from engine.store.address import is_sqlite_uri
from engine.store.migrations import HEAD, VERSION_TABLE
from engine.store.tables import metadata, runs

#: Seconds that a connection waits for another process's lock; `?timeout=` in a SQLite URL overrides it.
LOCK_TIMEOUT_S = 5.0
#: PostgreSQL's advisory lock under which migrations run; the number is arbitrary.
_MIGRATION_LOCK = 7_478_785
#: A server's complaint may hold the text that it refuses, which is no text for a log.
_LONGEST_REASON = 300
_ELSEWHERE = "choose another database with --db or TTS_UI_DB"


def open_engine(url: URL) -> Engine:
    """An engine on a database that exists, can be written and has the newest tables. Raises `StoreError`."""
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        _prepare_file(url)
    try:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            "PostgreSQL needs the driver psycopg: pip install 'tts-ui[postgresql]', or choose a file with --db"
        ) from error
    try:
        _set_up(engine)
    except StoreError as error:
        engine.dispose()
        raise StoreError(f"cannot open the database {where}: {error}") from error
    except (SQLAlchemyError, sqlite3.Error, ValueError) as error:
        engine.dispose()
        raise StoreError(f"cannot open the database {where}: {reason(error)}; {_ELSEWHERE}") from error
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine; its transactions take the write lock when they begin."""
    return engine.execution_options(write_lock=True)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection whose reads all see the database as it is at the first of them. Raises `StoreError`."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    try:
        with engine.connect().execution_options(**options) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"cannot read the database: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Why the database refused, in one line and without the statement."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0][:_LONGEST_REASON]
    plain = {
        "file is not a database": "it is not a SQLite database",
        "unable to open database file": "the file cannot be opened or created",
        "attempt to write a readonly database": "it is read-only",
        "database is locked": "another program holds its lock",
        "database or disk is full": "the disk is full",
        "database disk image is malformed": "the file is damaged",
        "disk I/O error": "the disk refuses it, it may be full",
    }
    return plain.get(said, said)


def _prepare_file(url: URL) -> None:
    if is_sqlite_uri(url):
        return
    path = Path(str(url.database))
    try:
        if path.is_dir():
            raise StoreError(
                f"cannot open the database {path}: it is a folder; name a file in it with --db or TTS_UI_DB"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"its folder cannot be created ({error.strerror})"
        raise StoreError(f"cannot open the database {path}: {why}; {_ELSEWHERE}") from error


def _sqlite(url: URL) -> Engine:
    waiting = {} if "timeout" in url.query else {"timeout": LOCK_TIMEOUT_S}
    engine = create_engine(url, connect_args=waiting, pool_size=8, max_overflow=24)

    file = None if is_sqlite_uri(url) else _File(Path(str(url.database)))

    @event.listens_for(engine, "do_connect")
    def before(*_: object) -> None:
        if file is not None:
            file.check()  # a new connection would make an empty file in its place

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        connection.execute("PRAGMA foreign_keys = ON")
        # In write-ahead mode NORMAL survives a killed process; a power cut may cost the last moments, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        _write_ahead(connection)
        if file is not None:
            file.note()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if file is not None:
            file.check()
        locked = connection.get_execution_options().get("write_lock")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if locked else "BEGIN")

    return engine


class _File:
    """The file that was opened. SQLite goes on writing to one that was deleted, and nobody would find it again."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._opened: tuple[int, int] | None = None

    def note(self) -> None:
        """Remember which file it is, the first time."""
        self._opened = self._opened or self._present()

    def check(self) -> None:
        """Raise `StoreError` if another file, or none, is in its place."""
        if self._opened is not None and (present := self._present()) != self._opened:
            what = "deleted" if present is None else "replaced by another"
            raise StoreError(f"the database {self._path} was {what} while it was in use; put it back or start again")

    def _present(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _postgresql(url: URL) -> Engine:
    return create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=24)


def _set_up(engine: Engine) -> None:
    with engine.connect() as connection:
        current = revision(connection)
    if current != HEAD:
        import_module("alembic.command")  # slow, so not while others wait for the lock below
    with writing(engine).begin() as connection:
        if current != HEAD:
            migrate(connection)
        # Shows now, not at the first step of a search, whether the database is read-only.
        connection.execute(update(runs).where(false()).values(heartbeat=0.0))


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to its write-ahead log. The switch does not wait for locks by itself, so it is retried."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def revision(connection: Connection) -> str | None:
    """The revision of the tables; None where there are none of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def migrate(connection: Connection) -> None:
    """Bring the tables to `HEAD` within the caller's transaction; of several processes only one does it."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
    current = revision(connection)
    if current == HEAD:
        return
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError("a newer version of tts-ui wrote it; update tts-ui, or " + _ELSEWHERE)
    if current is None:
        _refuse_strangers(connection)
    command.upgrade(config, "head")


def _refuse_strangers(connection: Connection) -> None:
    """A SQLite file with tables is another program's; a PostgreSQL database may be shared, tables may not."""
    taken = set(inspect(connection).get_table_names())
    if connection.dialect.name != "sqlite":
        taken &= set(metadata.tables)
    if taken:
        raise StoreError(f"it has another program's tables ({', '.join(sorted(taken)[:3])}); {_ELSEWHERE}")
