"""The benchmark of contrast on built-in models: two searches, two labelled solutions, and what F1 is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.contrast.__main__ import main
from benchmarks.contrast.finding import f1
from benchmarks.contrast.scores import SCORES
from benchmarks.real_model.__main__ import main as real
from engine.domains.builtin.problems import examples
from engine.training.checkpoints import MODELS


def test_it_reads_once_and_writes_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = examples()[:2]
    problems, labels, store, kept = (tmp_path / name for name in ("p.jsonl", "labels.json", "runs.db", "kept.jsonl"))
    problems.write_text(
        "".join(json.dumps({"problem": each.text, "answer": str(each.answer)}) + "\n" for each in known)
    )
    real(["--model", str(MODELS / "builtin-xs"), "--problems", str(problems), "--first", "2", "--db", str(store),
          "--out", str(tmp_path / "table.md")])  # fmt: skip
    rows = [
        {"id": f"case-{place}", "problem": each.text, "steps": list(each.steps), "label": -place}
        for place, each in enumerate(known)
    ]
    labels.write_text(json.dumps(rows))
    capsys.readouterr()
    asked = ["--large", str(MODELS / "builtin-l"), "--small", str(MODELS / "builtin-xs"), "--db", str(store),
             "--labels", str(labels), "--kept", str(kept)]  # fmt: skip
    main(asked)
    first = capsys.readouterr().out
    assert "2 problems." in first and "2 solutions, 1 with a wrong step" in first
    for judge in SCORES:
        assert sum(line.startswith(f"| {judge} |") for line in first.splitlines()) == 2
    read = kept.read_text()
    assert len(read.splitlines()) == 4
    main(asked)  # nothing is read anew
    assert capsys.readouterr().out == first and kept.read_text() == read


def test_f1_is_that_of_the_two_shares() -> None:
    labels = [0, 2, -1, -1]
    assert f1([0, 2, -1, -1], labels) == 1
    assert f1([0, 1, -1, -1], labels) == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert f1([-1] * 4, labels) == f1([0, 2, 0, 0], labels) == 0
