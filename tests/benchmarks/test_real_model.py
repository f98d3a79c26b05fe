"""`make real` on a small model and two problems: it searches, writes its table, goes on, and names mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.real_model.__main__ import main
from benchmarks.real_model.plan import questions
from engine.domains.builtin.problems import examples
from engine.store import Store
from engine.training.checkpoints import MODELS


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    file = tmp_path / "problems.jsonl"
    rows = [{"question": each.text, "answer": f"So it is.\n#### {each.answer}"} for each in examples()[:2]]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_table_is_written_from_runs_and_goes_on_where_it_stopped(problems: Path, tmp_path: Path) -> None:
    store, out = tmp_path / "runs.db", tmp_path / "table.md"
    asked = ["--model", str(MODELS / "builtin-xs"), "--problems", str(problems), "--db", str(store), "--out", str(out)]
    main([*asked, "--first", "1"])
    with Store.open(str(store)) as runs:
        assert len(runs.runs()) == 4
    main([*asked, "--first", "2", "--about", "A model of 0.19M parameters."])
    with Store.open(str(store)) as runs:
        recorded = runs.runs()
    assert len(recorded) == 8
    assert {run.policy.name for run in recorded} == {"builtin-xs"}
    assert {run.scorer.name for run in recorded if run.scorer} == {"builtin-xs-likelihood"}

    written = out.read_text()
    assert "`builtin-xs` A model of 0.19M parameters." in written
    rows = {cells[0]: cells[1:] for line in written.splitlines() if len(cells := line.strip("| ").split(" | ")) == 6}
    assert list(rows) == ["method", "---", "Greedy", "Majority vote", "Best of N", "Beam search"]
    assert [rows[name][0] for name in ("Greedy", "Majority vote", "Best of N", "Beam search")] == ["1", "8", "8", "8"]
    right = sum(bool(run.correct) for run in recorded if run.strategy == "greedy")
    assert rows["Greedy"][1].startswith(f"{50 * right:.1f} [") and rows["Greedy"][3] == "0"
    assert all(float(cells[-1]) > 0 for name, cells in rows.items() if name not in ("method", "---"))
    main([*asked, "--first", "2"])
    with Store.open(str(store)) as runs:
        assert len(runs.runs()) == 8


def test_references_are_what_follows_the_marks(problems: Path) -> None:
    assert [question.reference for question in questions(problems, 2)] == [each.answer for each in examples()[:2]]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{}", "line 3: no problem with an answer"),
        ("[1]", "line 3"),
        ("no JSON", "line 3"),
        (None, "has 2 problems, not 3"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    line: str | None, said: str, problems: Path, tmp_path: Path
) -> None:
    problems.write_text(problems.read_text() + (line or ""))
    with pytest.raises(SystemExit, match=said) as refused:
        main(["--model", str(MODELS / "builtin-xs"), "--problems", str(problems), "--first", "3",
              "--db", str(tmp_path / "runs.db"), "--out", str(tmp_path / "table.md")])  # fmt: skip
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_model_is_refused(
    problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--model", str(tmp_path), "--problems", str(problems)])
    assert "--model" in capsys.readouterr().err
