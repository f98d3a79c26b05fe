"""Databases for the tests: real SQLite files, and a PostgreSQL server of our own where its programs are installed (made
by the root's conftest)."""

from __future__ import annotations

import os
import subprocess
import sys
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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, file: Path) -> str:
    """Both kinds of database, for what must hold on either."""
    return str(file) if request.param == "sqlite" else str(request.getfixturevalue("postgresql_url"))
