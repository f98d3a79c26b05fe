"""Grading a run's answers: fair whatever the order of draws, and never a way to hang, crash or run somebody's file."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.endless import ENDLESS
from support.places import ROOT

from engine.domains.maths.domain import Maths
from engine.domains.maths.grading import MOST_HANGS, Grading, GradingError, Worker
from engine.domains.maths.worker import MOST_CPU_S, MOST_MEMORY, verdicts


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    opened = Worker()
    yield opened
    opened.close()


def test_equal_values_are_one_group_under_the_shortest_spelling(worker: Worker) -> None:
    grades = Grading(worker, ["0.5", "7", r"\frac{1}{2}", "1/2", "7"], r"\frac{2}{4}").run()
    assert {answer: grade.group for answer, grade in grades.items()} == {
        "0.5": "0.5", "7": "7", r"\frac{1}{2}": "0.5", "1/2": "0.5",
    }  # fmt: skip
    assert {answer: (grade.correct, grade.rule) for answer, grade in grades.items()} == {
        "0.5": (True, "number"), "7": (False, "number"), r"\frac{1}{2}": (True, "number"), "1/2": (True, "number"),
    }  # fmt: skip
    ungraded = Grading(worker, ["0.5", "1/2"], None).run()
    assert [(grade.group, grade.correct, grade.rule) for grade in ungraded.values()] == [("0.5", None, None)] * 2


@pytest.mark.parametrize("reference", ["0.5", "50", r"35\text{ cm}", None])
def test_groups_do_not_depend_on_the_order_of_draws(worker: Worker, reference: str | None) -> None:
    answers = [r"50\%", "50", "0.5", "x = 35", r"35\text{ cm}", r"35\text{ m}", "35"]
    orders = itertools.islice(itertools.permutations(answers), 0, 5040, 997)
    found = [Grading(worker, order, reference).run() for order in orders]
    assert all(grades == found[0] for grades in found[1:])


def test_every_spelling_is_judged_against_the_reference_itself(worker: Worker) -> None:
    grades = Grading(worker, ["50", r"50\%", "0.5"], r"\frac{1}{2}").run()
    assert {answer: grade.correct for answer, grade in grades.items()} == {"50": False, r"50\%": True, "0.5": True}


def test_what_takes_too_long_is_undecided_and_the_others_are_judged() -> None:
    impatient = Worker(answer_s=2.0)
    grades = Grading(impatient, ["x+1", ENDLESS, "1+x", "x"], "x + 1").run()
    assert {answer: grade.correct for answer, grade in grades.items()} == {
        "x+1": True, "1+x": True, "x": False, ENDLESS: None,
    }  # fmt: skip
    assert grades[ENDLESS].rule == "undecided"
    assert grades["x+1"].group == grades["1+x"].group
    impatient.close()


def test_a_run_has_one_deadline_for_all_its_answers() -> None:
    """No time at all: what can be told at once is told, and the rest is undecided."""
    worker = Worker()
    grades = Grading(worker, ["3", "x+1", "x-1", "x + 1"], "x+1", run_s=0.0).run()
    assert {answer: grade.correct for answer, grade in grades.items()} == {
        "3": None, "x+1": True, "x + 1": True, "x-1": None,
    }  # fmt: skip
    worker.close()


def test_stop_ends_the_comparison_in_progress() -> None:
    patient = Worker(answer_s=600)
    grading = Grading(patient, [ENDLESS], "x", run_s=600)
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(grading.run()[ENDLESS].correct))
    thread.start()
    grading.stop()
    thread.join(timeout=30)
    assert found == [None]
    patient.close()


async def test_six_runs_whose_reference_hangs_do_not_harm_a_seventh() -> None:
    """Each gives up after a few answers, and lets others go first after each of them."""
    maths = Maths()
    answers = [f"x+{number}" for number in range(8)]
    hanging = [asyncio.ensure_future(maths.grades(answers, ENDLESS)) for _ in range(6)]
    while not maths.workers.pids:
        await asyncio.sleep(0.01)
    normal = await maths.grades(["1+x", "x"], "x + 1")
    assert {answer: grade.correct for answer, grade in normal.items()} == {"1+x": True, "x": False}
    assert not all(each.done() for each in hanging)  # it has not waited until each had given up
    maths.close()
    for each in hanging:
        each.cancel()
    ended = await asyncio.wait_for(asyncio.gather(*hanging, return_exceptions=True), 10)
    gave_up = [each for each in ended if not isinstance(each, asyncio.CancelledError)]
    assert len(gave_up) < len(hanging)
    assert all(grade.correct is None for grades in gave_up for grade in grades.values())  # type: ignore[union-attr]


async def test_hundreds_of_answers_do_not_keep_a_few_waiting() -> None:
    maths = Maths()
    many = [asyncio.ensure_future(maths.grades([f"x+{i}" for i in range(k, k + 300)], "x + 1")) for k in (0, 7, 14)]
    while not maths.workers.pids:
        await asyncio.sleep(0.01)
    few = await maths.grades(["1+x", "x"], "x + 1")
    assert few["1+x"].correct and not any(each.done() for each in many)
    maths.close()
    for each in many:
        each.cancel()
    await asyncio.gather(*many, return_exceptions=True)


def test_a_reference_that_hangs_is_given_up() -> None:
    hasty = Worker(answer_s=0.5)
    asked: list[list[str]] = []

    class Counted:
        def verdicts(self, answers: list[str], *rest: Any) -> Iterator[dict[str, Any]]:
            asked.append(list(answers))
            return hasty.verdicts(answers, *rest)

    Grading(hasty, ["x+1"], "1+x").run()  # started
    grades = Grading(Counted(), [f"x+{number}" for number in range(50)], ENDLESS).run()
    assert {grade.correct for grade in grades.values()} == {None}
    assert len(asked) == MOST_HANGS
    hasty.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are read from /proc")
def test_the_worker_is_limited_and_gives_way(worker: Worker) -> None:
    Grading(worker, ["x+1"], "1+x").run()
    process = psutil.Process(worker.pid)
    assert process.rlimit(psutil.RLIMIT_AS)[0] == MOST_MEMORY
    assert 0 < process.rlimit(psutil.RLIMIT_CPU)[0] <= MOST_CPU_S + 60
    assert process.nice() > psutil.Process().nice() or process.nice() == 19


def test_huge_answers_are_graded_not_fatal(worker: Worker) -> None:
    grades = Grading(worker, ["9" * 5000, "8" * 5000, "7"], "7").run()
    assert grades["7"].correct is True
    assert grades["9" * 5000].correct is False


def test_plain_numbers_need_no_worker() -> None:
    idle = Worker()
    assert Grading(idle, ["1", "2.0", "4/2"], "2").run()["4/2"].correct is True
    assert not idle.started


def test_a_worker_that_was_closed_starts_again() -> None:
    worker = Worker()
    for _ in range(2):
        assert Grading(worker, ["a+b"], "b+a").run()["a+b"].correct is True
        worker.close()
    worker.close()


def test_no_file_of_the_current_folder_is_run(tmp_path: Path) -> None:
    """A stranger's engine.py, random.py or numbers.py beside the problem is not ours."""
    for name in ("engine", "random", "numbers", "sympy", "json"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    source = (
        f"import sys; sys.path[:] = [{str(ROOT)!r}, *[p for p in sys.path if p]]\n"
        "from engine.domains.maths.grading import Grading, Worker\n"
        "worker = Worker(); print(Grading(worker, ['x+1'], '1+x').run()['x+1'].correct); worker.close()\n"
    )
    environment = os.environ | {"PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-P", "-c", source], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
    assert not (tmp_path / "ran").exists()


def test_a_worker_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ROOT / "no-python-here"))
    with pytest.raises(GradingError, match="answers cannot be compared"):
        Grading(Worker(), ["x+1"], "1+x").run()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the parent's clock has to do")
def test_the_worker_ends_with_its_parent() -> None:
    source = (
        "from engine.domains.maths.grading import Grading, Worker\nimport os, signal\n"
        "worker = Worker(); Grading(worker, ['x+1'], '1+x').run(); print(worker.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True)
    stat = Path(f"/proc/{done.stdout.strip()}/stat")
    for _ in range(2000):
        if not stat.exists() or stat.read_text().split()[2] == "Z":
            return
        threading.Event().wait(0.005)
    raise AssertionError("the worker lives on without its parent")


def test_the_workers_own_verdicts() -> None:
    assert list(verdicts(["x+1", "1+x", "3"], "x + 1")) == [
        {"group": 0, "correct": True, "rule": "string"},
        {"group": 0, "correct": True, "rule": "value"},
        {"group": 2, "correct": False, "rule": "value"},
    ]
