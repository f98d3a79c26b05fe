"""`engine.solve` in three lines, and `engine.asolve`: what comes back, what is recorded, what is refused and when."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.waiting import until

import engine
from engine.errors import InvalidInput, StoreError
from engine.runs.solving import Searching
from engine.search.events import RunFinished, RunStarted, StepSampled
from engine.search.tree import Tree

PROBLEM, REFERENCE = "What is the sum of the first 22 terms of 6, 14, 22, ...?", "1980"


def test_three_lines_give_an_answer_its_grade_its_tree_and_its_bill() -> None:
    found = engine.solve(PROBLEM, n=16, answer=REFERENCE)
    assert found.answer == REFERENCE and found.right is True
    assert found.answers[0].answer == REFERENCE and found.answers[0].votes >= 1
    assert len(found.tree) > 2 and found.tree.chosen is not None
    assert found.usage.generated_tokens > 0 and found.usage.scored_tokens > 0
    assert found.run_id is None, "nothing is recorded unless a store is named"
    assert found.document()["format"] == "tts-ui.run"


def test_the_same_seed_gives_the_same_tree_and_parameters_reach_the_run() -> None:
    one, other = (engine.solve(PROBLEM, strategy="best_of_n", n=4, temperature=1.0, seed=7) for _ in range(2))
    assert [node.text for node in one.tree.nodes] == [node.text for node in other.tree.nodes]
    assert one.record.params["n"] == 4 and one.record.params["seed"] == 7
    assert engine.solve(PROBLEM, n=16, budget=40).usage.generated_tokens <= 40


def test_a_named_store_keeps_the_run(tmp_path: Path) -> None:
    found = engine.solve(PROBLEM, n=4, store=tmp_path / "runs.db")
    assert found.run_id is not None
    with engine.Store.open(str(tmp_path / "runs.db")) as store:
        record, events = store.read(found.run_id)
        assert record.answer == found.answer and record.usage.generated_tokens == found.usage.generated_tokens
        assert len(Tree.from_events(events)) == len(found.tree)
        again = engine.solve(PROBLEM, n=4, store=store)
        assert store.known([again.run_id or ""]) == {again.run_id}


async def test_events_come_while_it_searches_and_make_the_same_tree() -> None:
    searching = engine.asolve(PROBLEM, n=8)
    events = [event async for event in searching]
    assert isinstance(events[0], RunStarted) and isinstance(events[-1], RunFinished)
    assert any(isinstance(event, StepSampled) for event in events)
    assert searching.solution is not None
    assert len(Tree.from_events(events)) == len(searching.solution.tree)
    with pytest.raises(RuntimeError, match="once"):
        await searching


async def test_several_at_once_and_from_a_notebook_with_a_loop_of_its_own() -> None:
    found = await asyncio.gather(*(engine.asolve(PROBLEM, n=4, seed=seed) for seed in range(3)))
    assert len({each.record.id for each in found}) == 3
    assert all(each.record.status == "done" and each.answer for each in found)
    assert engine.solve(PROBLEM, n=4).answer == found[0].answer, "seed 0 is the default"


async def test_cancelling_stops_the_search_and_the_store_keeps_what_it_found(tmp_path: Path) -> None:
    with engine.Store.open(str(tmp_path / "runs.db")) as store:
        searching = engine.asolve(PROBLEM, strategy="mcts", n=512, temperature=1.5, store=store)
        begun = asyncio.Event()

        async def follow() -> None:
            async for event in searching:
                if isinstance(event, StepSampled):
                    begun.set()

        task = asyncio.create_task(follow())
        await asyncio.wait_for(begun.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
        (record,) = store.runs()
        store.flush(record.id)
        assert store.whole_run(record.id).status == "stopped" and len(store.tree(record.id)) > 1


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ({"n": 0}, "n"), ({"n": 10**9}, "n"), ({"n": "16"}, "n"), ({"n": 2.5}, "n"), ({"n": True}, "n"),
        ({"width": 3}, "width"), ({"strategy": "guess"}, "strategy"), ({"strategy": 1}, "strategy"),
        ({"models": "nobody"}, "models"), ({"scorer": "nobody"}, "scorer"), ({"temprature": 1}, "temprature"),
        ({"temperature": float("nan")}, "temperature"), ({"problem": "  "}, "problem"), ({"problem": None}, "problem"),
        ({"problem": "x" * 100_001}, "problem"), ({"answer": ""}, "answer"), ({"seed": -1}, "seed"),
        ({"budget": 5, "max_tokens_total": 6}, "budget"), ({"models": "nowhere.toml"}, "models"),
        ({"temperature": 10**400}, "temperature"), ({"store": 5}, "store"), ({"store": True}, "store"),
        ({"store": ""}, "store"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_before_any_model_is_loaded(
    asked: dict[str, Any], argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Any] = []
    monkeypatch.setattr("engine.models.catalogue.catalogue.Catalogue.load", lambda *given: loaded.append(given))
    with pytest.raises(InvalidInput) as refused:
        engine.solve(**{"problem": PROBLEM, **asked})
    assert refused.value.argument == argument
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600
    assert not loaded


#: What a notebook does: its loop runs, and Ctrl-C raises in the cell.
_CELL = """
import asyncio, engine

async def cell():
    engine.solve({problem!r}, strategy="mcts", n=512, temperature=1.5, store={store!r})

asyncio.new_event_loop().run_until_complete(cell())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_in_a_notebook_stops_the_search_and_the_store_keeps_what_it_found(tmp_path: Path) -> None:
    file = str(tmp_path / "runs.db")
    cell = subprocess.Popen([sys.executable, "-c", _CELL.format(problem=PROBLEM, store=file)], stderr=subprocess.PIPE)
    with engine.Store.open(file) as store:
        until(lambda: any(len(store.tree(run.id)) > 1 for run in store.runs()), 120)
        cell.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in cell.communicate(timeout=60)[1]
        (record,) = store.runs()
        assert record.status == "stopped"


def test_a_misspelt_parameter_is_told_its_name() -> None:
    with pytest.raises(InvalidInput, match="did you mean temperature"):
        engine.asolve(PROBLEM, temprature=1)
    assert isinstance(engine.asolve(PROBLEM), Searching)


def test_a_store_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError) as refused:
        engine.solve(PROBLEM, n=4, store=tmp_path / "folder")
    assert "\n" not in str(refused.value)


def test_importing_the_engine_costs_nothing() -> None:
    code = "import sys, engine; assert 'torch' not in sys.modules and 'sqlalchemy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
