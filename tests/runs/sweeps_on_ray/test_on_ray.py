"""Sweeps on a real cluster of two nodes, recorded in a real PostgreSQL: what comes out is what one machine finds, and a
worker or the driver that is killed on the way costs nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.command_line import COMMAND, run
from support.waiting import until

from engine.domains import Domains
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.problem_sets import problem_set
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.on_ray import Cluster, search_on_ray
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store import Store

CELLS = [
    Cell("builtin-xs", RunParams("best_of_n", n=16)),
    Cell("builtin-xs", RunParams("beam_search", n=16, width=4)),
]
PATIENCE_S = 300


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes with one CPU each, as `ray start` makes them; no dashboard, no reports."""
    pytest.importorskip("ray", reason="sweeps on Ray need ray")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_AUTH_MODE", "disabled")
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        from ray.cluster_utils import Cluster as Nodes

        options: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
        nodes = Nodes(initialize_head=True, head_node_args=options)
        try:
            nodes.add_node(**options)
            nodes.wait_for_nodes(timeout=60)
            yield nodes.address
        finally:
            nodes.shutdown()  # type: ignore[no-untyped-call]


def workers() -> list[psutil.Process]:
    """The actors' processes, by the title that Ray gives them. Only ours: other clusters are other people's."""
    raylets = [each for each in psutil.Process().children(recursive=True) if _title(each).startswith("ray::Worker")]
    return [each for each in raylets if each.is_running()]


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def done(store: Store, sweep: Sweep) -> Counter[tuple[str, str]]:
    """(problem, cell) -> how often it is done."""
    return Counter((run.problem, str(run.sweep_id)) for run in store.runs(limit=10_000) if run.status == "done")


async def on(address: str, sweep: Sweep, count: int, progress: Callable[[], object] = lambda: None) -> None:
    questions = [each.question for each in problem_set("builtin-1000", limit=count).problems]
    async with asyncio.timeout(PATIENCE_S):
        await search_on_ray(sweep, CELLS, questions, Cluster(address), progress=progress)


async def test_a_worker_killed_on_the_way_costs_nothing_and_doubles_nothing(
    cluster: str, postgresql_url: str, tmp_path: Path
) -> None:
    count = 24
    killed: list[int] = []
    seen: set[int] = set()

    def kill() -> None:
        """Once, at the first result. The driver stands still meanwhile: nobody else can finish before the new one is
        there, however slowly it starts."""
        if killed:
            return
        until(lambda: len(workers()) == 2, PATIENCE_S)
        seen.update(each.pid for each in workers())
        busiest = max(workers(), key=lambda each: each.cpu_times().user)
        killed.append(busiest.pid)
        os.kill(busiest.pid, signal.SIGKILL)
        until(lambda: {each.pid for each in workers()} - seen, PATIENCE_S)
        seen.update(each.pid for each in workers())

    with Domains() as domains, Store.open(postgresql_url) as store:
        sweep = Sweep("far", store, domains, {"": ""})
        await on(cluster, sweep, count, kill)
        assert killed and len(seen) == 3, "two workers, and the one that Ray started in place of the killed one"
        assert set(done(store, sweep).values()) == {1} and len(done(store, sweep)) == 2 * count
        assert store.count() == 2 * count, "a run that was cut short leaves nothing"
        calls: list[int] = []
        await on(cluster, sweep, count, lambda: calls.append(1))
        assert not calls and store.count() == 2 * count
        far = {cell: sweep.done(cell) for cell in CELLS}
        outcomes = {(each.run_id, each.rule, each.n) for each in store.outcomes()}
        assert {run.id for runs in far.values() for run in runs.values()} == {each[0] for each in outcomes}

    catalogue = Catalogue()
    with Domains() as domains, Store.open(str(tmp_path / "near.db")) as store:
        near = Sweep("near", store, domains)
        questions = [each.question for each in problem_set("builtin-1000", limit=8).problems]
        await near.search({cell: catalogue.load(cell.models) for cell in CELLS}, questions)
        store.flush()
        for cell in CELLS:
            for problem, run_here in near.done(cell).items():
                there = far[cell][problem]
                assert (there.answer, there.correct) == (run_here.answer, run_here.correct)
                assert there.usage.generated_tokens == run_here.usage.generated_tokens
    catalogue.close()


def test_a_killed_driver_is_resumed(cluster: str, postgresql_url: str) -> None:
    count = 64
    declared = ["--problems", "builtin-1000", "--limit", count, "--models", "builtin-xs", "--n", 16]
    chosen = ["--strategies", "best_of_n,beam_search", "--name", "night"]
    there = ["--ray", cluster, "--db", postgresql_url]
    command = [str(part) for part in (COMMAND, "sweep", *declared, *chosen, *there)]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Store.open(postgresql_url) as store:
            until(lambda: driver.poll() is not None or store.count() >= 10, PATIENCE_S)
            assert driver.poll() is None, "it was over before it could be killed"
    finally:
        driver.kill()
        driver.wait()
    until(lambda: not workers(), PATIENCE_S)
    with Store.open(postgresql_url) as store:
        before = {run.id for run in store.runs(limit=10_000) if run.status == "done"}
    assert 0 < len(before) < 2 * count

    again = run("sweep", "--resume", "night", *there)
    assert again.code == 0, again.err
    with Domains() as domains, Store.open(postgresql_url) as store:
        found = done(store, Sweep("night", store, domains))
        assert len(found) == 2 * count and set(found.values()) == {1}
        assert before <= {run.id for run in store.runs(limit=10_000)}
        assert [(each.name, each.status, each.done) for each in store.sweeps()] == [("night", "done", 2 * count)]


def test_where_no_cluster_is_the_line_says_what_to_do(tmp_path: Path) -> None:
    asked = ["sweep", "--problems", "builtin-easy", "--limit", 2, "--db", tmp_path / "runs.db"]
    refused = run(*asked, "--ray", "127.0.0.1:9")
    assert refused.code == 2 and "nobody answers at 127.0.0.1:9" in refused.err and "ray start --head" in refused.err
    with Store.open(str(tmp_path / "runs.db")) as store:
        assert not store.sweeps()


def test_without_the_package_the_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    refused = run("sweep", "--problems", "builtin-easy", "--db", tmp_path / "runs.db", "--ray", "auto")
    assert refused.code == 2 and "pip install 'tts-ui[ray]'" in refused.err


def test_a_cluster_is_asked_for_sensibly() -> None:
    with pytest.raises(InvalidInput, match="ray: the address is empty"):
        Cluster(" ")
    with pytest.raises(InvalidInput, match="ray-actors: 0 workers"):
        Cluster(actors=0)
