"""Which database is meant. A slip in a URL is refused here, in one line, before a file is made in an odd place."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import platformdirs
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from engine.errors import StoreError

_FORMS = "give --db a file path or a URL like sqlite:///runs.db"
#: A URL that lost its slashes; as a path it would make a file of that name.
_NO_SLASHES = re.compile(r"(sqlite|postgres|postgresql)(\+\w+)?:|file:", re.IGNORECASE)
_POSTGRESQL = ("postgresql", "postgres")
_DRIVERS = {"sqlite": ("", "pysqlite"), "postgresql": ("", "psycopg"), "postgres": ("", "psycopg")}


def resolve(url: str | None) -> URL:
    """The database to use: the argument, else `TTS_UI_DB`, else `runs.db` in the user's data folder.

    A plain path means a SQLite file. Raises `StoreError` for a URL that names neither SQLite nor PostgreSQL, or cannot
    be meant as it is written.
    """
    chosen = url or os.environ.get("TTS_UI_DB") or str(platformdirs.user_data_path("tts-ui", False) / "runs.db")
    if "://" not in chosen:
        if _NO_SLASHES.match(chosen):
            raise StoreError(f"{chosen!r} is neither a path nor a whole URL; {_FORMS}")
        return _file(URL.create("sqlite", database=chosen))
    try:
        parsed = make_url(chosen)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"the database URL cannot be read; {_FORMS}") from error
    if backend not in _DRIVERS:
        raise StoreError(f"{backend} databases are not supported; give --db a SQLite file or a postgresql:// URL")
    driver = parsed.drivername.partition("+")[2]
    if driver not in _DRIVERS[backend]:
        raise StoreError(f"the driver {driver} is not supported; leave it out: --db {backend}://...")
    if backend in _POSTGRESQL:
        return parsed.set(drivername="postgresql+psycopg")
    return _file(_checked(parsed))


def is_sqlite_uri(url: URL) -> bool:
    """Whether SQLite itself reads the address (`file:...` with `uri=true`); its folder and mode are the caller's."""
    return "uri" in url.query


def _checked(url: URL) -> URL:
    """A SQLite URL whose parts and options are those there can be."""
    if url.host or url.username or url.port:
        place = "/".join(filter(None, [url.host, url.database]))
        raise StoreError(f"a slash is missing in the database URL; write --db sqlite:///{place}")
    waits = url.query.get("timeout", "0")
    if not isinstance(waits, str) or not _seconds(waits):
        raise StoreError(f"timeout={waits} in the database URL is not a number of seconds; write --db ...?timeout=5")
    if is_sqlite_uri(url):
        if url.query["uri"] not in ("true", "1") or not str(url.database).startswith("file:"):
            raise StoreError(
                "uri=true belongs to a SQLite address; write --db 'sqlite:///file:runs.db?mode=ro&uri=true'"
            )
    elif unknown := sorted(set(url.query) - {"timeout"}):
        raise StoreError(
            f"{unknown[0]} is not an option of a SQLite URL; leave it out of --db, which knows timeout only"
        )
    elif str(url.database).startswith("file:"):
        raise StoreError("a file: address needs uri=true; write --db 'sqlite:///file:runs.db?uri=true'")
    return url.set(drivername="sqlite")


def _seconds(text: str) -> bool:
    try:
        return 0 <= float(text) < math.inf
    except ValueError:
        return False


def _file(url: URL) -> URL:
    """A SQLite URL whose path is that of a file, with `~` spelled out."""
    path = url.database or ""
    if path in ("", ":memory:") or path.startswith("file::memory:") or url.query.get("mode") == "memory":
        raise StoreError("an in-memory database cannot be shared by threads; give --db a file path")
    if is_sqlite_uri(url):
        return url
    if "\0" in path:
        raise StoreError(f"{path!r} is not a file's name; {_FORMS}")
    try:
        return url.set(database=str(Path(path).expanduser()))
    except RuntimeError as error:
        raise StoreError(f"{path}: there is no user of that name; {_FORMS}") from error
