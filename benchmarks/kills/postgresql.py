"""A PostgreSQL server that is stopped at once and started again while searches are recorded on it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Figure
from engine.domains.builtin.problems import examples
from engine.errors import StoreError
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.host import Host
from engine.runs.question import Question
from engine.runs.running import Running
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import Store

#: Searches at once while the server comes and goes.
_AT_ONCE = 4
#: Seconds between two restarts, at least and at most, and seconds in which what waits is written afterwards.
_BETWEEN_S, _WRITTEN_S = (0.3, 2.0), 60.0


@dataclass(frozen=True, slots=True)
class PostgreSql:
    """A server that listens on a socket in its own folder only."""

    program: str
    folder: Path
    user: str | None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def control(self, *arguments: str) -> None:
        command = [self.program, *arguments, "-D", str(self.folder / "data")]
        subprocess.run(command, user=self.user, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, timeout=120)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off"
        self.control("start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """As a crash: connections are cut, nothing is written any more."""
        self.control("stop", "-m", "immediate")


@contextmanager
def postgresql() -> Iterator[PostgreSql | None]:
    """A new server, or None where its programs are not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    program = shutil.which("pg_ctl") or (str(programs[-1]) if programs else None)
    if program is None:
        yield None
        return
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="tts-pg-"))
    try:
        if user:
            shutil.chown(folder, user)
        server = PostgreSql(program, folder, user)
        server.control("initdb", "-o", "-U postgres -A trust -E UTF8 --no-sync")
        server.start()
        yield server
        with suppress(subprocess.CalledProcessError):
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(restarts: int) -> list[Figure]:
    with postgresql() as server:
        if server is None:
            return [Figure("PostgreSQL restarted under load", "not installed here")]
        faults, seen = restarted(server, restarts)
    told = ", ".join(f"{count:,} {what}" for what, count in seen.items())
    found = ", ".join(f"{count} {what}" for what, count in faults.items() if count)
    return [Figure("PostgreSQL restarted under load", told), Figure("faults", found or "0", "0")]


def restarted(server: PostgreSql, restarts: int, seed: int = 0) -> tuple[Counter[str], Counter[str]]:
    """The faults by kind, and what was done."""
    draw, faults, seen = random.Random(seed), Counter[str](), Counter[str]()
    runs: list[Running] = []
    with Store.open(server.url) as store, closing(Host(store, Catalogue())) as host:
        host.catalogue.load()
        for _ in range(restarts):
            until = time.monotonic() + draw.uniform(*_BETWEEN_S)
            while time.monotonic() < until:
                while sum(not each.future.done() for each in runs) < _AT_ONCE:
                    runs.append(_begun(host, len(runs)))
                time.sleep(0.01)
            server.stop()
            time.sleep(draw.uniform(0, 1))
            server.start()
            seen["restarts"] += 1
        for each in runs:
            each.future.result(timeout=120)
        _written(store)
        seen["runs"] = len(runs)
        for each in runs:
            record, events = store.read(each.id)
            faults["runs that are not done"] += record.status != "done"
            steps = len(Tree.from_events(events))
            seen["steps"] += steps
            faults["runs without steps"] += steps < 2
            faults["runs whose tokens are not those of their steps"] += (
                sum(step.tokens * step.copies for step in Tree.from_events(events).nodes)
                > record.usage.generated_tokens
            )
    return faults, seen


def _begun(host: Host, number: int) -> Running:
    problem = examples()[number % len(examples())]
    params = RunParams("beam_search", n=16, width=4, seed=number)
    return host.submit(Question(problem.text, problem.answer), params)


def _written(store: Store) -> None:
    """Wait until everything is."""
    deadline = time.monotonic() + _WRITTEN_S
    while True:
        try:
            store.flush()
            return
        except StoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
