"""A PRM whose window is shorter than a solution: `solve`, `show` and `compare` say which steps it could not read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.command_line import Cli
from support.models_files import PAIR

from engine.assets import assets
from engine.domains.builtin.problems import examples

PROBLEM = examples()[0].text
SMALL = ["--strategy", "best_of_n", "--n", 4]


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """A models file with the built-in pair, its PRM cut down to a window in which no whole solution fits."""
    folder = shutil.copytree(assets() / "models" / "builtin-prm", tmp_path / "narrow")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 72}))
    path = tmp_path / "mine.toml"
    path.write_text(
        PAIR.format(name="narrow", policy="builtin-xs") + '[pair.scorer]\nkind = "qwen_prm"\npath = "narrow"\n'
    )
    return path


def cut(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [decision for decision in document["decisions"] if decision["reason"] == "prm_window"]


def test_steps_that_are_not_scored_are_counted_with_the_votes_they_cost(tts_ui: Cli, narrow: Path, db: Path) -> None:
    outcome = tts_ui("solve", PROBLEM, *SMALL, "--models", narrow, "--db", db)
    run = json.loads(tts_ui("runs", "--json", "--db", db).out)["runs"][0]["id"]
    document = json.loads(tts_ui("export", run, "--db", db).out)
    unscored = cut(document)
    assert unscored and {decision["action"] for decision in unscored} == {"expand"}
    assert not {decision["node"] for decision in unscored} & {score["node"] for score in document["scores"]}
    count = f"{len(unscored)} step{'s' if len(unscored) > 1 else ''} too long for the PRM, not scored, "
    shown = tts_ui("show", run, "--db", db).out
    for lines in (outcome.out.splitlines(), shown.splitlines()):
        said = next(line for line in lines if line.startswith(count))
        assert said.endswith(" of 4 votes have weight 0")
    first = unscored[0]["numbers"]
    assert f"too long for the PRM, not scored: {first['tokens']:.0f} tokens, the PRM reads 72" in shown


def test_left_scores_all_of_them_and_says_so(tts_ui: Cli, narrow: Path, db: Path) -> None:
    asked = [*SMALL, "--models", narrow, "--prm-window", "left", "--json", "--db", db]
    document = json.loads(tts_ui("solve", PROBLEM, *asked).out)
    assert document["run"]["params"]["prm_window"] == "left"
    assert {decision["node"] for decision in cut(document)} < {score["node"] for score in document["scores"]}
    shown = tts_ui("show", document["run"]["id"], "--db", db).out
    assert f"{len(cut(document))} steps too long for the PRM, scored on the last steps alone\n" in shown
    assert "too long for the PRM, scored on the last " in shown


def test_refuse_ends_the_run_in_one_line_and_keeps_the_tree(tts_ui: Cli, narrow: Path, db: Path) -> None:
    outcome = tts_ui("solve", PROBLEM, *SMALL, "--models", narrow, "--prm-window", "refuse", "--json", "--db", db)
    document = json.loads(outcome.out)
    assert outcome.code == 1 and outcome.err.count("\n") == 1 and "Traceback" not in outcome.err
    assert document["run"]["status"] == "failed"
    assert "does not fit the window of narrow (72)" in document["run"]["error"]
    assert len(document["nodes"]) > 1 and cut(document)


def test_a_comparison_says_it_of_each_run(tts_ui: Cli, narrow: Path, db: Path) -> None:
    asked = ["--strategies", "best_of_n,majority_vote", "--n", 4, "--models", narrow, "--db", db]
    said = [line for line in tts_ui("compare", PROBLEM, *asked).out.splitlines() if "too long for the PRM" in line]
    assert len(said) == 1
    assert said[0].startswith("best_of_n: ") and said[0].endswith(" of 4 votes have weight 0.")
