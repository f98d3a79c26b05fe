"""`tts-ui import`: what it prints, what it refuses, and that `show` says where a run comes from."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from support import import_samples as samples
from support.command_line import COMMAND, run

from engine.store import Store


def test_a_file_is_imported_and_shown_with_its_source_and_warning(tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    torn = samples.BEAMS | {"scores": [[0.9, 0.8, 0.7], [0.9, 0.8, 0.7], [0.9, 0.2], [0.1, 0.05]]}
    path = samples.lines(tmp_path / "beams.jsonl", [torn, samples.BEAMS])
    came = run("import", path, "--db", db)
    assert came.code == 0
    first, warning, advice = came.out.splitlines()
    assert first == "beams.jsonl (search-and-learn completions): 2 runs imported"
    assert warning == "  warning, line 1: completions[2] has 3 steps and 2 scores, which are left out"
    run_id = advice.split(": ")[1].split()[0]
    shown = run("show", run_id, "--db", db)
    assert shown.code == 0
    assert "imported from beams.jsonl (search-and-learn completions)" in shown.out
    assert "warning: completions[2] has 3 steps and 2 scores, which are left out" in shown.out
    assert "cost not recorded" in shown.out
    again = run("import", path, "--db", db)
    assert again.out.splitlines()[0].endswith("0 runs imported, 2 there already")


def test_a_file_that_is_refused_leaves_nothing_and_exits_with_2(tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    sound = samples.lines(tmp_path / "sound.jsonl", [samples.PLAIN[0]])
    faulty = samples.lines(tmp_path / "faulty.jsonl", [samples.PLAIN[1], {"problem": "x"}])
    came = run("import", sound, faulty, "--db", db)
    assert came.code == 2
    assert came.err.splitlines()[-1].startswith("tts-ui: FILE: faulty.jsonl, line 2: no format is known")
    with Store.open(str(db)) as store:
        assert [record.source for record in store.runs()] == ["sound.jsonl"]


def test_a_long_file_says_how_far_it_is(tmp_path: Path) -> None:
    long = [{"problem": f"What is {number} + 1?", "completions": ["\\boxed{2} " * 20_000]} for number in range(20)]
    came = run("import", samples.lines(tmp_path / "long.jsonl", long), "--db", tmp_path / "runs.db")
    assert came.code == 0 and "tts-ui: long.jsonl: " in came.err and "% read" in came.err


def test_ctrl_c_imports_nothing(tmp_path: Path) -> None:
    long = [{"problem": f"What is {number} + 1?", "completions": ["\\boxed{2} " * 20_000]} for number in range(400)]
    path, db = samples.lines(tmp_path / "long.jsonl", long), tmp_path / "runs.db"
    importing = subprocess.Popen([COMMAND, "import", path, "--db", db], stderr=subprocess.PIPE, text=True)
    assert importing.stderr is not None
    assert "% read" in importing.stderr.readline()
    importing.send_signal(signal.SIGINT)
    importing.communicate(timeout=60)
    assert importing.returncode == 130
    with Store.open(str(db)) as store:
        assert store.runs() == []


def test_text_of_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    odd = samples.lines(tmp_path / "odd.jsonl", [{"\x1b[31mred": 1}])
    came = run("import", odd, "--db", tmp_path / "runs.db")
    assert came.code == 2 and "\x1b" not in came.err + came.out
