"""Fifty trees with a planted slip on the chosen path: three keys lead from the opened page to the first wrong step."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support.explore_page import TREE, App, wait_for, wait_for_text

from engine.domains.builtin.problems import stream
from engine.domains.builtin.slips import with_slip
from engine.runs.importing import import_file

TREES = 50
KEYS = ("Tab", "Enter", "x")  # to the link that skips to the tree, into the tree, to the first wrong step


def imported(app: App, file: Path) -> tuple[str, ...]:
    """In a thread of its own: the browser's driver runs an event loop in this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(import_file, app.host.store, file).result().run_ids


@pytest.fixture(scope="module")
def planted(app: App, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Runs and the depth of the slip on their chosen path. Each has a right solution, too, and one that goes wrong
    elsewhere."""
    slips, records = [], []
    for at, problem in enumerate(islice(stream("planted slips", "judge"), TREES)):
        first, second = (with_slip(problem, Random(f"{at}/{which}")) for which in range(2))
        rest = problem.steps[len(first) :]
        solutions = [problem.steps, second, (*first, *rest)]
        scores = [[0.5] * (len(steps) - 1) + [last] for steps, last in zip(solutions, (0.1, 0.2, 0.9), strict=True)]
        steps = [list(solution) for solution in solutions]
        records.append({"problem": problem.text, "steps": steps, "scores": scores, "answer": problem.answer})
        slips.append(len(first))
    file = tmp_path_factory.mktemp("slips") / "slips.jsonl"
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    run_ids = imported(app, file)
    assert len(run_ids) == TREES
    return dict(zip(run_ids, slips, strict=True))


def opened(page: Any, app: App, run_id: str) -> None:
    page.goto(f"{app.url}/?run={run_id}")
    wait_for(page, run=run_id, status="done")
    page.wait_for_function(f"() => document.querySelector('{TREE}').dataset.selected !== ''")


def test_three_keys_lead_to_the_first_wrong_step(app: App, planted: dict[str, int], chromium_page: Any) -> None:
    page = chromium_page()
    reached = 0
    for run_id, depth in planted.items():
        opened(page, app, run_id)
        tree = app.host.store.tree(run_id)
        assert tree.chosen is not None
        wrong = tree.path(tree[tree.chosen])[depth - 1]
        for key in KEYS:
            page.keyboard.press(key)
        wait_for(page, selected=wrong.id)
        wait_for_text(page, "#tree .st-says", f"First wrong step of the chosen path by exact check: step {depth}")
        reached += 1
    assert reached == TREES


def test_without_an_exact_check_labels_rollouts_or_the_fall_say_it(
    app: App, chromium_page: Any, tmp_path: Path
) -> None:
    record = {
        "problem": "Ein Rätsel?", "steps": ["Erstens.", "Zweitens.", "Drittens \\boxed{3}"], "scores": [0.9, 0.8, 0.2],
    }  # fmt: skip
    file = tmp_path / "foreign.jsonl"
    file.write_text(json.dumps(record))
    (run_id,) = imported(app, file)
    page = chromium_page()
    opened(page, app, run_id)
    for key in KEYS:
        page.keyboard.press(key)
    wait_for_text(page, "#tree .st-says", "Nobody says which steps are right; the largest fall of the score")
    wait_for(page, selected=3)
    app.host.store.label(run_id, "Ann", {1: 1, 2: -1})
    opened(page, app, run_id)
    for key in KEYS:
        page.keyboard.press(key)
    wait_for_text(page, "#tree .st-says", "First wrong step of the chosen path by labels: Ann")
    wait_for(page, selected=2)
