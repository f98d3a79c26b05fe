"""Sweeps that are declared, planned, run, stopped, killed and resumed: nothing is lost and nothing is done twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.waiting import until

from engine.domains import Domains
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.sweeps.declared import Declared
from engine.runs.sweeps.measured import measured
from engine.runs.sweeps.plan import Plan, cells_of, new_plan, resumed
from engine.runs.sweeps.running import RunningSweep
from engine.runs.sweeps.summary import summaries
from engine.store import Store

SMALL: dict[str, Any] = {
    "name": "small", "problems": "builtin-easy", "limit": 6, "models": ["builtin-xs", "builtin-s"],
    "strategies": ["greedy", "majority_vote", "best_of_n", "dvts"], "n": [1, 4, 8], "seeds": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Iterator[Catalogue]:
    catalogue = Catalogue()
    yield catalogue
    catalogue.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sweep.db"


def run(store: Store, plan: Plan, catalogue: Catalogue) -> RunningSweep:
    with Domains() as domains:
        running = RunningSweep(store, plan, catalogue, domains)
        assert running.wait(120)
    return running


def test_votes_and_smaller_best_of_n_are_not_run(catalogue: Catalogue) -> None:
    cells, notes = cells_of(Declared.of(SMALL), catalogue)
    asked = Counter((cell.models, cell.params.strategy, cell.params.n, cell.params.seed) for cell in cells)
    assert set(asked.values()) == {1}
    of_xs = {key[1:] for key in asked if key[0] == "builtin-xs"}
    assert of_xs == {
        ("greedy", 16, 0), *(("best_of_n", 8, seed) for seed in (0, 1)),
        *(("dvts", n, seed) for n in (4, 8) for seed in (0, 1)),
    }  # fmt: skip
    assert notes == [
        "dvts is not run at N = 1: M = 4 does not divide it", "majority_vote is read from the samples of best_of_n",
    ]  # fmt: skip
    alone, _ = cells_of(Declared.of(SMALL | {"strategies": ["majority_vote"]}), catalogue)
    assert {(cell.params.strategy, cell.params.n) for cell in alone} == {("majority_vote", 8)}
    apart = SMALL | {"parameters": {"majority_vote": {"temperature": 0.5}}}
    cells, notes = cells_of(Declared.of(apart), catalogue)
    assert "majority_vote" in {cell.params.strategy for cell in cells} and len(notes) == 1


def test_lists_of_parameters_judges_and_seeds_are_multiplied(catalogue: Catalogue) -> None:
    declared = Declared.of(
        {
            "problems": "builtin-easy", "models": "builtin-xs", "strategies": ["dvts", "mcts"], "n": 8, "seeds": [3, 5],
            "scorers": ["builtin-prm", "builtin-prm-weak"], "parameters": {"dvts": {"width": [2, 4]}, "top_p": 0.9},
        }
    )  # fmt: skip
    cells, _ = cells_of(declared, catalogue)
    assert len(cells) == 2 * 2 * 2 + 2 * 2 and {cell.params.top_p for cell in cells} == {0.9}
    assert {cell.params.width for cell in cells if cell.params.strategy == "dvts"} == {2, 4}
    assert {(cell.scorer, cell.params.seed) for cell in cells} == {
        (scorer, seed) for scorer in ("builtin-prm", "builtin-prm-weak") for seed in (3, 5)
    }


@pytest.mark.parametrize(
    ("given", "argument", "said"),
    [
        ({"strategis": ["dvts"]}, "strategis", "unknown key 'strategis'; did you mean strategies?"),
        ({"problems": ""}, "problems", "at least 1 character"),
        ({"n": [0]}, "n", "greater than or equal to 1"),
        ({"n": ["four"]}, "n", "valid integer"),
        ({"n": [4, 4]}, "n", "4 is named twice"),
        ({"seeds": -1}, "seeds", "-1"),
        ({"strategies": ["dvtz"]}, "strategies", "did you mean dvts?"),
        ({"limit": 0}, "limit", "greater than or equal to 1"),
        ({"parameters": {"temprature": 1}}, "parameters", "did you mean temperature?"),
        ({"parameters": {"n": 4}}, "parameters", "give it as n at the top"),
        ({"parameters": {"mcts": {"exploration": 1}}}, "parameters", "no strategy of this sweep"),
        ({"parameters": {"dvts": {"exploration": 1}}}, "parameters", "dvts takes none"),
        ({"parameters": {"temperature": 9}}, "parameters", "temperature"),
        ({"models": "none"}, "models", "unknown pair"),
        ({"scorers": "none"}, "scorers", "unknown PRM"),
        ({"strategies": "dvts", "n": 2}, "n", "its M divides none"),
        ({"problems": "none"}, "problems", "none is neither a file nor a set"),
    ],
)
def test_mistakes_are_refused_in_one_line(
    file: Path, catalogue: Catalogue, given: dict[str, Any], argument: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused, Store.open(str(file)) as store:
        new_plan(store, catalogue, Declared.of(SMALL | given))
    assert refused.value.argument == argument and said in refused.value.message and "\n" not in refused.value.message


def test_a_file_declares_what_python_does(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(
        'problems = "builtin-easy"\nn = 8\nseeds = 2\n[parameters.dvts]\nwidth = [2, 4]\n', encoding="utf-8"
    )
    declared = Declared.read(file)
    assert declared == Declared.of(
        {"problems": "builtin-easy", "n": [8], "seeds": [0, 1], "parameters": {"dvts": {"width": [2, 4]}}}
    )
    assert Declared.of(declared.model_dump(mode="json")) == declared
    file.write_text("n = [4\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"sweep\.toml is not TOML"):
        Declared.read(file)


def test_a_sweep_is_planned_run_and_planned_again_with_its_cost(file: Path, catalogue: Catalogue) -> None:
    with Store.open(str(file)) as store:
        plan = new_plan(store, catalogue, Declared.of(SMALL))
        assert plan.runs == 6 * 14 and plan.runs_done == 0 and plan.cost.generated_tokens is None
        running = run(store, plan, catalogue)
        assert running.status == "done" and running.progress.done == plan.runs and running.progress.failed == 0
        record = store.find_sweep("small")
        assert (record.status, record.done, record.planned, record.problems) == ("done", 84, 84, 6)
        assert record.elapsed_s > 0 and [each["level"] for each in record.questions] == ["1"] * 6
        rows = measured(store, ["small"])
        assert {row.sweep for row in rows} == {plan.id} and {row.level for row in rows} == {"1"}
        for each in summaries(rows):
            assert each.problems == 6 and each.seeds == (1 if each.configuration.strategy == "greedy" else 2)
        with pytest.raises(InvalidInput, match="called 'small' already"):
            new_plan(store, catalogue, Declared.of(SMALL))
        again = new_plan(store, catalogue, Declared.of(SMALL | {"name": "again"}))
        spent = sum(each.usage.generated_tokens for each in store.runs(limit=1000))
        assert again.cost.generated_tokens == pytest.approx(spent)
        assert again.cost.flops and again.cost.seconds == pytest.approx(record.elapsed_s, rel=1e-6)
        ready = resumed(store, catalogue, record)
        assert ready.runs_done == ready.runs and ready.cost.generated_tokens == 0


def test_a_stopped_sweep_goes_on_where_it_stopped(file: Path, catalogue: Catalogue) -> None:
    with Store.open(str(file)) as store, Domains() as domains:
        running = RunningSweep(store, new_plan(store, catalogue, Declared.of(SMALL)), catalogue, domains)
        until(lambda: running.progress.made > 5, 120)
        running.stop()
        assert running.wait(60) and running.status in ("stopped", "done")
        first = done_runs(store)
        assert len(first) == store.find_sweep("small").done == running.progress.done
        going = run(store, resumed(store, catalogue, store.find_sweep("small")), catalogue)
        assert going.status == "done" and going.progress.made == 84 - len(first)
        assert done_runs(store).items() >= first.items()
        assert_each_once(store)


def test_sweeps_that_begin_in_one_second_have_names_of_their_own(file: Path, catalogue: Catalogue) -> None:
    asked = Declared.of({key: value for key, value in SMALL.items() if key != "name"})
    with Store.open(str(file)) as store, Domains() as domains:
        names = []
        for _ in range(3):
            running = RunningSweep(store, new_plan(store, catalogue, asked), catalogue, domains)
            running.stop()
            assert running.wait(60)
            names.append(running.plan.name)
        assert len(set(names)) == 3


def done_runs(store: Store) -> dict[str, tuple[str | None, str]]:
    return {each.id: (each.sweep_id, each.problem) for each in store.runs(limit=10_000) if each.status == "done"}


def assert_each_once(store: Store) -> None:
    """Every cell has every problem once, and everything was read."""
    runs = done_runs(store)
    assert len(runs) == len(set(runs.values())) == 84
    assert store.without_outcomes() == [] and {row.run_id for row in store.outcomes()} == set(runs)


SWEEPING = """
import sys
from engine.domains import Domains
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.sweeps.declared import Declared
from engine.runs.sweeps.plan import new_plan, resumed
from engine.runs.sweeps.running import RunningSweep
from engine.store import Store
with Store.open(sys.argv[1]) as store, Domains() as domains:
    catalogue = Catalogue()
    if store.sweeps():
        plan = resumed(store, catalogue, store.find_sweep("small"))
    else:
        plan = new_plan(store, catalogue, Declared.of(eval(sys.argv[2])))
    running = RunningSweep(store, plan, catalogue, domains)
    while not running.wait(0.01):
        print(running.progress.done, flush=True)
