"""`tts-ui solve` on the built-in models, and what the other commands say of its runs."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import threading
from pathlib import Path

import networkx as nx
import pytest
from support.command_line import Cli, Outcome, Start, wait_for_steps
from support.run_document import DOCUMENT, check

from engine.domains.builtin.problems import examples
from engine.store.ids import SHOWN

PROBLEM = examples()[0].text
REFERENCE = examples()[0].answer


@pytest.fixture(scope="module")
def solved(tts_ui: Cli, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    db = tmp_path_factory.mktemp("solved") / "runs.db"
    return db, tts_ui("solve", PROBLEM, "--n", 8, "--width", 2, "--json", "--db", db)


def test_json_prints_the_run_document_and_nothing_else(solved: tuple[Path, Outcome]) -> None:
    outcome = solved[1]
    document = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    check(document)
    assert document["run"]["status"] == "done"
    assert document["run"]["params"] == document["run"]["params"] | {
        "n": 8, "width": 2, "select": "prm_last_vote", "temperature": 0.8, "seed": 0
    }  # fmt: skip
    assert all(document[part] for part in DOCUMENT)
    assert document["nodes"][0]["text"] == PROBLEM


def test_a_built_in_problem_is_graded_against_its_exact_answer(solved: tuple[Path, Outcome]) -> None:
    run = json.loads(solved[1].out)["run"]
    assert run["reference_answer"] == REFERENCE
    assert run["correct"] is (run["answer"] == REFERENCE)


def test_every_other_command_reads_the_same_run(tts_ui: Cli, solved: tuple[Path, Outcome], tmp_path: Path) -> None:
    db, outcome = solved
    document = json.loads(outcome.out)
    run_id = document["run"]["id"]

    listed = json.loads(tts_ui("runs", "--json", "--db", db).out)
    assert listed == {"format": "tts-ui.runs", "version": 1, "runs": [document["run"]]}
    assert run_id[:SHOWN] in tts_ui("runs", "--search", "BEAM", "--db", db).out
    assert tts_ui("runs", "--search", "no such text", "--db", db).out == "no run matches\n"

    drawn = tts_ui("show", run_id[:SHOWN], "--db", db)
    assert drawn.code == 0
    assert len(re.findall(r"[▶★●○◆] #\d+ ", drawn.out)) == len(document["nodes"]) - 1
    assert re.search(r"kept: rank 1 of \d+, \d+ of \d+ slots?", drawn.out) and "★" in drawn.out

    hot = ("--strategy", "beam_search", "--n", "16", "--width", "4", "--temperature", "1.5")  # there is more to prune
    pruned = json.loads(tts_ui("solve", PROBLEM, *hot, "--json", "--db", tmp_path / "hot.db").out)["run"]["id"]
    assert re.search(
        r"pruned: rank \d+ of \d+, cut-off [01]\.\d", tts_ui("show", pruned, "--db", tmp_path / "hot.db").out
    )

    assert tts_ui("export", run_id, "--db", db).out == outcome.out
    file = tmp_path / "run.json"
    assert tts_ui("export", run_id, "--format", "json", "-o", file, "--db", db) == Outcome(0, "", "")
    assert json.loads(file.read_text(encoding="utf-8")) == document
    graph = nx.parse_graphml(tts_ui("export", run_id, "--format", "graphml", "-o", "-", "--db", db).out)
    assert len(graph) == len(document["nodes"])


def test_the_summary_says_answer_votes_cost_and_where_to_look(tts_ui: Cli, db: Path) -> None:
    outcome = tts_ui("solve", PROBLEM, "--strategy", "majority_vote", "--n", 4, "--answer", "no number", "--db", db)
    assert (outcome.code, outcome.err) == (0, "")
    first, cost, look_again = outcome.out.splitlines()
    assert first.startswith(("Answer ", "No answer")) and "wrong" in first
    assert " tokens | no PRM | " in cost and cost.endswith(" s")
    command = look_again.split()
    assert command[:2] == ["tts-ui", "show"] and command[3:] == ["--db", str(db)]
    assert tts_ui(*command[1:]).code == 0


def test_options_reach_the_search(tts_ui: Cli, db: Path) -> None:
    options = {
        "n": 4, "width": 2, "select": "prm_min_max", "temperature": 0.5, "seed": 3, "top_p": 0.9,
        "finished": "compete", "beams": "distinct", "max_steps": 2, "max_tokens_total": 60,
    }  # fmt: skip
    typed = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    typed += ["--models", "builtin-xs", "--scorer", "builtin-prm"]
    outcome = tts_ui("solve", PROBLEM, *typed, "--json", "--db", db)
    document = json.loads(outcome.out)
    assert document["run"]["params"] == options | {"eligible_without_answer": False}
    assert document["usage"]["generated_tokens"] <= 60


HOSTILE = "[bold]What[/bold] is <script>alert(1)</script> {{7*7}} ${x} \U0001f9ee\n--n 3 [/] $\\frac{1}{2}$ \x1b[2J"


def test_a_hostile_problem_on_standard_input_is_text_everywhere(tts_ui: Cli, start: Start, db: Path) -> None:
    solving = start("solve", "-", "--strategy", "greedy", "--json", "--db", db, stdin=-1)
    out, err = solving.communicate(f"{HOSTILE}\n".encode(), timeout=120)
    assert solving.returncode == 0
    assert err.startswith(b"tts-ui: note: ") and err.count(b"\n") == 1 and b"\x1b" not in err
    document = json.loads(out)
    assert document["run"]["problem"] == HOSTILE
    drawn = tts_ui("show", document["run"]["id"], "--db", db).out
    first, second = HOSTILE.replace("\x1b", "\u241b").split("\n")
    assert f"\n{first}" in drawn and f"\n{second}" in drawn and "\x1b" not in drawn
    assert "[bold]What[/bold]" in tts_ui("runs", "--db", db).out


def test_a_problem_may_begin_with_a_dash(tts_ui: Cli, db: Path) -> None:
    outcome = tts_ui("solve", "--strategy", "greedy", "--json", "--db", db, "--", "-3 + 5")
    assert json.loads(outcome.out)["run"]["problem"] == "-3 + 5"


def test_ctrl_c_stops_the_search_and_keeps_its_tree(start: Start, tts_ui: Cli, db: Path) -> None:
    terminal, stderr = pty.openpty()
    solving = start("solve", PROBLEM, "--n", 512, "--width", 2, "--json", "--db", db, stderr=stderr)
    os.close(stderr)
    progress = bytearray()
    reader = threading.Thread(target=_drain, args=[terminal, progress], daemon=True)
    reader.start()
    run_id = wait_for_steps(solving, db)
    solving.send_signal(signal.SIGINT)
    out, _ = solving.communicate(timeout=120)
    reader.join(timeout=10)
    assert solving.returncode == 130
    document = json.loads(out)
    check(document)
    assert (document["run"]["id"], document["run"]["status"]) == (run_id, "stopped")
    assert len(document["nodes"]) > 1
    assert b"loading builtin-xs" in progress
    assert b"it/s" not in progress and b"Warning" not in progress  # only ours: no bars of the model libraries
    assert tts_ui("export", run_id, "--db", db).out.encode() == out


def _drain(terminal: int, into: bytearray) -> None:
    try:
        while read := os.read(terminal, 65536):
            into += read
    except OSError:  # the other end is closed
        os.close(terminal)
