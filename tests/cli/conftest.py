from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from support.command_line import COMMAND, Cli, Start, run


@pytest.fixture(scope="session")
def tts_ui() -> Cli:
    return run


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the installed command, with Ctrl-C in force even where the tests themselves run in the background."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(
        *arguments: object,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.PIPE,
        stderr: int | IO[Any] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TTS_UI_")}
        process = subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            env=environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()
