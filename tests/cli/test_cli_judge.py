"""`tts-ui judge`: what is printed equals an independent computation from the judge's own scores."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from support.command_line import Cli, Start
from support.places import SHARED_DATA

from engine.models.catalogue.catalogue import Catalogue
from engine.runs.lab.cases import Case, case_set
from engine.runs.lab.solutions import tree_of
from engine.search.cost import ScorerCost

PROCESSBENCH = SHARED_DATA / "step_labels" / "processbench_gsm8k.json"


def document(tts_ui: Cli, *arguments: object) -> dict[str, Any]:
    done = tts_ui("judge", *arguments, "--json")
    assert done.code == 0, done.err
    parsed: dict[str, Any] = json.loads(done.out)
    assert (parsed["format"], parsed["version"]) == ("tts-ui.judgement", 1)
    return parsed


def scores(catalogue: Catalogue, judge: str, case: Case) -> list[float | None]:
    """One step after the other, asked of the judge itself."""
    scorer, tree = catalogue.judge(judge), tree_of(case.problem, case.steps)

    async def read() -> list[float | None]:
        session = scorer.session(case.problem)
        values = [(await session.score([tree.path(node)], ScorerCost()))[0] for node in tree.nodes[1:]]
        session.close()
        return values

    return asyncio.run(read())


def f1(read: list[tuple[list[float | None], int]], threshold: float) -> float:
    shares = []
    for wrong in (True, False):
        kind = [(values, label) for values, label in read if (label >= 0) is wrong]
        hits = 0
        for values, label in kind:
            below = [at for at, value in enumerate(values) if value is None or value < threshold]
            said = below[0] if below else -1
            hits += said == label and (said < 0 or values[said] is not None)
        shares.append(hits / len(kind))
    return 2 * shares[0] * shares[1] / (sum(shares)) if sum(shares) else 0.0


def test_it_equals_an_independent_computation(tts_ui: Cli, catalogue: Catalogue) -> None:
    found = document(tts_ui, "builtin-easy", "--scorer", "builtin-prm-weak", "--limit", 30, "--threshold", 0.9)
    (result,) = found["results"]
    read = [(scores(catalogue, "builtin-prm-weak", case), case.label) for case in case_set("builtin-easy", 30).cases]
    for (values, label), told in zip(read, result["scored"], strict=True):
        assert told["scores"] == pytest.approx(values, abs=1e-5) and told["label"] == label
    assert result["f1"] == pytest.approx(f1(read, 0.9))
    assert (result["threshold"], result["cases"], result["error"]["of"] + result["correct"]["of"]) == (0.9, 30, 30)
    assert result["error"]["low"] <= result["error"]["accuracy"] <= result["error"]["high"]
    tried = {value for values, _ in read for value in values if value is not None}
    assert result["bound"]["f1"] == pytest.approx(max(f1(read, value + 1e-9) for value in {0.0, *tried}))


def test_the_first_cases_of_processbench(tts_ui: Cli, catalogue: Catalogue) -> None:
    if not PROCESSBENCH.exists():
        pytest.skip(f"{PROCESSBENCH} is not here")
    judge = "builtin-likelihood"
    found = document(tts_ui, PROCESSBENCH, "--scorer", judge, "--limit", 12, "--threshold-from", PROCESSBENCH)
    (result,) = found["results"]
    read = [(scores(catalogue, judge, case), case.label) for case in case_set(str(PROCESSBENCH), 12).cases]
    assert result["threshold"] == result["bound"]["threshold"]
    assert result["f1"] == pytest.approx(f1(read, result["threshold"])) == result["bound"]["f1"]
    known = {"\n\n".join(each["steps"]).strip(): each["label"] for each in json.loads(PROCESSBENCH.read_text())}
    assert len(case_set(str(PROCESSBENCH)).cases) == 400
    for case, each in zip(case_set(str(PROCESSBENCH), 12).cases, result["scored"], strict=True):
        assert each["label"] == known["\n\n".join(case.steps)]
    assert {each["model"] for each in found["published"]} >= {"Qwen2.5-Math-PRM-7B"}


def test_one_threshold_holds_for_all_sets_and_the_average_is_theirs(tts_ui: Cli) -> None:
    sets = ("builtin-easy", "builtin-hard")
    asked = (*sets, "--scorer", "builtin-prm", "--limit", 12, "--threshold-from", "builtin-validation")
    found = document(tts_ui, *asked)
    easy, hard = found["results"]
    assert (easy["set"], hard["set"]) == sets and easy["threshold"] == hard["threshold"]
    assert found["averages"] == [
        {"scorer": "builtin-prm", "sets": 2, "f1": pytest.approx((easy["f1"] + hard["f1"]) / 2)}
    ]
    assert found["published"] == []
    told = tts_ui("judge", *asked).out
    assert "builtin-prm: average F1 of 2 sets" in told
    assert "the one that is best on builtin-validation, for all sets" in told


def test_ctrl_c_keeps_what_was_printed(start: Start) -> None:
    process = start("judge", "builtin-easy", "builtin-1000", "--scorer", "builtin-prm")
    assert process.stdout
    printed = b""
    while b"F1, bound" not in printed:
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        printed += line
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and b"builtin-easy" in printed and b"builtin-1000" not in printed + rest


def test_published_figures_are_marked_as_such(tts_ui: Cli, tmp_path: Path) -> None:
    file = tmp_path / "processbench_gsm8k.json"
    cases = [{"problem": "P", "steps": ["a", "b"], "label": label} for label in (-1, 1)]
    file.write_text(json.dumps(cases))
    told = tts_ui("judge", file, "--scorer", "builtin-prm").out
    assert "published, not measured here" in told and "Qwen2.5-Math-PRM-7B" in told and "arXiv 2501.07301" in told


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("SET: 'nothing' is no file; name one, or one of builtin-easy", ["nothing", "--scorer", "builtin-prm"]),
        ("--scorer: unknown PRM 'other'", ["builtin-easy", "--scorer", "other"]),
        ("--threshold: ", ["builtin-easy", "--scorer", "builtin-prm", "--threshold", "2"]),
        (
            "--threshold: give either it or --threshold-from, not both",
            ["builtin-easy", "--scorer", "builtin-prm", "--threshold", "0.5", "--threshold-from", "builtin-hard"],
        ),
        ("--threshold-from: 'x' is no file", ["builtin-easy", "--scorer", "builtin-prm", "--threshold-from", "x"]),
        ("--limit: ", ["builtin-easy", "--scorer", "builtin-prm", "--limit", "0"]),
    ],
)
def test_mistakes(tts_ui: Cli, line: str, arguments: list[str]) -> None:
    done = tts_ui("judge", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"tts-ui: {line}") and done.err.count("\n") == 1
