"""Opening a database to read it only: nothing is created or changed, so a read-only file or a full disk does.

Even a reader of a SQLite file in write-ahead mode makes two files beside it, and one that may not write leaves them
behind. Where they could not be made and cleared away again, the file is read as one that cannot change. One of an older
version is brought up to date as a copy in memory.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from engine.errors import NoDatabase, StoreError
from engine.store.address import is_sqlite_uri
from engine.store.connect import LOCK_TIMEOUT_S, migrate, open_engine, reason, revision, writing
from engine.store.migrations import HEAD

#: Bytes that must be free on the disk for SQLite's two files beside a database; they take some 32 KB.
_ROOM = 1 << 20


def open_reading(url: URL) -> Engine:
    """An engine that reads a database with the newest tables. Raises `NoDatabase` where there is none, `StoreError`."""
    if url.get_backend_name() != "sqlite":
        return open_engine(url)
    where = str(url.database)
    if not is_sqlite_uri(url):
        _check_file(Path(where))
    engine = _engine(url)
    try:
        return _up_to_date(engine)
    except StoreError as error:
        engine.dispose()
        raise StoreError(f"cannot open the database {where}: {error}") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        engine.dispose()
        why = f"{reason(error)}; choose another database with --db or TTS_UI_DB"
        raise StoreError(f"cannot open the database {where}: {why}") from error


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise StoreError(f"cannot open the database {path}: it is a folder; name a file in it with --db")
        if not next(folder for folder in path.absolute().parents if folder.exists()).is_dir():
            raise StoreError(f"cannot open the database {path}: a file is where its folder would be; correct --db")
        if not path.is_file() or not path.stat().st_size:
            raise NoDatabase(f"there is no database {path} yet; name another with --db or TTS_UI_DB")
    except OSError as error:
        why = f"{error.strerror}; choose another database with --db or TTS_UI_DB"
        raise StoreError(f"cannot open the database {path}: {why}") from error


def _engine(url: URL) -> Engine:
    address = f"{url.database}?{_options(url)}" if is_sqlite_uri(url) else _address(Path(str(url.database)))
    timeout = float(str(url.query.get("timeout", LOCK_TIMEOUT_S)))

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=timeout, check_same_thread=False)

    return _as_we_begin(create_engine("sqlite://", creator=connect, poolclass=StaticPool), "PRAGMA query_only = ON")


def _options(url: URL) -> str:
    return "&".join(f"{name}={value}" for name, value in url.query.items() if name not in ("uri", "timeout"))


def _address(path: Path) -> str:
    """How SQLite is to open the file so that nothing is left beside it."""
    log = Path(f"{path}-wal")
    if _may_write_beside(path):
        mode = "mode=rw"  # clears the log away when it is closed
    elif log.exists() and log.stat().st_size:
        mode = "mode=ro"  # the log holds the latest runs
    else:
        mode = "immutable=1"
    return f"{path.absolute().as_uri()}?{mode}"


def _may_write_beside(path: Path) -> bool:
    return (
        os.access(path, os.W_OK)
        and os.access(path.absolute().parent, os.W_OK)
        and _free(path.absolute().parent) > _ROOM
    )


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _as_we_begin(engine: Engine, *settings: str) -> Engine:
    """The engine, whose transactions begin where we say and not where the driver thinks."""

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None
        for setting in settings:
            connection.execute(setting)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _up_to_date(engine: Engine) -> Engine:
    """The engine itself, or one on a copy in memory whose tables are the newest."""
    with engine.connect() as connection:
        if revision(connection) == HEAD:
            return engine
    copy = _as_we_begin(create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}))
    source, target = engine.raw_connection(), copy.raw_connection()
    assert isinstance(source.driver_connection, sqlite3.Connection)
    assert isinstance(target.driver_connection, sqlite3.Connection)
    source.driver_connection.backup(target.driver_connection)
    source.close()
    target.close()
    engine.dispose()
    with writing(copy).begin() as connection:
        migrate(connection)
    return copy
