"""One event loop in one thread, where all searches of this process run.

The app and the command line submit runs from their own threads and stop them by cancelling; models, store and domains
are shared. A request is checked against the host's limits at once, and begins when its models are loaded and its turn
has come. Everything a run emits goes to the store's recorder, and everything shown is read back from the store.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from engine.domains import Domains
from engine.errors import Busy, InvalidInput
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.models.loop_thread import cancel_the_rest
from engine.runs.admission import Line, Turn, check_waiting
from engine.runs.comparison import Comparison
from engine.runs.fork import Fork
from engine.runs.limits import Limits
from engine.runs.loading import Loading
from engine.runs.question import Question
from engine.runs.run import Run
from engine.runs.running import Begun, Comparing, Recording, Running
from engine.runs.sweeps.learning import learned_for
from engine.runs.sweeps.plan import Plan
from engine.runs.sweeps.running import RunningSweep
from engine.runs.ticket import Ticket
from engine.search.learned import Learned
from engine.search.params import RunParams
from engine.search.policy import Policy
from engine.search.scorer import Scorer
from engine.store import Store
from engine.store.ids import new_run_id

__all__ = ["Comparing", "Host", "Running"]

#: Seconds that stopped runs may take to be recorded when the host closes.
_CLOSING_S = 10.0

A = TypeVar("A")
T = TypeVar("T")


class Host:
    """Runs searches and records them.

    Args:
        limits: what it takes on, from whom, and how much of it at once.
        unwatched_limit_s: stop a run, or a request that waits, that has not been watched for this long (see `watch`);
            None lets every run go on.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue | None = None,
        *,
        limits: Limits | None = None,
        unwatched_limit_s: float | None = None,
    ) -> None:
        self.store, self.catalogue = store, catalogue or Catalogue()
        #: Why no new request is taken, in a line for whoever makes one; empty while they are.
        self.closed = ""
        self.running: dict[str, Running] = {}
        self._waiting: dict[str, Ticket[Any]] = {}
        self._to_lend: dict[object, str] = {}  # visitors who wait for a model alone
        self._watched: dict[str, float] = {}
        self._sweep: RunningSweep | None = None
        self._sweep_starts = threading.Lock()
        self.domains = Domains()
        self.line, self._loading = Line(limits or Limits()), Loading(self.catalogue)
        # What begins a run reads its problem with a tokenizer and waits for a commit: not on the loop.
        self._beginning = ThreadPoolExecutor(4, thread_name_prefix="beginning")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()
        self.unwatched_limit_s = unwatched_limit_s
        if unwatched_limit_s is not None:
            asyncio.run_coroutine_threadsafe(self._stop_unwatched(unwatched_limit_s), self._loop)

    @property
    def limits(self) -> Limits:
        """What it takes on; it may be changed while it runs."""
        return self.line.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.line.change(limits)

    def submit(
        self, question: Question, params: RunParams, models: str | None = None, scorer: str | None = None
    ) -> Running:
        """Load the models if need be, wait for its turn, start a run; returns when its first row is in the store.

        `models` names a pair of the catalogue, `scorer` a PRM of it in place of the pair's own.

        Raises `InvalidInput` for a mistake in the request, `Busy` where too much waits, `ModelError` where the models
        cannot be loaded and `StoreError` where nothing can be recorded.
        """
        return self.line_up(question, params, models, scorer).result()

    def line_up(
        self,
        question: Question,
        params: RunParams,
        models: str | None = None,
        scorer: str | None = None,
        *,
        visitor: str = "",
        fork: Fork | None = None,
    ) -> Ticket[Running]:
        """As `submit`, for `visitor`, but returns at once; the ticket says how the request stands. With `fork` the run
        goes on from a step of another one."""
        (params,) = self._admitted(question, [params], models, scorer)

        def make(pair: Models) -> list[Begun]:
            recording = Recording(self.store, new_run_id())
            domain = self.domains[question.domain]
            run = Run(
                recording.run_id, question, params, pair.policy, pair.scorer, domain, recording.take, fork=fork,
                learned=self._learned(params, pair, pair.scorer),
            )  # fmt: skip
            return [Begun(run, recording)]

        return self._line_up(visitor, 1, models, scorer, make, lambda runs: runs[0])

    def compare(
        self,
        question: Question,
        params: Sequence[RunParams],
        models: str | None = None,
        scorer: str | None = None,
        *,
        paired: bool = True,
    ) -> Comparing:
        """Start a run for each of `params`, side by side; returns when all have their first row in the store.

        Paired runs share what draws and scores they have in common, and each is charged as if it ran alone. Unpaired
        ones share nothing: each has its own seed, the one given plus its place (from 0). Errors as with `submit`.
        """
        return self.line_up_comparison(question, params, models, scorer, paired=paired).result()

    def line_up_comparison(
        self,
        question: Question,
        params: Sequence[RunParams],
        models: str | None = None,
        scorer: str | None = None,
        *,
        paired: bool = True,
        judges: Sequence[str | None] = (),
        visitor: str = "",
    ) -> Ticket[Comparing]:
        """As `compare`, for `visitor`, but returns at once; the runs begin together. `judges` names a scorer for each
        run, None for `scorer`."""
        admitted = self._admitted(question, params, models, scorer)
        own = [judge or scorer for judge in judges]
        for judge in own:
            self.catalogue.scorer(models, judge)
        compared: list[Comparison] = []

        def make(pair: Models) -> list[Begun]:
            scorers = [self.catalogue.load(models, judge).scorer for judge in own]
            domain = self.domains[question.domain]
            comparison = Comparison(question, admitted, pair, domain, paired=paired, judges=scorers)
            compared.append(comparison)
            recordings = [Recording(self.store, run_id, comparison) for run_id in comparison.run_ids]
            taught = [
                self._learned(each, pair, judge)
                for each, judge in zip(admitted, scorers or [pair.scorer] * len(admitted), strict=True)
            ]
            return [
                Begun(comparison.run(place, each.take, taught[place]), each) for place, each in enumerate(recordings)
            ]

        def begun(runs: Sequence[Running]) -> Comparing:
            return Comparing(compared[0].id, tuple(runs), paired)

        return self._line_up(visitor, len(admitted), models, scorer, make, begun)

    def sweep(self, plan: Plan) -> RunningSweep:
        """Start a sweep, on a thread of its own. One at a time, as each uses all of the machine: raises `InvalidInput`
        while another runs."""
        self._check_open()
        with self._sweep_starts:
            if other := self.sweeping:
                raise InvalidInput("sweep", f"{other.plan.name} is running; wait for its end or stop it")
            self._sweep = RunningSweep(self.store, plan, self.catalogue, self.domains)
            return self._sweep

    @property
    def sweeping(self) -> RunningSweep | None:
        """The sweep that runs now."""
        return self._sweep if self._sweep and not self._sweep.ended.is_set() else None

    def judging(self, scorer: str, work: Callable[[Scorer], Coroutine[Any, Any, T]], *, visitor: str = "") -> Future[T]:
        """Load the PRM of that name, wait for a turn as a run does, and do `work` with it on the engine's loop.

        Cancelling the future takes the request back, or stops the work. Raises `InvalidInput` for an unknown PRM and
        `Busy` where too much waits, at once; what else can happen ends the future.
        """
        self.catalogue.scorer(None, scorer)
        return self._lend(lambda: self._loading.judge(scorer), work, visitor)

    def with_policy(
        self, models: str | None, work: Callable[[Policy], Coroutine[Any, Any, T]], *, visitor: str = ""
    ) -> Future[T]:
        """As `judging`, with the policy of a pair."""
        self.catalogue.entry(models)

        async def policy() -> Policy:
            return (await self._loading.load(models, None)).policy

        return self._lend(policy, work, visitor)

    def _lend(
        self, load: Callable[[], Coroutine[Any, Any, A]], work: Callable[[A], Coroutine[Any, Any, T]], visitor: str
    ) -> Future[T]:
        """Do `work` with a model when the visitor's turn has come."""
        self._check_waiting(visitor)
        waits = object()
        self._to_lend[waits] = visitor

        async def do() -> T:
            model = await load()
            turn = self.line.enter(visitor, 1)
            try:
                await asyncio.wrap_future(turn.granted)
                self._to_lend.pop(waits, None)
                return await work(model)
            finally:
                self.line.leave(turn)

        future = asyncio.run_coroutine_threadsafe(do(), self._loop)
        future.add_done_callback(lambda _: self._to_lend.pop(waits, None))
        return future

    def foreign(self, question: Question, models: str | None = None) -> str | None:
        """What to tell the user if the pair's policy was never trained for the question; else None."""
        return self.domains[question.domain].foreign(question.problem, self.catalogue.entry(models).policy.world)

    def watch(self, run_id: str) -> None:
        """Note that this run, or this request by its ticket, is being watched right now."""
        self._watched[run_id] = time.monotonic()

    def stop(self, run_id: str) -> bool:
        """Stop a run of this process, or take back a request by its ticket; False if there is none here."""
        stopping = self.running.get(run_id)
        if stopping:
            stopping.stop()
        waiting = self._waiting.get(run_id)
        if waiting:
            waiting.leave()
        return bool(stopping or waiting)

    def take_back(self, visitor: str) -> None:
        """Take back what a visitor waits for."""
        for ticket in list(self._waiting.values()):
            if ticket.visitor == visitor:
                ticket.leave()

    def close(self) -> None:
        """Stop all runs and the sweep, wait until they are recorded, and close the loop and the models."""
        sweep = self.sweeping
        if sweep:
            sweep.stop()
        for ticket in list(self._waiting.values()):
            ticket.leave()
        stopping = list(self.running.values())
        for running in stopping:
            running.stop()
        deadline = time.monotonic() + _CLOSING_S
        for running in stopping:  # a run that is choosing its answer is not cut short, so its end is recorded too
            running.ended.wait(timeout=max(0.0, deadline - time.monotonic()))
        if sweep:
            sweep.ended.wait(timeout=max(0.0, deadline - time.monotonic()))
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(cancel_the_rest(), self._loop).result(timeout=_CLOSING_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._beginning.shutdown(wait=False, cancel_futures=True)
        self._loop.close()
        self.domains.close()
        self.catalogue.close()

    def _learned(self, params: RunParams, pair: Models, judge: Scorer | None) -> Learned | None:
        return learned_for(self.store, params, pair.policy.info.name, judge.info.name if judge else None)

    # --- from a request to its runs ----------------------------------------------------------------------------------

    def _admitted(
        self, question: Question, params: Sequence[RunParams], models: str | None, scorer: str | None
    ) -> list[RunParams]:
        """The runs as they may be searched; every mistake that needs no model is raised here."""
        self.catalogue.scorer(models, scorer)
        self.catalogue.check_rules(models, [each.rule for each in params])
        return self.limits.admitted(question, params)

    def _line_up(
        self,
        visitor: str,
        runs: int,
        models: str | None,
        scorer: str | None,
        make: Callable[[Models], list[Begun]],
        begun: Callable[[Sequence[Running]], T],
    ) -> Ticket[T]:
        self._check_waiting(visitor)
        ticket: Ticket[T] = Ticket(new_run_id(), visitor, self.line)
        self._waiting[ticket.id] = ticket
        self.watch(ticket.id)

        async def begin() -> T:
            pair = await self._loading.load(models, scorer)
            due = await self._aside(make, pair)
            return begun(await self._begin(due, ticket, runs))

        def forget(_: Future[T]) -> None:
            self._waiting.pop(ticket.id, None)
            self._watched.pop(ticket.id, None)

        future = asyncio.run_coroutine_threadsafe(begin(), self._loop)
        ticket.follow(future)
        future.add_done_callback(forget)
        return ticket

    def _check_open(self) -> None:
        if self.closed:
            raise Busy(self.closed)

    def _check_waiting(self, visitor: str) -> None:
        self._check_open()
        waiting = [*(each.visitor for each in list(self._waiting.values())), *list(self._to_lend.values())]
        check_waiting(self.limits, Counter(waiting), visitor)

    async def _begin(self, due: Sequence[Begun], ticket: Ticket[Any], runs: int) -> list[Running]:
        """Wait for the turn, then start the runs; returns when all have their first row in the store."""
        ticket.turn = turn = self.line.enter(ticket.visitor, runs)
        started: list[Running] = []
        try:
            await asyncio.wrap_future(turn.granted)
            started += [self._start(each.run, turn) for each in due]
            for each, running in zip(due, started, strict=True):
                await self._aside(each.recording.wait, running)
        except BaseException:
            for running in started:
                running.stop()
            if not started:
                self.line.leave(turn)
            raise
        return started

    async def _aside(self, work: Callable[[A], T], argument: A) -> T:
        return await self._loop.run_in_executor(self._beginning, work, argument)

    def _start(self, run: Run, turn: Turn) -> Running:
        """Start a run, on the loop. However it ends, and if it is cancelled before it begins, its turn ends."""
        self.watch(run.id)
        task = self._loop.create_task(run.execute())
        running = Running(run, Future(), threading.Event(), partial(self._cancel, task))
        self.running[run.id] = running

        def end(_: object) -> None:
            self.running.pop(run.id, None)
            self._watched.pop(run.id, None)
            self.line.ended(turn)
            running.ended.set()
            if task.cancelled():
                running.future.cancel()
            elif error := task.exception():
                running.future.set_exception(error)
            else:
                running.future.set_result(task.result())

        task.add_done_callback(end)
        return running

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nothing runs any more
            self._loop.call_soon_threadsafe(task.cancel)

    async def _stop_unwatched(self, limit_s: float) -> None:
        while True:
            await asyncio.sleep(limit_s / 10)
            known = self._watched.copy()  # other threads add to it
            for run_id in [run_id for run_id, seen in known.items() if time.monotonic() - seen > limit_s]:
                if not self.stop(run_id):
                    self._watched.pop(run_id, None)
