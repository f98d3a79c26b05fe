"""A sweep on the machines of a Ray cluster: the same runs under the same names as `Sweep.run` makes on one.

A problem's cells of one policy are one task; one actor is a copy of the models (`engine.runs.sweeps.ray_worker`) and is
given the next problem when it has done one. Where actors live, and what happens when one dies, is Ray's business: it
starts the actor again, on any machine with room, and gives it its tasks again. The only writer is this process. The
runs of a task are written when it is over, so a death loses at most what was being searched, leaves nothing half
recorded and can record nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput, ModelError
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.ray_worker import Found, ModelsFile, Worker, versions
from engine.runs.sweeps.sweep import Sweep, at_once, first_of

#: How often Ray starts an actor that died again: always (a spot machine may go any number of times), and how often it
#: gives one problem to an actor again that died over it: a problem that takes its worker down every time is left out.
MAX_RESTARTS, MAX_TASK_RETRIES = -1, 3
#: Seconds that a cluster has to accept a connection.
_ANSWER_S = 10.0

#: A problem and the cells it is to be searched with.
_Work = tuple[Question, Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a sweep runs: `address` is `auto` (the cluster this machine belongs to), HOST:PORT, ray://HOST:PORT, or
    `local` (workers on this machine only, for the time of the sweep).

    Every policy has `actors` workers (None: as many as the cluster has room for), each with the judges of its cells and
    each asking Ray for so many `cpus` and `gpus` (None: one GPU for local models if the cluster has any).
    """

    address: str = "auto"
    actors: int | None = None
    cpus: float = 1.0
    gpus: float | None = None

    def __post_init__(self) -> None:
        if not self.address.strip():
            raise InvalidInput("ray", "the address is empty; give auto, local, or HOST:PORT")
        if self.actors is not None and self.actors < 1:
            raise InvalidInput("ray-actors", f"{self.actors} workers search nothing; give 1 or more")


