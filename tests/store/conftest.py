"""Databases for the tests: real SQLite files, and a PostgreSQL server of our own where its programs are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sample_runs import Script

from engine.store import Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with Store.open(str(file)) as opened:
        yield opened


@pytest.fixture
def script() -> Iterator[Script]:
    """Starts Python processes that can import what the tests can; those still running at the end are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *arguments: object) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", source, *map(str, arguments)]
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that listens on a socket in a folder of ours only."""
    pytest.importorskip("psycopg", reason="PostgreSQL tests need psycopg")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    pg_ctl = shutil.which("pg_ctl") or (str(programs[-1]) if programs else None)
    if pg_ctl is None:
        pytest.skip("PostgreSQL tests need pg_ctl")
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="tts-pg-"))
    try:
        if user:
            shutil.chown(folder, user)
        data, log = str(folder / "data"), str(folder / "log")

        def run(*arguments: str) -> None:
            subprocess.run([pg_ctl, *arguments], user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

        try:
            run("initdb", "-D", data, "-o", "-U postgres -A trust -E UTF8 --no-sync")
            run("start", "-w", "-D", data, "-l", log, "-o", f"-k {folder} -c listen_addresses= -c fsync=off")
        except (OSError, LookupError, subprocess.CalledProcessError) as error:
            pytest.skip(f"a PostgreSQL server cannot be started here: {error}")
        yield f"postgresql://postgres@/postgres?host={folder}"
        run("stop", "-D", data, "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """A fresh, empty schema on the server."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{postgresql_server}&options=-csearch_path%3D{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, file: Path) -> str:
    """Both kinds of database, for what must hold on either."""
    return str(file) if request.param == "sqlite" else str(request.getfixturevalue("postgresql_url"))
