"""The commands on databases that cannot be written, made or found, and files that are replaced whole."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from support.command_line import Cli, Start, wait_for_steps
from support.sample_runs import record_all, whole_run

from engine.domains.builtin.problems import examples
from engine.store import Store

PROBLEM = examples()[0].text


@pytest.fixture
def recorded(db: Path) -> Path:
    with Store.open(str(db)) as store:
        record_all(store, "r1", whole_run("r1"))
    return db


def test_reading_commands_make_nothing(tts_ui: Cli, tmp_path: Path) -> None:
    db = tmp_path / "not" / "there.db"
    assert tts_ui("runs", "--db", db).out.startswith("no runs yet")
    for command in ("show", "export"):
        outcome = tts_ui(command, "r1", "--db", db)
        assert (outcome.code, outcome.out) == (2, "")
        assert f"RUN: no run id begins with 'r1': there is no database {db} yet" in outcome.err
        assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_reading_commands_change_nothing(tts_ui: Cli, recorded: Path) -> None:
    before = recorded.read_bytes(), recorded.stat().st_mtime_ns
    for command in (["runs"], ["show", "r1"], ["export", "r1"]):
        assert tts_ui(*command, "--db", recorded).code == 0
    assert (recorded.read_bytes(), recorded.stat().st_mtime_ns) == before
    assert os.listdir(recorded.parent) == [recorded.name]


def test_a_slip_in_a_url_is_one_line(tts_ui: Cli) -> None:
    outcome = tts_ui("runs", "--db", "sqlite://dir/x.db")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "tts-ui: a slash is missing in the database URL; write --db sqlite:///dir/x.db\n"


def test_an_export_replaces_the_file_whole(tts_ui: Cli, recorded: Path, tmp_path: Path) -> None:
    file, link = tmp_path / "run.json", tmp_path / "link.json"
    file.write_text("what was there before")
    file.chmod(0o640)
    reader = file.open()
    link.symlink_to(file)
    assert tts_ui("export", "r1", "-o", link, "--db", recorded).code == 0
    assert json.loads(file.read_text(encoding="utf-8"))["run"]["id"] == "r1"
    assert reader.read() == "what was there before"  # whoever reads it reads all of it
    reader.close()
    assert link.is_symlink() and file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.json", "run.json", "runs.db"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_an_export_to_what_is_no_file(tts_ui: Cli, recorded: Path) -> None:
    assert tts_ui("export", "r1", "-o", os.devnull, "--db", recorded).code == 0
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("form", ["--json", ""])
def test_a_search_that_cannot_be_recorded_prints_its_answer_and_says_so(start: Start, db: Path, form: str) -> None:
    """A trigger refuses every step from the second on, whichever program writes it."""
    Store.open(str(db)).close()
    connection = sqlite3.connect(db)
    connection.execute("CREATE TRIGGER no BEFORE INSERT ON scores BEGIN SELECT RAISE(ABORT, 'no more scores'); END")
    connection.commit()
    connection.close()
    solving = start("solve", PROBLEM, "--strategy", "best_of_n", "--n", 4, "--db", db, *filter(None, [form]))
    out, err = solving.communicate(timeout=120)
    assert solving.returncode == 1, err
    line = err.decode().strip().splitlines()[-1]
    assert line.startswith("tts-ui: the search is not on record: run ") and line.endswith("no more scores")
    if form:
        run = json.loads(out)["run"]
        assert run["answer"]
        assert run["status"] == "done" or "no more scores" in run["error"]  # it may end before it is told to
    else:
        assert b"Answer " in out and b"tts-ui show" not in out
    with Store.open(str(db)) as store:
        assert [record.status for record in store.runs()] == ["failed"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_other_signals_stop_a_search_as_ctrl_c_does(start: Start, db: Path, number: str) -> None:
    lasting = ("--strategy", "mcts", "--n", 2048, "--temperature", 1.5)  # over half a minute
    solving = start("solve", PROBLEM, *lasting, "--json", "--db", db)
    run_id = wait_for_steps(solving, db)
    solving.send_signal(getattr(signal, number))
    out, _ = solving.communicate(timeout=120)
    assert solving.returncode == 130
    run = json.loads(out)["run"]
    assert (run["id"], run["status"]) == (run_id, "stopped")
