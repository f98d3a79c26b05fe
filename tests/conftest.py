"""What all tests share: the built-in models, loaded once through the catalogue as the product loads them, finished
searches of theirs in a real store, and a PostgreSQL server where its programs are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.finished_runs import Finished, Solve

from engine.domains.maths.domain import Maths
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.domain import Domain
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import Store

#: Greedy decoding and the majority get it wrong; most searches get it right.
PROBLEM, REFERENCE = "What is the sum of the first 22 terms of 6, 14, 22, ...?", "1980"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread, and asyncio allows only one."""
    items.sort(key=lambda item: "browser" in item.path.parts)


@pytest.fixture(scope="session")
def catalogue() -> Iterator[Catalogue]:
    loaded = Catalogue()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def models(catalogue: Catalogue) -> Models:
    """The built-in policy and PRM."""
    return catalogue.load()


@pytest.fixture(scope="session")
def maths() -> Iterator[Domain]:
    domain = Maths()
    yield domain
    domain.close()


@pytest.fixture(scope="session")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Solve]:
    """`solved("mcts", n=8)`: a finished run; asked for twice it is made once."""
    with Store.open(str(tmp_path_factory.mktemp("ui") / "runs.db")) as store:
        host = Host(store)

        @cache
        def solve(strategy: str, reference: str | None = REFERENCE, **params: Any) -> Finished:
            running = host.submit(Question(PROBLEM, reference), RunParams(strategy, **params))
            running.future.result(timeout=300)
            store.flush(running.id)
            record, events = store.read(running.id)
            return Finished(record, events, Tree.from_events(events))

        yield solve
        host.close()


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