async def search_on_ray(
    sweep: Sweep,
    cells: Iterable[Cell],
    questions: Sequence[Question],
    cluster: Cluster,
    models: Path = CATALOGUE,
    progress: Callable[[], object] = lambda: None,
) -> None:
    """As `Sweep.search`, on `cluster`; `models` is the models file that the cells' names are of. Cancelling it ends the
    workers.

    Raises `InvalidInput` if ray is not installed or no cluster answers, and `ModelError` if the models cannot be loaded
    there or problems were left out because they took their workers down.
    """
    due = await asyncio.to_thread(_due, sweep, list(cells), questions)
    if not due:
        return
    file = ModelsFile(str(models.resolve()), models.read_text(encoding="utf-8"))
    entries = Catalogue(models).pairs
    with connected(cluster.address) as ray:
        pools = [
            _Pool(ray, sweep, pair, work, _sized(ray, cluster, entries[pair].policy.kind, len(due)), file, progress)
            for pair, work in due.items()
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for pool in pools:
                    group.create_task(pool.run())
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None
    if lost := sum(pool.lost for pool in pools):
        raise ModelError(
            f"{lost} problems were left out: their workers died {MAX_TASK_RETRIES + 1} times over each (out of "
            "memory?); --resume tries them again"
        )


def _due(sweep: Sweep, cells: Sequence[Cell], questions: Sequence[Question]) -> Mapping[str, list[_Work]]:
    """Pair of models -> what is not done yet under its cells."""
    due: dict[str, list[_Work]] = {}
    known = sweep.store.done([cell.sweep_id(sweep.name) for cell in cells])
    for pair in dict.fromkeys(cell.models for cell in cells):
        of_pair = [cell for cell in cells if cell.models == pair]
        work: list[_Work] = [
            (each, [cell for cell in of_pair if each.problem not in known[cell.sweep_id(sweep.name)]])
            for each in questions
        ]
        if left := [each for each in work if each[1]]:
            due[pair] = left
    return due


@dataclass(frozen=True, slots=True)
class _Size:
    actors: int
    cpus: float
    gpus: float


def _sized(ray: Any, cluster: Cluster, kind: str, pools: int) -> _Size:
    """What a policy gets. Where not all pools fit at once the later ones wait for the earlier, in Ray's own line."""
    has: Mapping[str, float] = ray.cluster_resources()
    gpus = cluster.gpus if cluster.gpus is not None else float(kind != "openai" and has.get("GPU", 0) >= 1)
    fit = [has.get(name, 0.0) // need for name, need in (("CPU", cluster.cpus), ("GPU", gpus)) if need]
    room = int(min(fit, default=1)) // pools
    return _Size(cluster.actors or max(1, room), cluster.cpus, gpus)


class _Pool:
    """The workers of one policy and what they are to do."""

    def __init__(
        self, ray: Any, sweep: Sweep, pair: str, work: Sequence[_Work], size: _Size, models: ModelsFile,
        progress: Callable[[], object],
    ) -> None:  # fmt: skip
        self._ray, self._sweep, self._pair, self._size, self._models = ray, sweep, pair, size, models
        self._waiting = list(reversed(work))
        self._progress = progress
        self.lost = 0

    async def run(self) -> None:
        # No worker takes more than its half share at once, so that a fast one can still help a slow one in the end.
        share = -(-len(self._waiting) // (2 * self._size.actors))
        lanes = min(share, at_once(cell for _, cells in self._waiting for cell in cells))
        async with self._actors(lanes) as actors, asyncio.TaskGroup() as group:
            for _ in range(lanes):
                for actor in actors:
                    group.create_task(self._lane(actor))

    @asynccontextmanager
    async def _actors(self, lanes: int) -> AsyncIterator[Sequence[Any]]:
        """The actors, made now and gone in the end: what they hold is free for the next pool."""
        options = {
            "num_cpus": self._size.cpus, "num_gpus": self._size.gpus, "max_restarts": MAX_RESTARTS,
            "max_task_retries": MAX_TASK_RETRIES, "max_concurrency": lanes + 1, "scheduling_strategy": "SPREAD",
        }  # fmt: skip
        made = self._ray.remote(Worker).options(**options)
        levels = dict(self._sweep.levels)
        actors = [made.remote(self._sweep.name, levels, self._models) for _ in range(self._size.actors)]
        try:
            yield actors
        finally:
            for actor in actors:
                self._ray.kill(actor)

    async def _lane(self, actor: Any) -> None:
        """Give the actor a problem, again and again."""
        there = await actor.versions.remote()
        if there != versions():
            raise ModelError(f"a machine of the cluster runs {there}, this one {versions()}; install the same on all")
        while self._waiting:
            question, cells = self._waiting.pop()
            name = f"{self._sweep.name}/{self._pair}: {' '.join(question.problem.split())[:60]}"
            try:
                found: Found = await actor.search.options(name=name).remote(question, cells)
            except self._ray.exceptions.ActorUnavailableError:
                self.lost += 1
                continue
            await self._record(found)

    async def _record(self, found: Found) -> None:
        for each in found.rounds:
            self._sweep.store.record(each.events, each.usage, each.run_id, outcomes=each.outcomes)
        self._sweep.failed.extend(found.failed)
        self._sweep.refused.extend(found.refused)
        for run_id in dict.fromkeys(each.run_id for each in found.rounds):
            if why := await self._sweep.unrecorded(run_id):
                self._sweep.failed.append(why)
            self._progress()
        if found.error:
            raise ModelError(found.error)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """The ray module, connected to the cluster at `address`; a connection that is open already is used, and left open.

    Raises `InvalidInput` if ray is not installed or no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise InvalidInput("ray", "the package ray is not installed; pip install 'tts-ui[ray]'") from None
    ours = not ray.is_initialized()
    if ours:
        _check_answers(address)
        try:
            alone: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING, **alone)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InvalidInput(
                "ray", f"no cluster answers at {address} ({reason}); start one with `ray start --head`, or give local"
            ) from None
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def _check_answers(address: str) -> None:
    """Refuse a HOST:PORT at which nobody listens: Ray itself tries for minutes and then ends the process."""
    named = os.environ.get("RAY_ADDRESS", "") if address == "auto" else address
    host, colon, port = named.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), _ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise InvalidInput(
            "ray", f"nobody answers at {named} ({error}); start a cluster with `ray start --head`, or give its address"
        ) from None
