"""Who is searched for: ceilings before anything is loaded, a fair line, and nothing that stays behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.recorded import PROBLEM
from support.waiting import until

from engine.errors import Busy, InvalidInput
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.runs.admission import Line, Standing
from engine.runs.host import Host
from engine.runs.limits import PUBLIC, Limits
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store

QUICK = RunParams("best_of_n", n=4)
LONG = RunParams("mcts", n=2048, temperature=1.5)  # a round a completion: over half a minute, in little memory
ASKED = Question(PROBLEM)

Open = Callable[..., Host]


@contextmanager
def opened(tmp_path: Path, catalogue: Catalogue | None = None, **limits: Any) -> Iterator[Host]:
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store, catalogue, limits=Limits(**limits))
        try:
            yield host
        finally:
            host.close()


# --- ceilings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("question", "params", "said"), [
    (Question("7 + " * 2501), QUICK, "problem: 10,004 characters are too many; give at most 10,000"),
    (Question("7 + 1", "9" * 1001), QUICK, "answer: 1,001 characters are too many; give at most 1,000"),
    (ASKED, RunParams("best_of_n", n=257), "n: 257 completions are too many; give at most 256"),
    (ASKED, RunParams(max_tokens_total=200_001), "max_tokens_total: 200,001 tokens are too many; give at most 200,000"),
])  # fmt: skip
def test_what_is_above_a_ceiling_is_refused_before_anything_reads_it(
    tmp_path: Path, question: Question, params: RunParams, said: str
) -> None:
    catalogue = Catalogue()
    with opened(tmp_path, catalogue, **PUBLIC) as host:
        with pytest.raises(InvalidInput) as refused:
            host.submit(question, params)
        assert str(refused.value) == said
        assert not catalogue.loaded()  # no tokenizer has seen it
        assert host.store.runs() == []


def test_the_runs_of_a_comparison_count_together(tmp_path: Path) -> None:
    with opened(tmp_path, max_n=256, max_run_tokens=1000) as host:
        many = [RunParams("best_of_n", n=128), RunParams("majority_vote", n=128), RunParams("greedy")]
        with pytest.raises(InvalidInput, match="n: 257 completions for all runs together are too many"):
            host.compare(ASKED, many)
        dear = [RunParams("best_of_n", max_tokens_total=600), RunParams("dvts", max_tokens_total=600)]
        with pytest.raises(InvalidInput, match="max_tokens_total: 1,200 tokens for all runs together"):
            host.compare(ASKED, dear)
        compared = host.compare(ASKED, [QUICK, RunParams("majority_vote", n=4)])
        assert {running.run.params.max_tokens_total for running in compared.runs} == {500}
        assert host.submit(ASKED, QUICK).run.params.max_tokens_total == 1000


def test_limits_are_checked_themselves() -> None:
    with pytest.raises(InvalidInput, match="runs_at_once: 0 runs are too few"):
        Limits(runs_at_once=0)


def test_a_lookahead_without_end_ends(tmp_path: Path) -> None:
    with opened(tmp_path) as host:
        running = host.submit(ASKED, RunParams("lookahead", n=4, width=2, max_steps=10**9, lookahead=10**9))
        assert running.future.result(timeout=60).status == "done"


# --- the line --------------------------------------------------------------------------------------------------------


def test_visitors_take_turns() -> None:
    line = Line(Limits(runs_at_once=2, runs_per_visitor=1))
    hog = [line.enter("hog", 1) for _ in range(50)]
    first, second = (line.enter(visitor, 1) for visitor in ("first", "second"))
    assert [turn.granted.done() for turn in (*hog[:2], first, second)] == [True, False, True, False]
    assert line.standing(second) == Standing(before=1, running=2, own=0)
    assert line.standing(hog[3]) == Standing(before=3, running=2, own=1)
    line.ended(first)
    assert second.granted.done() and not hog[1].granted.done()
    line.ended(hog[0])
    assert hog[1].granted.done() and not hog[2].granted.done()
    line.leave(hog[2])
    line.ended(hog[1])
    assert hog[3].granted.done() and not hog[2].granted.done()


def test_a_large_request_is_not_overtaken_for_ever_and_one_larger_than_all_room_has_its_turn() -> None:
    line = Line(Limits(runs_at_once=2, runs_per_visitor=2))
    small, large = line.enter("a", 1), line.enter("b", 9)
    late = line.enter("c", 1)
    assert small.granted.done() and not large.granted.done() and not late.granted.done()
    line.ended(small)
    assert large.granted.done() and not late.granted.done()
    line.ended(large, 8)
    assert late.granted.done()


def test_a_normal_visitor_does_not_wait_for_all_of_a_hogs(tmp_path: Path) -> None:
    """Counts, not seconds: of thirty large requests a few have ended when the small one has."""
    with opened(tmp_path, runs_at_once=4, runs_per_visitor=2) as host:
        hog = [host.line_up(ASKED, RunParams("best_of_n", n=128, seed=seed), visitor="hog") for seed in range(30)]
        running = host.line_up(ASKED, QUICK, visitor="normal").result()
        running.future.result(timeout=60)
        assert sum(ticket.done for ticket in hog) <= 8
        assert len(host.running) <= 4


def test_nobody_fills_the_line(tmp_path: Path) -> None:
    with opened(tmp_path, runs_at_once=1, runs_per_visitor=1, waiting=6, waiting_per_visitor=4) as host:
        host.submit(ASKED, LONG)
        hog = [host.line_up(ASKED, LONG, visitor="hog") for _ in range(4)]
        with pytest.raises(Busy, match="4 of your requests are waiting"):
            host.line_up(ASKED, QUICK, visitor="hog")
        for visitor in ("one", "two"):
            host.line_up(ASKED, QUICK, visitor=visitor)
        with pytest.raises(Busy, match="6 requests are waiting"):
            host.line_up(ASKED, QUICK, visitor="three")
        for ticket in hog:
            ticket.leave()
        until(lambda: host.line_up(ASKED, QUICK, visitor="hog"))


def test_who_wants_a_model_alone_fills_the_line_no_more_than_others(tmp_path: Path) -> None:
    async def use(model: object) -> None: ...

    with opened(tmp_path, runs_at_once=1, waiting_per_visitor=2) as host:
        host.submit(ASKED, LONG)
        lent = [host.with_policy(None, use, visitor="hog"), host.judging("builtin-prm", use, visitor="hog")]
        with pytest.raises(Busy, match="2 of your requests are waiting"):
            host.with_policy(None, use, visitor="hog")
        with pytest.raises(Busy, match="2 of your requests are waiting"):
            host.judging("builtin-prm", use, visitor="hog")
        lent[0].cancel()
        until(lambda: host.with_policy(None, use, visitor="hog"))


def test_a_place_can_be_given_up(tmp_path: Path) -> None:
    with opened(tmp_path, runs_at_once=1) as host:
        running = host.submit(ASKED, LONG)
        waiting = host.line_up(ASKED, QUICK, visitor="a")
        until(lambda: waiting.standing() == Standing(before=0, running=1, own=0))  # in the line
        other = host.line_up(ASKED, QUICK, visitor="b")
        until(lambda: other.standing() == Standing(before=1, running=1, own=0))
        assert host.stop(waiting.id)
        with pytest.raises(Busy, match="taken back"):
            waiting.result()
        until(lambda: other.standing() == Standing(before=0, running=1, own=0))
        running.stop()
        assert other.result().future.result(timeout=60).status == "done"
        host.store.flush()
        assert len(host.store.runs()) == 2  # nothing of the one that was taken back


def test_runs_that_are_stopped_at_once_leave_their_places(tmp_path: Path) -> None:
    with opened(tmp_path, runs_at_once=2, runs_per_visitor=2) as host:
        for _ in range(20):
            host.line_up(ASKED, LONG).leave()
        for _ in range(5):
            running = host.submit(ASKED, LONG)
            running.stop()
            with pytest.raises(CancelledError):
                running.future.result(timeout=30)
        assert host.submit(ASKED, QUICK).future.result(timeout=60).status == "done"
        until(lambda: not host.running)


def test_closing_takes_back_what_waits_and_leaves_no_task(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store, limits=Limits(runs_at_once=1), unwatched_limit_s=60)
        host.submit(ASKED, LONG)
        waiting = host.line_up(ASKED, LONG)
        host.close()
        assert waiting.done
        assert not asyncio.all_tasks(host._loop)


def test_a_request_that_nobody_watches_leaves_the_line(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store, limits=Limits(runs_at_once=1), unwatched_limit_s=3.0)
        host.catalogue.load()
        running = host.submit(ASKED, LONG)
        left, watched = host.line_up(ASKED, QUICK), host.line_up(ASKED, QUICK)

        def seen() -> bool:
            host.watch(running.id)
            host.watch(watched.id)
            return left.done

        until(seen)
        assert not watched.done
        with pytest.raises(Busy, match="taken back"):
            left.result()
        host.close()


def test_nothing_stays_behind_however_many_runs_there_were(tmp_path: Path) -> None:
    process = psutil.Process()
    left: list[tuple[int, int]] = []
    with opened(tmp_path) as host:
        for round_ in range(4):
            tickets = [host.line_up(ASKED, RunParams("greedy", seed=seed), visitor=str(seed)) for seed in range(25)]
            for ticket in tickets:
                ticket.result().future.result(timeout=60)
            host.store.flush()
            if round_:
                left.append((process.num_fds(), process.num_threads()))
        assert left[-1][0] <= left[0][0] and left[-1][1] <= left[0][1]
        assert not host.running and not host._waiting and not host._watched


# --- loading ---------------------------------------------------------------------------------------------------------


class SlowCatalogue(Catalogue):
    """Its second pair takes as long as a download: until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = list(self.pairs)[1]
        self.gate = threading.Event()
        self.loads = 0

    def load(self, name: str | None = None, *rest: Any, **more: Any) -> Models:
        if name == self.slow and not self.loaded(name):
            self.loads += 1
            with self._lock:
                self.gate.wait(60)
        return super().load(name, *rest, **more)


def test_those_who_wait_for_a_download_hold_up_nobody(tmp_path: Path) -> None:
    catalogue = SlowCatalogue()
    with opened(tmp_path, catalogue) as host:
        host.catalogue.load()
        threads = threading.active_count()
        waiting = [host.line_up(ASKED, QUICK, catalogue.slow, visitor=str(number)) for number in range(40)]
        until(lambda: catalogue.loads)
        assert host.submit(ASKED, QUICK).future.result(timeout=60).status == "done"
        assert catalogue.load() and asyncio.run(asyncio.to_thread(catalogue.load))  # not behind the download's lock
        assert catalogue.loads == 1  # all forty wait for one
        assert threading.active_count() <= threads + 8
        assert not any(ticket.done for ticket in waiting)
        catalogue.gate.set()
        assert all(ticket.result().future.result(timeout=60).status == "done" for ticket in waiting[:3])
