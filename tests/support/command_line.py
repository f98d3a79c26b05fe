"""The command line under test: in this process, where models load once for all tests, or as the real command."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.waiting import until

from engine.store import Store
from tts_ui.cli.main import main

COMMAND = Path(sys.executable).with_name("tts-ui")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]
Start = Callable[..., "subprocess.Popen[bytes]"]


def run(*arguments: object) -> Outcome:
    """`tts-ui` with these arguments, through its own entry point."""
    printed = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(stream, encoding="utf-8") for stream in printed)
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out.flush()
    err.flush()
    return Outcome(int(ended.value.code or 0), *(stream.getvalue().decode() for stream in printed))


def wait_for_steps(solving: Any, db: Path) -> str:
    grown: list[str] = []

    def some() -> bool:
        assert solving.poll() is None, f"no step was recorded; exit code {solving.poll()}"
        if db.exists():
            with Store.open(str(db)) as store:
                grown.extend(record.id for record in store.runs() if len(store.events(record.id)) > 1)
        return bool(grown)

    until(some, 120)
    return grown[0]
