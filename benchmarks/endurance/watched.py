"""`tts-ui serve --public` as a process of its own, and what it takes while it is used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_STARTS_WITHIN_S = 300.0
_SAMPLE_S = 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Of the server and the processes that it started: bytes, open handles, threads; bytes of its database; the load of
    the machine in the last minute."""

    memory: int
    handles: int
    threads: int
    database: int
    load: float


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[bytes]
    url: str
    database: Path
    log: Path

    def sample(self) -> Sample:
        root = psutil.Process(self.process.pid)
        found = []
        for each in [root, *root.children(recursive=True)]:
            try:
                with each.oneshot():
                    found.append((each.memory_info().rss, each.num_fds(), each.num_threads()))
            except psutil.NoSuchProcess:
                continue
        memory, handles, threads = (sum(each[at] for each in found) for at in range(3))
        files = self.database.parent.glob(f"{self.database.name}*")
        return Sample(memory, handles, threads, sum(each.stat().st_size for each in files), os.getloadavg()[0])


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Server]:
    """A public server over a new database, once it answers; afterwards it is told to end, and waited for."""
    database, log = folder / "runs.db", folder / "log"
    command = [sys.executable, "-m", "tts_ui", "serve", "--public", "--port", "0", "--db", str(database), *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not (found := re.search(r" on (http://\S+)", log.read_text(encoding="utf-8", errors="replace"))):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield Server(process, found[1], database, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@contextmanager
def watching(server: Server, every_minute: Callable[[], None]) -> Iterator[list[Sample]]:
    """The samples so far, one every few seconds."""
    samples, over = [server.sample()], threading.Event()

    def watch() -> None:
        while not over.wait(_SAMPLE_S):
            samples.append(server.sample())
            if len(samples) % round(60 / _SAMPLE_S) == 0:
                every_minute()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
