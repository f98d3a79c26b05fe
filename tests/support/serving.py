"""`tts-ui serve` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.command_line import COMMAND
from support.waiting import until

Serve = Callable[..., str]


@contextmanager
def serving(folder: Path) -> Iterator[Serve]:
    """Yields what starts the command with arguments and environment variables, and returns its address."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **environment: str) -> str:
        log = folder / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [str(COMMAND), "serve", "--db", str(folder / "runs.db"), *arguments],
                env=os.environ | environment, stdout=output, stderr=output,
            )  # fmt: skip
        started.append(process)
        until(lambda: process.poll() is not None or " on http" in log.read_text(), 120)
        found = re.search(r" on (http://\S+)", log.read_text())
        assert found, log.read_text()
        return found[1]

    try:
        yield start
    finally:  # a test that failed leaves no server behind
        for process in started:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
