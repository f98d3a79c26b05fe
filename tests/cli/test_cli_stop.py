"""`--stop` in the terminal: a run that stops early, and one that is read again as if it had."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.command_line import Cli

from engine.store import Store

PROBLEM = "Compute 5 + 18 * 13 + 8 + 8 + 8."


def test_a_run_says_why_it_stopped(tts_ui: Cli, db: Path) -> None:
    ended = tts_ui("solve", PROBLEM, "--strategy", "majority_vote", "--n", "32", "--stop", "beta:0.95", "--db", db)
    assert ended.code == 0
    assert "stopped early, once the vote was sure" in ended.out
    with Store.open(str(db)) as store:
        (run,) = store.runs()
    shown = tts_ui("show", run.id, "--db", db).out
    assert re.search(r"stopped early: \d+ of \d+ agree, P = \.9\d\d \(asked: 0\.95\); \d+ of 32 draws taken", shown)


def test_a_finished_run_is_read_again(tts_ui: Cli, db: Path) -> None:
    run = tts_ui("solve", PROBLEM, "--strategy", "best_of_n", "--n", "16", "--json", "--db", db).out
    shown = tts_ui("show", json.loads(run)["run"]["id"], "--stop", "beta:0.9", "--db", db)
    assert shown.code == 0
    assert "With beta:0.9 it would have answered" in shown.out
    assert "% saved" in shown.out


def test_mistakes_are_refused_in_one_line(tts_ui: Cli, db: Path) -> None:
    refused = tts_ui("solve", PROBLEM, "--strategy", "majority_vote", "--stop", "0.95", "--db", db)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.strip().count("\n") == 0 and "stop" in refused.err and "beta:0.95" in refused.err
    run = tts_ui("solve", PROBLEM, "--n", "4", "--json", "--db", db).out
    refused = tts_ui("show", json.loads(run)["run"]["id"], "--stop", "beta:0.9", "--db", db)
    assert refused.code == 2 and "beam_search does not draw one by one" in refused.err
