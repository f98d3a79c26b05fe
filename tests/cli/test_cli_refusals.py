"""Bad input on the command line: one line that names the argument as it is typed, and the right exit code."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import Cli, Outcome, Start
from support.places import ROOT

MISTAKES = [
    ("PROBLEM: it is empty", ["solve", ""]),
    ("PROBLEM: it is empty", ["solve", " \n\t "]),
    ("PROBLEM: it is not valid UTF-8", ["solve", "a\udcff"]),
    ("PROBLEM: 100,001 characters are too many; give at most 100,000", ["solve", "7" * 100_001]),
    ("--answer: 10,001 characters are too many; give at most 10,000", ["solve", "a", "--answer", "7" * 10_001]),
    ("PROBLEM: 100,001 characters", ["compare", "7" * 100_001, "--strategies", "dvts,mcts"]),
    ("--max-n: 0 completions are too few; give 1 or more", ["serve", "--max-n", "0"]),
    ("--runs-at-once: 0 runs are too few; give 1 or more", ["serve", "--public", "--runs-at-once", "0"]),
    ("--width: M = 5 does not divide N = 16; choose M = 4 or M = 8", ["solve", "a", "--width", "5"]),
    ("--width: M = 4 is larger than N = 2", ["solve", "a", "--n", "2"]),
    ("--width: ", ["solve", "a", "--width", "0"]),
    ("--n: ", ["solve", "a", "--n", "0"]),
    ("--n: ", ["solve", "a", "--n", "many"]),
    ("--strategy: unknown strategy 'guess'; choose one of greedy", ["solve", "a", "--strategy", "guess"]),
    ("--select: unknown rule 'best'", ["solve", "a", "--select", "best"]),
    ("--select: ", ["solve", "a", "--strategy", "majority_vote", "--select", "prm_last_max"]),
    ("--models: unknown pair 'huge'; choose one of builtin-xs", ["solve", "a", "--models", "huge"]),
    ("--models: no-such.toml cannot be read", ["solve", "a", "--models", "no-such.toml"]),
    ("--models: no-such.toml cannot be read", ["solve", "a", "--models", "no-such.toml:pair"]),
    ("--models: it is empty", ["solve", "a", "--models", ""]),
    ("--models: no-such.toml cannot be read", ["models", "--models", "no-such.toml"]),
    ("--scorer: unknown PRM 'other'; choose one of builtin-prm", ["solve", "a", "--scorer", "other"]),
    ("--temperature: ", ["solve", "a", "--temperature", "nan"]),
    ("--top-p: ", ["solve", "a", "--top-p", "0"]),
    ("--seed: ", ["solve", "a", "--seed", "-1"]),
    ("--finished: ", ["solve", "a", "--finished", "never"]),
    ("--max-steps: ", ["solve", "a", "--max-steps", "0"]),
    ("--max-tokens-total: ", ["solve", "a", "--max-tokens-total", "0"]),
    ("--answer: ", ["solve", "a", "--answer", " "]),
    ("--strategies: unknown strategy 'guess'; choose from greedy", ["compare", "a", "--strategies", "dvts,guess"]),
    ("--strategies: dvts is named twice", ["compare", "a", "--strategies", "dvts,greedy,dvts"]),
    ("--strategies: a comparison needs two or more", ["compare", "a", "--strategies", "dvts"]),
    ("--strategies: a comparison needs two or more", ["compare", "a", "--strategies", ","]),
    ("Missing option '--strategies'; see `tts-ui compare --help`", ["compare", "a"]),
    ("--width: M = 3 does not divide", ["compare", "a", "--strategies", "greedy,dvts", "--width", "3"]),
    ("--select: ", ["compare", "a", "--strategies", "dvts,majority_vote", "--select", "prm_last_max"]),
    ("--models: unknown pair 'huge'", ["compare", "a", "--strategies", "dvts,mcts", "--models", "huge"]),
    ("PROBLEM: it is empty", ["compare", " ", "--strategies", "dvts,mcts"]),
    ("Missing argument 'PROBLEM'; see `tts-ui solve --help`", ["solve"]),
    ("No such option: --widht (Possible options: --width)", ["solve", "a", "--widht", "4"]),
    ("No such option: -3; put -- before a PROBLEM that begins with a dash", ["solve", "-3 + 5"]),
    ("Got unexpected extra argument", ["solve", "a", "b"]),
    ("No such command 'slove'", ["slove", "a"]),
    ("--limit: ", ["runs", "--limit", "0"]),
    ("--port: ", ["serve", "--port", "70000"]),
    ("--models: no-such cannot be read", ["serve", "--models", "no-such"]),
    ("--host: 'no.such.host.invalid' is not an address", ["serve", "--host", "no.such.host.invalid"]),
    ("--allow-host: 'https://a.example' is not a host's name", ["serve", "--allow-host", "https://a.example"]),
    (
        "--format: unknown format 'tex'; choose json, csv, graphml, svg, png, prm800k, processbench, trl or html",
        ["export", "0", "--format", "tex"],
    ),
]


@pytest.mark.parametrize(("line", "arguments"), MISTAKES, ids=[" ".join(args)[:40] for _, args in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(tts_ui: Cli, line: str, arguments: list[str], tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "runs.db")] if arguments[0] in ("solve", "compare", "runs", "export") else []
    at = arguments.index("--") if "--" in arguments else len(arguments)
    outcome = tts_ui(*arguments[:at], *db, *arguments[at:])
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"tts-ui: {line}")
    assert outcome.err.count("\n") == 1 and outcome.err.endswith("\n")
    assert not (tmp_path / "runs.db").exists()


def test_a_run_that_is_not_there(tts_ui: Cli, db: Path) -> None:
    for command in ("show", "export"):
        outcome = tts_ui(command, "zzz", "--db", db)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith("tts-ui: RUN: no run id begins with 'zzz'")


def test_a_database_that_cannot_be_opened(tts_ui: Cli, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database at all" * 100)
    for db in (tmp_path, garbage, "mysql://host/name", tmp_path / "garbage.db" / "runs.db"):
        for command in (["solve", "1 + 1"], ["runs"], ["show", "0"]):
            outcome = tts_ui(*command, "--db", db)
            assert (outcome.code, outcome.out) == (1, "")
            assert "--db" in outcome.err and outcome.err.count("\n") == 1


def test_a_refusal_needs_no_models_no_page_and_no_database() -> None:
    source = (
        "import sys\nfrom tts_ui.cli.main import main\n"
        "try: main(['solve', 'a', '--models', 'huge'])\n"
        "except SystemExit as end: print(end.code, {'torch', 'transformers', 'gradio', 'sqlalchemy'} & {*sys.modules})"
    )
    refused = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60)
    assert refused.stdout == "2 set()\n"


def test_the_installed_command_exits_with_the_codes(start: Start, db: Path) -> None:
    mistake = start("solve", "a", "--width", "3")
    out, err = mistake.communicate(timeout=60)
    assert (mistake.returncode, out, err.count(b"\n")) == (2, b"", 1)
    listing = start("runs", "--json", "--db", db)
    out, err = listing.communicate(timeout=60)
    assert (listing.returncode, err) == (0, b"")
    assert out.startswith(b'{\n  "format": "tts-ui.runs"')


def test_full_output_is_reported(start: Start, db: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        listing = start("runs", "--json", "--db", db, stdout=full)
        _, err = listing.communicate(timeout=60)
    assert listing.returncode == 1
    assert err == b"tts-ui: the output: No space left on device\n"


def test_a_port_in_use(tts_ui: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = tts_ui("serve", "--port", port)
    assert outcome == Outcome(2, "", f"tts-ui: --port: {port} is in use; choose another\n")


def test_app_py_is_serve() -> None:
    app = ROOT / "app.py"
    refused = subprocess.run([sys.executable, app, "--port", "70000"], capture_output=True, text=True, timeout=60)
    assert (refused.returncode, refused.stdout) == (2, "") and refused.stderr.startswith("tts-ui: --port: ")


def test_help_and_version_are_no_mistakes(tts_ui: Cli) -> None:
    for arguments in ([], ["--help"], ["solve", "--help"], ["--version"]):
        outcome = tts_ui(*arguments)
        assert (outcome.code, outcome.err) == (0, "") and outcome.out.startswith(("Usage: tts-ui", "tts-ui "))
