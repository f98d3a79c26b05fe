"""The check for GPUs, tried on the CPU with tiny models: it runs to the end, notices errors and needs few packages."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from support.places import ROOT

from benchmarks.gpu_check.__main__ import ROWS, main
from benchmarks.gpu_check.exact_policy import exact_policy
from benchmarks.gpu_check.exact_prm import exact_prm
from benchmarks.gpu_check.placing import placed
from benchmarks.random_models import TINY, save_checkpoint
from engine.models.scorers.qwen_prm import Qwen2ForProcessRewardModel


def test_it_runs_to_the_end_and_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--device", "cpu", "--tiny", "--json", str(tmp_path / "figures.json")]) == 0
    written = json.loads((tmp_path / "figures.json").read_text())
    printed = capsys.readouterr().out
    assert {"card", "driver", "torch", "transformers"} <= set(written["machine"])
    assert all(f"{each['name']}  " in printed and each["said"] in printed for each in written["results"])
    passed = [each["passed"] for each in written["results"] if each["section"] == "exact"]
    assert len(passed) >= 20 and all(passed)
    rates = [each["numbers"] for each in written["results"] if "tokens_per_s" in each["numbers"]]
    assert [each["rows"] for each in rates] == [*ROWS, *ROWS]
    processed = [each["numbers"]["tokens"] for each in written["results"] if "tokens processed" in each["name"]]
    assert processed[0] < processed[1]


def test_what_is_off_by_more_than_rounding_fails(tmp_path: Path) -> None:
    """Rounded to bfloat16 and judged as float32."""
    policy = save_checkpoint(tmp_path / "tiny", TINY)
    prm = save_checkpoint(tmp_path / "prm", TINY, Qwen2ForProcessRewardModel)
    with placed("cpu", "bfloat16"):
        found = exact_policy(policy, "float32", "cpu") + exact_prm(prm, "float32", "cpu")
    compared = [each.passed for each in found if each.numbers]
    assert len(compared) == 5 and not any(compared)


def test_time_that_is_up_is_a_failure(tmp_path: Path) -> None:
    assert main(["--device", "cpu", "--tiny", "--seconds", "0", "--json", str(tmp_path / "figures.json")]) == 1
    written = json.loads((tmp_path / "figures.json").read_text())
    assert {each["said"] for each in written["results"]} == {"not begun, time was up"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "torch sees no GPU" in capsys.readouterr().err


def test_the_wheels_are_all_it_needs_besides_torch_and_transformers() -> None:
    listing = (
        "import sys, benchmarks.gpu_check.__main__; [print(vars(m).get('__file__')) for m in sys.modules.values()]"
    )
    done = subprocess.run([sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True)
    ours = [Path(line) for line in done.stdout.splitlines() if line.startswith((f"{ROOT}/engine/", f"{ROOT}/benchm"))]
    assert len(ours) > 40
    imported: set[str] = set()
    for path in ours:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    fetched = re.search(r"--dest \.gpu-wheels (.+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert fetched
    there = {"torch", "transformers", *fetched[1].split()}
    for requirement in [Requirement(line) for name in there for line in importlib.metadata.requires(name) or []]:
        if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
            there.add(requirement.name)
    known = importlib.metadata.packages_distributions()
    needed = {known[name][0] for name in imported - sys.stdlib_module_names - {"engine", "benchmarks"}}
    assert {name.lower() for name in needed} <= {name.lower() for name in there}
