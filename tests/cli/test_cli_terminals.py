"""Narrow terminals, readers that go, streams that are closed, and the module as a command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import COMMAND, Cli
from support.sample_runs import ending, levels
from support.sample_runs import flat as flattened

from engine.search.events import Usage
from engine.store import Store
from engine.store.ids import SHOWN, new_run_id

ANSWER = "x = 12345"


@pytest.fixture
def recorded(db: Path) -> tuple[Path, list[str]]:
    with Store.open(str(db)) as store:
        run_ids = [new_run_id() for _ in range(2)]
        for run_id in run_ids:
            rounds = list(levels(run_id, 40))
            store.record(flattened(rounds), Usage(1240, 20, 0, 1310, 0, 3, 3, 5e8, 9e8, 0.4), run_id)
            store.record(ending(flattened(rounds), ANSWER), Usage(1240, 20, 0, 1310, 0, 3, 3, 5e8, 9e8, 0.4), run_id)
    return db, run_ids


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_narrow_lists_keep_ids_and_answers(
    tts_ui: Cli, recorded: tuple[Path, list[str]], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, run_ids = recorded
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": str(columns), "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    lines = re.sub("\x1b\\[[0-9;]*m", "", tts_ui("runs", "--db", db).out).splitlines()
    assert all(len(line) <= columns for line in lines)
    for run_id in run_ids:
        assert any(f"{run_id[:SHOWN]}  " in line and ANSWER in line for line in lines)  # whole, to be copied


def test_a_reader_that_has_seen_enough(recorded: tuple[Path, list[str]]) -> None:
    db, run_ids = recorded
    for command in (f"show {run_ids[0]}", f"export {run_ids[0]}", "runs --json"):
        piped = f"set -o pipefail; '{COMMAND}' {command} --db '{db}' | head -c 1 >/dev/null"
        ended = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, timeout=120)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_a_closed_output_is_no_database(recorded: tuple[Path, list[str]]) -> None:
    db, run_ids = recorded
    before = db.read_bytes()
    closed = f"'{COMMAND}' show {run_ids[0]} --db '{db}' >&- 2>&- <&-"
    assert subprocess.run(["bash", "-c", closed], timeout=120).returncode == 0
    assert db.read_bytes() == before


def test_the_module_is_the_command() -> None:
    ended = subprocess.run([sys.executable, "-m", "tts_ui", "--version"], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "") and ended.stdout.startswith("tts-ui ")
