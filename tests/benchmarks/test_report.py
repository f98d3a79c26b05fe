"""The report's command on a few problems: it searches, writes tables and figures, and goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.builtin_report.__main__ import main
from benchmarks.builtin_report.judges import auc_interval
from benchmarks.builtin_report.plan import (
    BUDGETS,
    JUDGE,
    JUDGED_PROBLEMS,
    POLICIES,
    SEARCHES,
    TEST,
    VALIDATION,
    other_judges,
    tasks,
)
from benchmarks.builtin_report.runs import sweep_name
from engine.store import Store
from engine.training.checkpoints import MODELS
from engine.training.evaluate import auc


def test_the_report_is_written_from_runs_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    arguments = ["--db", str(tmp_path / "runs.db"), "--out", str(tmp_path / "out"), "--jobs", "2"]
    arguments += ["--problems", "2", "--only", POLICIES[0]]
    main(arguments)
    written = (tmp_path / "out" / "README.md").read_text()
    assert "The\nfirst 2 of 1000 problems of `builtin-1000` were" in written
    assert f"{POLICIES[0]}: best-of-16 by vote - majority of 16" in written
    section = written.split(f"### {POLICIES[0]}")[1].split("###")[0]
    methods = [line for line in section.splitlines() if line.startswith("| ")][2:]
    # greedy, one draw, and at every budget: majority, two rules of best-of-N, the searches
    assert len(methods) == 2 + len(BUDGETS) * (3 + len(SEARCHES))
    missing = written.split("## Not run yet")[1]
    assert f"- {POLICIES[0]}: 2 of 1000" in missing and f"- {POLICIES[1]}: 0 of 1000" in missing
    for name in ("equivalence-all-flops", "equivalence-policy-flops", f"by-budget-{POLICIES[0]}"):
        assert (tmp_path / "out" / f"{name}.svg").read_text().startswith("<svg")

    with Store.open(str(tmp_path / "runs.db")) as store:
        searched = len(store.runs(limit=1000))
    cells = {(cell, task.questions) for task in tasks(2) if task.policy == POLICIES[0] for cell in task.cells}
    assert searched == 2 * len(cells)
    main(arguments)
    with Store.open(str(tmp_path / "runs.db")) as store:
        assert len(store.runs(limit=1000)) == searched


def test_runs_of_models_that_were_trained_anew_do_not_count(tmp_path: Path) -> None:
    for name in (POLICIES[0], JUDGE):
        shutil.copytree(MODELS / name, tmp_path / name)
    named = sweep_name(tmp_path)
    (tmp_path / JUDGE / "README.md").write_text("another card")
    assert sweep_name(tmp_path) == named
    weights = tmp_path / JUDGE / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-2] + b"\x00\x01")
    assert sweep_name(tmp_path) != named


def test_every_problem_is_planned_once_under_every_budget_and_the_choices_come_first() -> None:
    plan = list(tasks())
    sets = [task.questions for task in plan]
    assert sets == sorted(sets, reverse=True) and set(sets) == {TEST, VALIDATION}
    for policy in POLICIES:
        blocks = [task for task in plan if task.policy == policy and task.questions == TEST]
        assert [number for task in blocks for number in range(task.first, task.end)] == list(range(1000))
        for task in blocks:
            assert len(task.cells) == len(set(task.cells))
            for n in BUDGETS:
                kinds = [c.params.strategy for c in task.cells if c.params.n == n and c.scorer == JUDGE]
                assert sorted(kinds) == sorted(["best_of_n", *SEARCHES])
        judged = [task for task in blocks if {cell.scorer for cell in task.cells} >= {*other_judges(policy)}]
        assert [number for task in judged for number in range(task.first, task.end)] == list(range(JUDGED_PROBLEMS))


def test_a_report_cut_short_speaks_of_the_problems_that_every_cell_has(tmp_path: Path) -> None:
    arguments = ["--db", str(tmp_path / "runs.db"), "--out", str(tmp_path / "out"), "--only", POLICIES[0]]
    main([*arguments, "--problems", "1"])
    main([*arguments, "--problems", "3", "--no-runs"])
    written = (tmp_path / "out" / "README.md").read_text()
    assert "The\nfirst 1 of 1000 problems of `builtin-1000` were" in written
    assert f"- {POLICIES[0]}: 1 of 1000 problems" in written


def test_the_interval_of_an_auc_comes_from_how_problems_differ() -> None:
    scores, right = [0.9, 0.4, 0.4, 0.1], [True, False, True, False]
    measured = auc(scores, right)
    alike = auc_interval(measured, [0] * 4 + [1] * 4, scores * 2, right * 2)
    assert alike.low == alike.mean == alike.high == measured == 0.875
    contrary = auc_interval(0.5, [0] * 4 + [1] * 4, scores * 2, right + [not each for each in right])
    assert contrary.low == pytest.approx(0.125) and contrary.high == pytest.approx(0.875)


def test_an_empty_store_gives_a_report_that_says_so(tmp_path: Path) -> None:
    main(["--db", str(tmp_path / "runs.db"), "--out", str(tmp_path / "out"), "--no-runs"])
    assert "Not run yet." in (tmp_path / "out" / "README.md").read_text()


def test_an_unknown_policy_no_problems_and_no_processes_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "builtin-xl", "--db", str(tmp_path / "runs.db")])
    assert "builtin-xl" in capsys.readouterr().err
    for option in ("--problems", "--jobs"):
        with pytest.raises(SystemExit):
            main([option, "0", "--db", str(tmp_path / "runs.db")])
        assert f"{option}: 0 is too few" in capsys.readouterr().err
