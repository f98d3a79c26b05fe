"""`tts-ui compare` on the built-in models: one table, one document, and every mistake before models are loaded."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from support.command_line import Cli, Start, wait_for_steps
from support.models_files import WITH_PRM
from support.run_document import check

from engine.assets import assets
from engine.domains.builtin.problems import examples
from engine.search.events import Usage
from engine.store import Store

PROBLEM = examples()[0].text
SMALL = ["--n", 8, "--width", 2]


def check_comparison(document: dict[str, Any]) -> None:
    assert list(document) == ["format", "version", "id", "budget", "shared", "runs"]
    assert (document["format"], document["version"]) == ("tts-ui.comparison", 1)
    assert set(document["shared"]) == set(Usage.__slots__)
    for run in document["runs"]:
        check(run)


def test_json_prints_the_comparison_and_nothing_else(tts_ui: Cli, db: Path) -> None:
    strategies = ["best_of_n", "beam_search", "majority_vote"]
    asked = ["--strategies", ",".join(strategies), *SMALL, "--max-tokens-total", 300, "--json", "--db", db]
    outcome = tts_ui("compare", PROBLEM, *asked)
    assert (outcome.code, outcome.err) == (0, "")
    document = json.loads(outcome.out)
    check_comparison(document)
    assert document["budget"] == 300
    assert [run["run"]["strategy"] for run in document["runs"]] == strategies
    assert all(run["usage"]["generated_tokens"] <= 300 for run in document["runs"])
    spent = sum(run["usage"]["generated_tokens"] for run in document["runs"])
    assert document["shared"]["generated_tokens"] < spent
    for run in document["runs"]:
        assert json.loads(tts_ui("export", run["run"]["id"], "--db", db).out) == run
    with Store.open(str(db)) as store:
        assert store.comparison(document["id"]).run_ids == tuple(run["run"]["id"] for run in document["runs"])


def test_the_table_says_what_each_found_and_spent_and_what_was_equal(tts_ui: Cli, db: Path) -> None:
    asked = ["--strategies", "greedy,best_of_n,dvts", *SMALL, "--db", db]
    outcome = tts_ui("compare", PROBLEM, *asked, "--answer", "no number")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert " ".join(lines[0].split()) == "strategy answer votes tokens PRM tokens FLOPs (paper) FLOPs (all) calls time"
    for line, strategy in zip(lines[1:4], ("greedy", "best_of_n", "dvts"), strict=True):
        assert line.startswith(strategy) and " wrong " in line and line.endswith(" s")
    assert "no PRM" in lines[1]
    assert lines[4].startswith("actual total")
    assert lines[5].startswith("N = 8 completions each (greedy: one chain); generated tokens differ ")
    assert lines[6].startswith("Paired: seed 0 in best_of_n and dvts; ")
    assert [line.split(" give ")[0] for line in lines[7:10]] == [
        f"the FLOPs of {strategy}" for strategy in ("greedy", "best_of_n", "dvts")
    ]
    assert "Llama-3.1-405B" in lines[7] and "Llama-3.1-70B" in lines[7]
    for command in lines[10:]:
        shown = tts_ui(*command.split()[1:])
        assert shown.code == 0 and "the same FLOPs give" in shown.out
    assert len(lines) == 13


def test_options_go_to_the_strategies_that_have_them(tts_ui: Cli, db: Path) -> None:
    asked = ["--lookahead", 2, "--exploration", 1.5, "--seed", 4, "--unpaired", "--max-tokens-total", 200]
    outcome = tts_ui("compare", PROBLEM, "--strategies", "lookahead, mcts", *SMALL, *asked, "--json", "--db", db)
    lookahead, mcts = (run["run"]["params"] for run in json.loads(outcome.out)["runs"])
    assert (lookahead["lookahead"], lookahead["seed"]) == (2, 4)
    assert (mcts["exploration"], mcts["seed"]) == (1.5, 5)
    assert "exploration" not in lookahead and "lookahead" not in mcts
    shown = tts_ui("compare", PROBLEM, "--strategies", "lookahead,mcts", *SMALL, *asked, "--db", db).out
    assert "\nAt most 200 generated tokens each; spent " in shown and "\nUnpaired: " in shown


def test_ctrl_c_stops_every_run_and_keeps_what_they_found(start: Start, tts_ui: Cli, db: Path) -> None:
    asked = ["--strategies", "best_of_n,beam_search", "--n", 512, "--width", 2, "--json", "--db", db]
    comparing = start("compare", PROBLEM, *asked)
    wait_for_steps(comparing, db)
    comparing.send_signal(signal.SIGINT)
    out, err = comparing.communicate(timeout=120)
    assert (comparing.returncode, err) == (130, b"")
    document = json.loads(out)
    check_comparison(document)
    assert [run["run"]["status"] for run in document["runs"]] == ["stopped", "stopped"]
    assert max(len(run["nodes"]) for run in document["runs"]) > 1


def test_a_run_that_fails_ends_no_other(tts_ui: Cli, tmp_path: Path, db: Path) -> None:
    """A PRM whose weights are damaged gives no scores: the strategy that asks it fails, the other has its answer."""
    copy = Path(shutil.copytree(assets() / "models" / "builtin-prm", tmp_path / "damaged"))
    weights = load_file(copy / "model.safetensors")
    damaged = {name: value * float("nan") if name.startswith("score") else value for name, value in weights.items()}
    save_file(damaged, copy / "model.safetensors", {"format": "pt"})
    models = tmp_path / "mine.toml"
    models.write_text(WITH_PRM.format(name="mine", policy="builtin-xs").replace("builtin-prm", "damaged"))
    asked = ["--strategies", "best_of_n,majority_vote", "--n", 4, "--models", models, "--db", db]
    outcome = tts_ui("compare", PROBLEM, *asked, "--json")
    assert outcome.code == 1
    assert outcome.err.startswith("tts-ui: best_of_n failed: ") and outcome.err.count("\n") == 1
    best_of_n, majority_vote = (run["run"] for run in json.loads(outcome.out)["runs"])
    assert (best_of_n["status"], majority_vote["status"]) == ("failed", "done")
    assert majority_vote["answer"] is not None and majority_vote["error"] is None


def test_a_mistake_needs_no_models() -> None:
    source = (
        "import sys\nfrom tts_ui.cli.main import main\n"
        "try: main(['compare', 'a', '--strategies', 'dvts,beam_search', '--width', '3'])\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    refused = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120)
    assert refused.stdout == "2 False False\n"


@pytest.mark.parametrize("option", ["--n", "--json", "--db", "--unpaired", "--strategies"])
def test_help_names_every_option(tts_ui: Cli, option: str) -> None:
    outcome = tts_ui("compare", "--help")
    assert (outcome.code, outcome.err) == (0, "") and option in outcome.out


def test_a_run_without_an_answer_is_not_called_wrong(tts_ui: Cli, db: Path) -> None:
    asked = ["--strategies", "greedy,majority_vote", "--max-tokens-total", 1, "--answer", "1", "--db", db]
    outcome = tts_ui("compare", PROBLEM, *asked)
    assert outcome.code == 0
    assert outcome.out.count("no answer") == 2 and "wrong" not in outcome.out