"""


def test_killed_at_any_moment_it_loses_nothing_and_repeats_nothing(file: Path, catalogue: Catalogue) -> None:
    """SIGKILL, five times, after a random number of runs; what was on record before stays, and what is done is done."""
    draw = random.Random(0)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    known: dict[str, tuple[str | None, str]] = {}
    for _ in range(5):
        command = [sys.executable, "-c", SWEEPING, str(file), repr(SMALL)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            last, shown = len(known) + draw.randint(1, 14), 0
            for line in process.stdout:
                shown = int(line)
                if shown >= last:
                    break
            process.send_signal(signal.SIGKILL)
        with Store.open(str(file)) as store:
            found = done_runs(store)
            assert found.items() >= known.items() and len(found) == len(set(found.values()))
            assert len(found) >= shown, "more runs were shown as done than are on record"
            read = {row.run_id for row in store.outcomes()}
            assert read == set(found), "a run was recorded without what it came to"
            assert store.find_sweep("small").status in ("interrupted", "done")
            known = found
    assert 0 < len(known) < 84
    with Store.open(str(file)) as store:
        going = run(store, resumed(store, catalogue, store.find_sweep("small")), catalogue)
        assert going.status == "done" and going.progress.made == 84 - len(known)
        assert done_runs(store).items() >= known.items()
        assert_each_once(store)


def test_a_problem_too_long_for_a_model_is_told_and_the_rest_is_run(
    file: Path, tmp_path: Path, catalogue: Catalogue
) -> None:
    """The file may even be gone when the sweep goes on: its problems are kept with it."""
    problems = tmp_path / "mine.jsonl"
    rows = [{"problem": "2 + 3 = ?", "answer": "5", "level": 1}, {"problem": "1 + " * 600 + "1", "answer": "601"}]
    problems.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    asked = {"name": "mine", "problems": str(problems), "models": "builtin-xs", "strategies": "best_of_n", "n": 4}
    with Store.open(str(file)) as store:
        running = run(store, new_plan(store, catalogue, Declared.of(asked)), catalogue)
        assert (running.progress.done, running.progress.failed) == (1, 1)
        assert "do not fit the context window" in (running.progress.why or "")
        assert {row.problem for row in measured(store)} == {"2 + 3 = ?"}
        problems.unlink()
        again = run(store, resumed(store, catalogue, store.find_sweep("mine")), catalogue)
        assert again.progress.made == 0 and again.progress.failed == 1
        assert [each["level"] for each in store.find_sweep("mine").questions] == ["1", None]


def test_an_internal_error_ends_the_sweep_with_its_own_words(
    file: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = catalogue.load("builtin-xs").policy

    def broken(problem: str) -> None:
        raise ZeroDivisionError("division by nought")

    with Store.open(str(file)) as store, Domains() as domains:
        with monkeypatch.context() as patched:
            patched.setattr(policy, "session", broken)
            running = RunningSweep(store, new_plan(store, catalogue, Declared.of(SMALL)), catalogue, domains)
            with pytest.raises(ZeroDivisionError, match="nought"):
                running.wait(60)
        record = store.find_sweep("small")
        assert record.status == "failed" and record.error == "ZeroDivisionError: division by nought"
        assert run(store, resumed(store, catalogue, record), catalogue).progress.done == 84


def test_a_sweep_that_is_running_is_not_run_twice(file: Path, catalogue: Catalogue) -> None:
    with Store.open(str(file)) as store, Domains() as domains:
        running = RunningSweep(store, new_plan(store, catalogue, Declared.of(SMALL)), catalogue, domains)
        with pytest.raises(InvalidInput, match="is running"):
            resumed(store, catalogue, store.find_sweep("small"))
        running.stop()
        assert running.wait(60)
