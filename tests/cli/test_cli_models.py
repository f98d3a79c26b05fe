"""`--models`: names, files, and checkpoints that cannot be used. The files are real copies of the built-in models."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from support.command_line import Cli
from support.models_files import PAIR, WITH_PRM

from engine.assets import assets

EASY = "Compute 3 * 12."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A models file with a whole pair and one that has no PRM."""
    path = tmp_path / "mine.toml"
    path.write_text(WITH_PRM.format(name="mine", policy="builtin-xs") + PAIR.format(name="bare", policy="builtin-xs"))
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the built-in policy beside the models file, to be damaged."""
    return Path(shutil.copytree(assets() / "models" / "builtin-xs", tmp_path / "copy"))


def test_models_are_listed_without_loading(tts_ui: Cli, file: Path) -> None:
    assert "builtin-xs (default)" in tts_ui("models").out
    listed = tts_ui("models", "--models", file).out
    assert "mine (default)" in listed and "policy builtin-xs (local), PRM none" in listed


def test_a_pair_of_a_file(tts_ui: Cli, file: Path, db: Path) -> None:
    greedy = ["solve", EASY, "--strategy", "greedy", "--json", "--db", db]
    for models in (file, f"{file}:bare"):
        outcome = tts_ui(*greedy, "--models", models)
        assert json.loads(outcome.out)["run"]["policy"] == "builtin-xs"


def test_a_search_that_needs_a_prm_is_refused_without_one(tts_ui: Cli, file: Path, db: Path) -> None:
    outcome = tts_ui("solve", EASY, "--models", f"{file}:bare", "--db", db)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("tts-ui: --scorer: beam_search needs a PRM")
    assert tts_ui("solve", EASY, "--models", f"{file}:none", "--db", db).err.startswith(
        "tts-ui: --models: unknown pair"
    )


@pytest.mark.parametrize("problem", ["Evaluate " + " + ".join(["17"] * 2000) + ".", "Prove it. " * 2000])
@pytest.mark.parametrize("command", [["solve"], ["compare", "--strategies", "greedy,beam_search"]], ids=lambda c: c[0])
def test_a_problem_longer_than_the_context_window(tts_ui: Cli, db: Path, command: list[str], problem: str) -> None:
    outcome = tts_ui(command[0], problem, *command[1:], "--db", db)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("tts-ui: PROBLEM: ") and "do not fit the context window" in outcome.err
    assert outcome.err.count("\n") == 1
    assert json.loads(tts_ui("runs", "--json", "--db", db).out)["runs"] == []


@pytest.mark.parametrize("damage", ["cut", "emptied", "removed"])
def test_a_corrupt_checkpoint_is_one_line(tts_ui: Cli, copy: Path, tmp_path: Path, db: Path, damage: str) -> None:
    weights = copy / "model.safetensors"
    if damage == "removed":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:5000] if damage == "cut" else b"")
    models = tmp_path / "mine.toml"
    models.write_text(PAIR.format(name="damaged", policy="copy"))
    outcome = tts_ui("solve", EASY, "--strategy", "greedy", "--models", models, "--db", db)
    assert (outcome.code, outcome.out) == (1, "")
    assert str(copy) in outcome.err and outcome.err.count("\n") == 1


def test_a_search_that_fails_prints_its_document_and_exits_with_1(
    tts_ui: Cli, copy: Path, tmp_path: Path, db: Path
) -> None:
    """Weights that compute no numbers, which shows when the policy is first asked."""
    weights = load_file(copy / "model.safetensors")
    weights["model.norm.weight"] *= float("nan")
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    models = tmp_path / "mine.toml"
    models.write_text(PAIR.format(name="damaged", policy="copy"))
    outcome = tts_ui("solve", EASY, "--strategy", "greedy", "--models", models, "--json", "--db", db)
    assert outcome.code == 1
    run = json.loads(outcome.out)["run"]
    assert run["status"] == "failed" and run["error"]
    assert outcome.err.startswith("tts-ui: ") and outcome.err.count("\n") == 1


def test_a_model_that_cannot_read_its_tokenizers_tokens_is_refused(
    tts_ui: Cli, copy: Path, tmp_path: Path, db: Path
) -> None:
    """The tokenizer knows tokens that the policy does not: that shows when the model is checked, before the search."""
    weights = load_file(copy / "model.safetensors")
    rows = next(len(value) for name, value in weights.items() if "embed_tokens" in name)
    few = {name: value[:8].clone() if len(value) == rows else value for name, value in weights.items()}
    save_file(few, copy / "model.safetensors", {"format": "pt"})
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"vocab_size": 8}))
    models = tmp_path / "mine.toml"
    models.write_text(PAIR.format(name="small", policy="copy"))
    outcome = tts_ui("solve", EASY, "--strategy", "greedy", "--models", models, "--json", "--db", db)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("tts-ui: ") and outcome.err.count("\n") == 1


def test_a_problem_the_built_in_models_never_saw_runs_with_a_notice(tts_ui: Cli, file: Path, db: Path) -> None:
    greedy = ["--strategy", "greedy", "--json", "--db", db]
    outcome = tts_ui("solve", "Prove that sqrt 2 is irrational", *greedy)
    assert outcome.code == 0 and json.loads(outcome.out)["run"]["status"] == "done"
    assert "tts-ui: note: The built-in models know only 15 families" in outcome.err
    assert "irrational" in outcome.err and "--models" in outcome.err
    assert tts_ui("solve", EASY, *greedy).err == ""
    assert tts_ui("solve", "Prove that sqrt 2 is irrational", *greedy, "--models", file).err == ""


def test_what_fits_is_listed_for_people_and_for_programs(tts_ui: Cli) -> None:
    listed = tts_ui("models").out
    assert re.search(r"fits: needs \d+ MB \(float32 on cpu\)", listed)
    assert "meta-llama/Llama-3.1-8B-Instruct" not in listed and "gated: accept it on the Hub" in listed
    document = json.loads(tts_ui("models", "--json").out)
    assert (document["format"], document["version"]) == ("tts-ui.models", 1)
    pairs = {pair["name"]: pair for pair in document["pairs"]}
    assert pairs["builtin-xs"]["fits"] and pairs["builtin-xs"]["default"] and pairs["builtin-xs"]["policy"]["here"]
    assert pairs["qwen2.5-72b"]["needs_bytes"] > 300e9
    assert pairs["llama-3.1-8b"]["policy"]["gated"]
    assert "math-shepherd-7b" in {scorer["name"] for scorer in document["scorers"]}


def test_a_policys_own_sampling_is_used_and_recorded_unless_something_else_is_asked_for(
    tts_ui: Cli, tmp_path: Path, db: Path
) -> None:
    models = tmp_path / "mine.toml"
    sampling = "sampling = { temperature = 0.6, top_p = 0.95, max_tokens = 90, max_steps = 50 }\n"
    models.write_text(PAIR.format(name="mine", policy="builtin-xs") + sampling)
    solve = ["solve", EASY, "--strategy", "majority_vote", "--n", "2", "--json", "--db", db, "--models", models]
    params = json.loads(tts_ui(*solve).out)["run"]["params"]
    assert [params[name] for name in ("temperature", "top_p", "max_tokens", "max_steps")] == [0.6, 0.95, 90, 50]
    params = json.loads(tts_ui(*solve, "--temperature", "1", "--max-tokens", "80").out)["run"]["params"]
    assert [params[name] for name in ("temperature", "top_p", "max_tokens", "max_steps")] == [1.0, 0.95, 80, 50]
    refused = tts_ui(*solve, "--max-tokens", "0")
    assert (refused.code, refused.out) == (2, "") and "--max-tokens" in refused.err
