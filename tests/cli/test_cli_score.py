"""`tts-ui score`: judges and solutions, recorded runs, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.command_line import Cli, Start

from engine.domains.builtin.problems import generate
from engine.store import Store

PROBLEM = generate("score", "mul", 4, "test")
BOTH = "builtin-prm,builtin-prm-weak"


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    file = tmp_path / "solution.txt"
    file.write_text("\n\n".join([PROBLEM.text, *PROBLEM.steps]))
    return file


@pytest.fixture
def run_id(tts_ui: Cli, db: Path) -> str:
    done = tts_ui("solve", PROBLEM.text, "--n", 4, "--temperature", 1.2, "--db", db, "--json")
    return str(json.loads(done.out)["run"]["id"])


def document(tts_ui: Cli, *arguments: object) -> dict[str, Any]:
    done = tts_ui("score", *arguments, "--json")
    assert done.code == 0, done.err
    parsed: dict[str, Any] = json.loads(done.out)
    assert (parsed["format"], parsed["version"]) == ("tts-ui.scores", 1)
    return parsed


def test_every_step_has_every_judges_score_and_each_judge_its_bill(tts_ui: Cli, solution: Path) -> None:
    found = document(tts_ui, solution, "--scorer", BOTH)
    (scored,) = found["solutions"]
    assert scored["problem"] == PROBLEM.text
    assert [step["text"].strip() for step in scored["steps"]] == list(PROBLEM.steps)
    for step in scored["steps"]:
        assert set(step["scores"]) == set(BOTH.split(","))
        assert step["scores"]["builtin-prm"] > 0.5  # right steps, and the good judge says so
    assert [judge["scorer"]["name"] for judge in found["judges"]] == BOTH.split(",")
    assert all(judge["usage"]["scored_tokens"] > 20 and judge["scoring"] is None for judge in found["judges"])


def test_the_table_and_the_cost_before_and_after(tts_ui: Cli, solution: Path) -> None:
    done = tts_ui("score", solution, "--scorer", "builtin-prm")
    assert done.code == 0
    assert "builtin-prm" in done.out and done.out.count("\n") == len(PROBLEM.steps) + 2
    before, after = done.err.strip().split("\n")
    assert before.startswith("tts-ui: builtin-prm: about ") and before.endswith(" PRM tokens to read")
    assert after.startswith("tts-ui: builtin-prm: ") and "FLOP" in after


def test_standard_input(start: Start) -> None:
    import subprocess

    process = start("score", "-", "--scorer", "builtin-prm", "--json", stdin=subprocess.PIPE)
    out, err = process.communicate(json.dumps({"problem": PROBLEM.text, "solution": PROBLEM.solution}).encode(), 120)
    assert process.returncode == 0, err
    assert len(json.loads(out)["solutions"][0]["steps"]) == len(PROBLEM.steps)


def test_a_run_keeps_its_scores_with_a_bill_of_their_own(tts_ui: Cli, db: Path, run_id: str) -> None:
    with Store.open(str(db)) as store:
        before = store.whole_run(run_id)
    dry = document(tts_ui, run_id, "--scorer", "builtin-prm-weak", "--db", db, "--dry-run")
    with Store.open(str(db)) as store:
        assert store.scorings(run_id) == []
    kept = document(tts_ui, run_id[:-1], "--scorer", "builtin-prm-weak", "--db", db)
    assert kept["run"] == run_id and kept["judges"][0]["scoring"]
    assert [step["scores"]["builtin-prm-weak"] for step in dry["solutions"][0]["steps"]] == pytest.approx(
        [step["scores"]["builtin-prm-weak"] for step in kept["solutions"][0]["steps"]], abs=1e-5
    )
    with Store.open(str(db)) as store:
        (scoring,), after = store.scorings(run_id), store.whole_run(run_id)
        assert scoring.usage.scored_tokens == kept["judges"][0]["usage"]["scored_tokens"] > 0
        assert (after.usage, after.answer, after.status) == (before.usage, before.answer, before.status)
    again = tts_ui("score", run_id, "--scorer", BOTH, "--db", db)
    assert (
        again.code == 0 and "builtin-prm decided this run" in again.out and "has scored its steps already" in again.out
    )


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("--scorer: unknown PRM 'other'; choose one of builtin-prm", ["FILE", "--scorer", "other"]),
        ("--scorer: builtin-prm is named twice", ["FILE", "--scorer", "builtin-prm,builtin-prm"]),
        ("--scorer: name a judge", ["FILE", "--scorer", ","]),
        ("Missing option '--scorer'", ["FILE"]),
        ("--models: no-such.toml cannot be read", ["FILE", "--scorer", "a", "--models", "no-such.toml"]),
        ("FILE|-|RUN: there is no file 'nothing'", ["nothing", "--scorer", "builtin-prm"]),
    ],
)
def test_mistakes(tts_ui: Cli, solution: Path, tmp_path: Path, line: str, arguments: list[str]) -> None:
    given = [str(solution) if argument == "FILE" else argument for argument in arguments]
    done = tts_ui("score", *given, "--db", tmp_path / "no.db")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"tts-ui: {line}") and done.err.count("\n") == 1
    assert not (tmp_path / "no.db").exists()


def test_a_run_that_is_not_there_and_one_with_a_problem(tts_ui: Cli, db: Path, run_id: str) -> None:
    done = tts_ui("score", "zzz", "--scorer", "builtin-prm", "--db", db)
    assert done.code == 2 and done.err.startswith("tts-ui: FILE|-|RUN: it is no file, and no run id begins with 'zzz'")
    done = tts_ui("score", run_id, "--scorer", "builtin-prm", "--problem", "P", "--db", db)
    assert done.code == 2 and done.err.startswith("tts-ui: --problem: a recorded run has its own")


@pytest.mark.parametrize(
    ("line", "content"),
    [
        ("FILE: write the problem, a blank line, and the steps", "one block"),
        ("FILE: solution, line 1: it is not JSON", "{"),
        ("FILE: solution, line 1: no format is known", '{"a": 1}'),
        ("--problem: solution, line 1 has steps and no problem; give one", '{"steps": ["a"]}'),
        ("FILE: solution: it is not text in UTF-8", b"a\n\n\xff"),
    ],
)
def test_faulty_files(tts_ui: Cli, tmp_path: Path, line: str, content: str | bytes) -> None:
    file = tmp_path / "solution"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = tts_ui("score", file, "--scorer", "builtin-prm")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"tts-ui: {line}")
