"""The engine's thread: runs are submitted, stopped and recorded from other threads, and closing loses nothing."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.endless import ENDLESS
from support.recorded import PROBLEM
from support.waiting import until

from engine.domains.maths.domain import Maths
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.host import Comparing, Host
from engine.runs.question import Question
from engine.runs.sweeps.declared import Declared
from engine.runs.sweeps.plan import new_plan
from engine.search.params import RunParams
from engine.store import Store
from engine.store.document import document


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def host(file: Path) -> Iterator[Host]:
    store = Store.open(str(file))
    host = Host(store, Catalogue())
    yield host
    host.close()
    store.close()


def test_a_run_is_recorded_as_it_was_searched(host: Host) -> None:
    running = host.submit(Question(PROBLEM, "262"), RunParams(n=4, width=2))
    finished = running.future.result(timeout=60)
    assert running.ended.wait(10)
    host.store.flush()
    record = host.store.run(running.id)
    assert (record.status, record.answer, record.correct) == (finished.status, finished.answer, finished.correct)
    assert len(host.store.tree(running.id)) > 1
    assert not host.running
    assert not host.stop(running.id)


def test_each_run_of_a_comparison_may_have_its_own_judge_and_size(host: Host) -> None:
    params = [RunParams("best_of_n", n=4), RunParams("best_of_n", n=8), RunParams("majority_vote", n=8)]
    judges = [None, "builtin-prm-weak", None]
    comparing = host.line_up_comparison(Question(PROBLEM, "262"), params, judges=judges).result()
    for running in comparing.runs:
        running.future.result(timeout=60)
    host.store.flush()
    records = [host.store.run(running.id) for running in comparing.runs]
    named = [record.scorer.name if record.scorer else None for record in records]
    assert named == ["builtin-prm", "builtin-prm-weak", None]
    spent = host.store.comparison(comparing.id).shared
    assert spent.scored_tokens == sum(record.usage.scored_tokens for record in records)
    assert spent.generated_tokens == records[1].usage.generated_tokens  # eight draws, of which four are the first run's
    with pytest.raises(InvalidInput, match="scorer"):
        host.line_up_comparison(Question(PROBLEM), params, judges=[None, "nobody", None])


def test_closing_does_not_wait_for_answers_that_hang(file: Path) -> None:
    """The run has its end, ungraded, and the process that compared is gone."""
    with Store.open(str(file)) as store:
        host = Host(store)
        maths = host.domains["maths"]
        assert isinstance(maths, Maths)
        running = host.submit(Question(PROBLEM, ENDLESS), RunParams("majority_vote", n=4))
        until(lambda: maths.workers.pids)
        pids = maths.workers.pids
        closing = threading.Thread(target=host.close)
        closing.start()
        closing.join(timeout=10)
        assert not closing.is_alive()
        assert not any(psutil.pid_exists(pid) for pid in pids)
        store.flush()
        assert (store.run(running.id).status, store.run(running.id).correct) == ("done", None)


def test_stopping_from_another_thread(host: Host) -> None:
    running = host.submit(Question(PROBLEM), RunParams(n=256, width=4, temperature=1.5))
    assert host.stop(running.id)
    running.stop()
    assert running.ended.wait(20)
    with pytest.raises(CancelledError):
        running.future.result(timeout=10)
    host.store.flush()
    assert host.store.run(running.id).status == "stopped"


def test_closing_stops_what_runs_and_records_it(file: Path) -> None:
    with Store.open(str(file)) as store:
        others = set(threading.enumerate())
        host = Host(store, Catalogue())
        runs = [host.submit(Question(PROBLEM), RunParams(n=256, temperature=1.5, seed=seed)) for seed in range(2)]
        host.close()
        assert all(run.ended.is_set() for run in runs)
        assert "engine" not in {thread.name for thread in set(threading.enumerate()) - others}
    with Store.open(str(file)) as store:
        assert {store.run(run.id).status for run in runs} == {"stopped"}


def test_runs_that_begin_do_not_end_the_watchdog_and_closing_does(
    file: Path, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(str(file)) as store:
        host = Host(store, Catalogue(), unwatched_limit_s=0.01)
        until(lambda: asyncio.all_tasks(host._loop))
        watchdogs = asyncio.all_tasks(host._loop)
        for number in range(50_000):  # as threads that submit runs do, while the watchdog looks
            host.watch(f"run {number}")
        until(lambda: not host._watched)
        assert not any(task.done() for task in watchdogs)
        host.close()
        assert all(task.cancelled() for task in watchdogs)
    gc.collect()
    assert not [record for record in caplog.records if "was destroyed" in record.message]


def test_a_mistake_is_raised_to_the_caller(host: Host) -> None:
    with pytest.raises(InvalidInput, match="models"):
        host.submit(Question(PROBLEM), RunParams(), "unknown")
    with pytest.raises(InvalidInput, match="context window"):
        host.submit(Question("7 + " * 1000), RunParams())
    assert not host.running
    assert host.store.runs() == []


def test_closing_stops_the_sweep_and_records_it(file: Path) -> None:
    asked = Declared.of({"problems": "builtin-1000", "limit": 300, "models": ["builtin-xs"], "n": [64]})
    with Store.open(str(file)) as store:
        host = Host(store, Catalogue())
        sweep = host.sweep(new_plan(store, host.catalogue, asked))
        assert host.sweeping is sweep
        with pytest.raises(InvalidInput, match="is running; wait for its end or stop it"):
            host.sweep(new_plan(store, host.catalogue, Declared.of({**asked.model_dump(), "name": "second"})))
        until(lambda: sweep.progress.made, 120)
        host.close()
        assert host.sweeping is None and sweep.status == "stopped"
        records = store.runs(limit=2000)
        assert {run.status for run in records} <= {"done", "stopped"}
        done = sum(run.status == "done" for run in records)
        record = store.find_sweep(sweep.plan.id)
        assert (record.status, record.done) == ("stopped", done) and done < record.planned
    assert not [thread for thread in threading.enumerate() if thread.name == "sweep"]


# --- comparisons ---------------------------------------------------------------------------------------------------


def finish(comparing: Comparing) -> None:
    for running in comparing.runs:
        running.future.result(timeout=120)
        assert running.ended.wait(10)


def document_of(host: Host, run_id: str) -> dict[str, Any]:
    """The run document without what differs from run to run: the id and the times; numbers to 4 digits."""
    record, events = host.store.read(run_id)
    whole = document(record, events)
    del whole["run"]["id"], whole["run"]["created_at"], whole["usage"]["wall_s"]
    return json.loads(json.dumps(whole), parse_float=lambda digits: round(float(digits), 3))  # type: ignore[no-any-return]


@pytest.mark.parametrize("budget", [None, 300])
def test_paired_runs_are_charged_as_if_alone_and_really_cost_less(host: Host, budget: int | None) -> None:
    names = ("beam_search", "best_of_n", "majority_vote", "dvts")
    params = [RunParams(name, n=8, width=4, seed=3, max_tokens_total=budget) for name in names]
    comparing = host.compare(Question(PROBLEM, "262"), params)
    assert comparing.paired
    finish(comparing)
    host.store.flush()
    record = host.store.comparison(comparing.id)
    assert record.run_ids == tuple(running.id for running in comparing.runs)
    assert (record.paired, record.budget) == (True, budget)
    runs = [host.store.run(run_id) for run_id in record.run_ids]
    assert [run.strategy for run in runs] == list(names)
    assert {run.comparison_id for run in runs} == {comparing.id}
    assert host.store.comparison_of(record.run_ids) == record
    for run, each in zip(runs, params, strict=True):
        alone = host.submit(Question(PROBLEM, "262"), each)
        alone.future.result(timeout=60)
        host.store.flush()
        assert document_of(host, run.id) == document_of(host, alone.id)
        assert host.store.run(alone.id).comparison_id is None
    for name in ("generated_tokens", "prompt_tokens", "scored_tokens", "policy_calls", "flops_paper", "flops_all"):
        assert 0 < getattr(record.shared, name) < sum(getattr(run.usage, name) for run in runs)
    assert runs[1].usage.generated_tokens == runs[2].usage.generated_tokens


def test_unpaired_runs_have_seeds_of_their_own_and_their_bills_add_up(host: Host) -> None:
    params = [RunParams(name, n=8, width=4, seed=5) for name in ("best_of_n", "majority_vote", "beam_search")]
    comparing = host.compare(Question(PROBLEM), params, paired=False)
    finish(comparing)
    host.store.flush()
    record = host.store.comparison(comparing.id)
    runs = [host.store.run(run_id) for run_id in record.run_ids]
    assert [run.params["seed"] for run in runs] == [5, 6, 7]
    assert not record.paired and not comparing.paired
    for name in ("generated_tokens", "prompt_tokens", "scored_tokens", "scorer_calls", "flops_all"):
        assert getattr(record.shared, name) == sum(getattr(run.usage, name) for run in runs)
    first = [[node.text for node in tree.children(tree.root)] for tree in map(host.store.tree, record.run_ids)]
    assert first[0] != first[1]


def test_stopping_a_comparison_stops_every_run_and_keeps_the_bill(host: Host) -> None:
    params = [RunParams(name, n=256, width=4, temperature=1.5) for name in ("best_of_n", "beam_search")]
    comparing = host.compare(Question(PROBLEM), params)
    comparing.stop()
    for running in comparing.runs:
        assert running.ended.wait(20)
    host.store.flush()
    record = host.store.comparison(comparing.id)
    assert {host.store.run(run_id).status for run_id in record.run_ids} == {"stopped"}
    assert not host.running


def test_a_comparison_that_cannot_be_is_refused_before_any_run_begins(host: Host) -> None:
    with pytest.raises(InvalidInput, match="two or more"):
        host.compare(Question(PROBLEM), [RunParams()])
    with pytest.raises(InvalidInput, match="context window"):
        host.compare(Question("7 + " * 1000), [RunParams(), RunParams("dvts")])
    assert host.store.runs() == []
