"""`tts-ui sweep`: plan, run, list, stop with Ctrl-C, resume, and every refusal in one line."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from support.command_line import Cli, Start
from support.waiting import until

from engine.store import Store

SMALL = [
    "sweep", "--name", "small", "--problems", "builtin-easy", "--limit", 4, "--models", "builtin-xs", "--strategies",
    "greedy,best_of_n,dvts", "--n", "4,8",
]  # fmt: skip


def test_a_sweep_is_planned_run_and_listed(tts_ui: Cli, db: Path, tmp_path: Path) -> None:
    planned = tts_ui(*SMALL, "--plan", "--db", db)
    assert planned.code == 0 and "small: 4 problems of builtin-easy, 4 configurations, 16 runs" in planned.out
    assert "cost: not known" in planned.out and not tts_ui("sweep", "--list", "--json", "--db", db).out.count("small")
    file = tmp_path / "sweep.toml"
    file.write_text(
        'name = "other"\nproblems = "builtin-easy"\nlimit = 4\nmodels = "builtin-xs"\n'
        'strategies = ["greedy", "best_of_n", "dvts"]\nn = [4, 8]\n', encoding="utf-8",
    )  # fmt: skip
    done = tts_ui("sweep", file, "--name", "small", "--db", db)
    assert done.code == 0 and "small: done, 16 of 16 runs" in done.out
    lines = [line.split() for line in done.out.splitlines() if "prm_last_max" in line]
    assert [line[line.index("prm_last_max") + 1] for line in lines] == ["1", "2", "4", "8"]
    found = json.loads(tts_ui("sweep", "--list", "--json", "--db", db).out)
    assert [(each["name"], each["status"], each["done"]) for each in found["sweeps"]] == [("small", "done", 16)]
    assert found["sweeps"][0]["configuration"]["n"] == [4, 8]
    again = json.loads(tts_ui("sweep", "--resume", "small", "--json", "--db", db).out)
    said = "At N = 8, 4 problems are too few to tell strategies apart."
    assert [(each["problems"], each["says"]) for each in again["standings"]] == [(4, said)]
    assert f"builtin-xs, judge builtin-prm: {said}" in done.out
    assert {each["strategy"] for each in again["standings"][0]["groups"][0]} == {
        "greedy", "best_of_n", "dvts", "majority_vote",
    }  # fmt: skip
    assert again["sweep"]["done"] == 16 and len(again["configurations"]) == 1 + 3 * 4 + 2
    with Store.open(str(db)) as store:
        assert len(store.runs(limit=100)) == 16
    second = tts_ui("sweep", file, "--seeds", "2", "--plan", "--json", "--db", db)
    plan = json.loads(second.out)
    assert plan["runs"] == 28 and plan["cost"]["generated_tokens"] > 0 and plan["declared"]["seeds"] == [0, 1]


def test_ctrl_c_stops_it_and_resume_goes_on(start: Start, tts_ui: Cli, db: Path) -> None:
    large = [*SMALL, "--db", db]
    large[large.index("--limit") + 1] = 150
    sweeping = start(*large)

    def some_are_done() -> bool:
        assert sweeping.poll() is None
        if not db.exists():
            return False
        with Store.open(str(db)) as store:
            return bool(store.outcomes())

    until(some_are_done, 120)
    sweeping.send_signal(signal.SIGINT)
    out, err = sweeping.communicate(timeout=60)
    assert sweeping.returncode == 130, err.decode()
    assert "go on with: tts-ui sweep --resume small" in out.decode()
    with Store.open(str(db)) as store:
        record = store.find_sweep("small")
        done = [run for run in store.runs(limit=10_000) if run.status == "done"]
        assert record.status == "stopped" and record.done == len(done)
    planned = tts_ui("sweep", "--resume", "small", "--plan", "--db", db)
    assert f"600 runs, {len(done)} there" in planned.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--problems: name a set"),
        (["--problems", "nope"], "--problems: nope is neither"),
        (["--problems", "builtin-easy", "--n", "4,x"], "--n: '4,x' is no list of whole numbers"),
        (["--problems", "builtin-easy", "--strategies", "dvtz"], "--strategies: unknown strategy 'dvtz'; did you mean"),
        (["--problems", "builtin-easy", "--models", "nope"], "--models: unknown pair"),
        (["--problems", "builtin-easy", "--scorers", "nope"], "--scorers: unknown PRM"),
        (["--problems", "builtin-easy", "--columns", "x"], "--columns:"),
        (["--resume", "nope"], "--resume: no sweep is called 'nope'"),
        (["--resume", "nope", "--n", "4"], "--resume: a sweep goes on as it was declared"),
        (["none.toml"], "FILE: none.toml cannot be read"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(tts_ui: Cli, db: Path, arguments: list[str], said: str) -> None:
    outcome = tts_ui("sweep", *arguments, "--db", db)
    assert outcome.code == 2 and outcome.err.startswith(f"tts-ui: {said}") and outcome.err.count("\n") == 1


def test_unknown_keys_of_a_file_are_named(tts_ui: Cli, db: Path, tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text('problems = "builtin-easy"\nstrategis = ["dvts"]\n', encoding="utf-8")
    outcome = tts_ui("sweep", file, "--db", db)
    assert outcome.code == 2
    assert outcome.err == f"tts-ui: FILE: {file}: unknown key 'strategis'; did you mean strategies?\n"
