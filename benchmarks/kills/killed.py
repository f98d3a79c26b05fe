"""One kind of process that records runs, killed at a random moment and looked at afterwards."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.kills.watching import Watching
from engine.domains.builtin.problems import examples
from engine.errors import NoDatabase, StoreError
from engine.search.tree import Tree
from engine.store import Store

KINDS = ("solve", "sweep", "server")
#: Seconds in which children of a killed process have ended, too.
_ORPHANS_S = 15.0
_STARTS_S = 120.0
_LOOK_S = 0.02
#: Seconds of a process in which kills fall at least: a server has its examples done at once.
_LEAST_S = 10.0

# Children are forked from a process that has imported everything and started nothing: a second each, not ten.
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["torch", "transformers", "gradio", "tts_ui.cli.main", "tts_ui.web.app", __name__])


def _type(arguments: list[str], out: str) -> None:
    """`tts-ui` with these arguments, what it says going to a file."""
    from tts_ui.cli.main import main

    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    main(arguments)


class Killing:
    """Kills processes of one kind that all write to one database, one after another."""

    def __init__(self, kind: str, database: Path, folder: Path, draw: random.Random) -> None:
        self._kind, self._database, self._draw = kind, database, draw
        self._out, self._sweep = folder / f"{kind}.out", folder / "sweep.toml"
        self._usual_s: float | None = None
        self._shown: dict[str, int] = {}
        self._done: dict[str, str | None] = {}
        self._sweep.write_text(
            'problems = "builtin-easy"\nlimit = 40\nmodels = "builtin-xs"\n'
            'strategies = ["best_of_n", "dvts"]\nn = [4, 8]\n'
        )

    def once(self, faults: Counter[str], seen: Counter[str]) -> None:
        """Start it, kill it at a random moment of the time that the first one took, open what it left."""
        self._out.unlink(missing_ok=True)
        process = _forks.Process(target=_type, args=(self._arguments(), str(self._out)), daemon=True)
        began = time.monotonic()
        process.start()
        try:
            if self._usual_s is None:
                self._usual_s = max(_LEAST_S, self._first(process, began))
                seen[f"{self._kind}: seconds of an undisturbed start and run"] = round(self._usual_s)
            else:
                self._watch(process, began + self._draw.uniform(0, self._usual_s))
        finally:
            orphans = _children(process.pid)
            process.kill()
            process.join()
        seen[self._kind] += 1
        self._look(faults, seen, orphans)

    def _arguments(self) -> list[str]:
        seed = str(self._draw.randrange(10**6))
        db = ["--db", str(self._database)]
        problem = self._draw.choice(examples()).text
        return {
            "solve": ["solve", "--n", "64", "--seed", seed, "--json", *db, "--", problem],
            "sweep": ["sweep", *db, str(self._sweep)],
            "server": ["serve", "--port", "0", *db],
        }[self._kind]

    def _first(self, process: Any, began: float) -> float:
        """Let it get on until two runs are over (one, for solve), so that kills fall on all of that time."""
        deadline = began + _STARTS_S
        while time.monotonic() < deadline and process.is_alive():
            self._watch(process, time.monotonic() + 0.2)
            if len(self._done) >= (1 if self._kind == "solve" else 2):
                break
        return time.monotonic() - began

    def _watch(self, process: Any, until: float) -> None:
        """Until then, note what somebody sees: on a page of the server, or reading the database."""
        visitor: Watching | None = None
        while time.monotonic() < until and process.is_alive():
            if self._kind == "server" and visitor is None and (url := self._address()):
                visitor = Watching(url, self._draw)
            self._note()
            threading.Event().wait(_LOOK_S)
        if visitor is not None:
            visitor.leave()
            for run_id, last in visitor.shown.items():
                self._shown[run_id] = max(self._shown.get(run_id, 0), last)
            self._done |= dict.fromkeys(visitor.over - self._done.keys())

    def _address(self) -> str | None:
        with suppress(OSError):
            found = re.search(r" on (http://\S+)", self._out.read_text(encoding="utf-8"))
            return found[1] if found else None
        return None

    def _note(self) -> None:
        with suppress(NoDatabase, StoreError), Store.reading(str(self._database)) as store:
            for record in store.runs(limit=20):
                self._shown[record.id] = max(self._shown.get(record.id, 0), _last(store, record.id))
                if record.status == "done":
                    self._done[record.id] = record.answer

    def _look(self, faults: Counter[str], seen: Counter[str], orphans: list[psutil.Process]) -> None:
        """What the next one finds."""
        _, alive = psutil.wait_procs(orphans, timeout=_ORPHANS_S)
        faults["processes left behind"] += len(alive)
        if not self._database.exists():
            faults["databases that are gone"] += bool(self._shown)
            seen["kills before there was a database"] += 1
            return
        with closing(sqlite3.connect(self._database)) as connection:
            faults["databases that are not whole"] += connection.execute("PRAGMA integrity_check").fetchone() != ("ok",)
            faults["rows without their run"] += len(connection.execute("PRAGMA foreign_key_check").fetchall())
        with Store.open(str(self._database)) as store:
            records = {record.id: record for record in store.runs(limit=10**6)}
            faults["runs lost"] += len((self._shown.keys() | self._done.keys()) - records.keys())
            faults["runs still called running"] += sum(each.status == "running" for each in records.values())
            for run_id, shown in self._shown.items():
                if run_id in records:
                    self._compare(store, records[run_id], shown, faults)
            marked = sum(records[each].status == "interrupted" for each in self._shown if each in records)
            seen["of these marked interrupted"] += marked
            seen["runs shown before"] += len(self._shown)
            seen["runs shown as done before"] += len(self._done)
        self._shown.clear()
        self._done.clear()

    def _compare(self, store: Store, record: Any, shown: int, faults: Counter[str]) -> None:
        faults["runs that have fewer events than were shown"] += _last(store, record.id) < shown
        if record.id in self._done:
            answer = self._done[record.id]
            faults["runs shown as done that are not"] += record.status != "done" or answer not in (None, record.answer)
        try:
            Tree.from_events(store.events(record.id))
        except Exception:  # the fault that is looked for
            faults["runs whose tree cannot be read"] += 1


def _last(store: Store, run_id: str) -> int:
    """The number of the last event of a run."""
    return max((getattr(event, "seq", 0) for event in store.events(run_id)), default=0)


def _children(pid: int | None) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
