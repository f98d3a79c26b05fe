"""What a stranger tries on a public server with the runs of others: to find them, to read them, to stop and to change
them, to keep them going."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.recorded import PROBLEM
from support.site import UNWATCHED_S, Site
from support.visitor import Stream, Visitor, visiting
from support.waiting import until

from engine.runs.question import Question
from engine.search.events import RunFinished, Usage
from engine.search.params import RunParams
from engine.store.ids import new_run_id
from tts_ui.web.door.streams import Streams

#: Long enough to be stopped.
LONG: dict[str, Any] = {"strategy": "mcts", "n": 512, "temperature": 1.5, "problem": PROBLEM}


def finished(site: Site, **params: Any) -> str:
    """A run of somebody's; its id."""
    running = site.host.submit(Question(PROBLEM), RunParams(**{"n": 4, "width": 2} | params))
    running.future.result(timeout=60)
    assert running.ended.wait(20)
    site.host.store.flush(running.id)
    return running.id


def begun(site: Site) -> str:
    """The id of the run that has just begun there."""
    until(lambda: site.host.running)
    return next(iter(site.host.running))


def test_only_the_whole_id_opens_a_run(public: Site) -> None:
    run_id = finished(public)
    with visiting(public.url, "strangerone") as stranger:
        for beginning in (run_id[:1], run_id[:18], run_id[:-1], f"{run_id[:-1]}%", run_id.upper()):
            said = stranger.open(f"run={beginning}")
            assert "No run has the id" in said
            assert run_id not in said and PROBLEM not in said
        assert PROBLEM in stranger.open(f"run={run_id}")
        # Nor does a selected step, with an id that no page gave.
        select = stranger.function("tree", "select")
        step = {"index": 1, "value": 1, "selected": True, "linked": {}, "moments": {}}
        assert stranger.direct(select, run_id[:-1], event_data=step).status_code == 500
        assert stranger.direct(select, run_id, event_data=step).status_code == 200
    with visiting(public.url, "strangertwo", "compare") as stranger:
        other = finished(public, seed=1)
        assert "No run has the id" in stranger.open(f"runs={run_id},{other[:-1]}")
        assert PROBLEM in stranger.open(f"runs={run_id},{other}")


def test_only_the_browser_that_started_a_run_stops_it(public: Site) -> None:
    with visiting(public.url, "starter") as starter:
        stream = starter.start(**LONG)
        run_id = begun(public)
        stop = starter.function("stop")
        for session, cookies in (("stranger", True), ("nocookies", False), ("starter", False)):
            with visiting(public.url, session, cookies=cookies) as stranger:
                assert stranger.direct(stop, run_id).status_code == 500
                assert stranger.join(stop, run_id).status_code == 404
                for path in (f"run/{stop}", "run/_stop", "call/_stop", "call/v2/_stop", "api/_stop"):
                    body = {"data": [run_id], "session_hash": session}
                    assert stranger.client.post(f"gradio_api/{path}", json=body).status_code == 404
        with visiting(public.url, "comparing", "compare") as stranger:
            assert stranger.direct(stranger.function("stop"), f"{run_id},{run_id}x").status_code == 500
        running = public.host.running[run_id]
        assert not running.future.cancelled()
        # In another tab, too: the cookie is the browser's.
        with visiting(public.url, "another") as tab:
            tab.client.cookies = starter.client.cookies
            assert tab.direct(stop, run_id).status_code == 200
        until(running.ended.is_set)
        stream.ends()
    public.host.store.flush(run_id)
    assert public.host.store.whole_run(run_id).status == "stopped"


def test_a_page_without_cookies_is_its_own_session(public: Site) -> None:
    with visiting(public.url, "frame", cookies=False) as frame:
        frame.start(**LONG)
        run_id = begun(public)
        running = public.host.running[run_id]
        with visiting(public.url, "frame2", cookies=False) as stranger:
            assert stranger.direct(stranger.function("stop"), run_id).status_code == 500
        assert frame.direct(frame.function("stop"), run_id).status_code == 200
        until(running.ended.is_set)


def test_only_the_browser_that_started_a_run_grades_it(public: Site) -> None:
    with visiting(public.url, "grader") as starter:
        starter.start(problem="Compute 18 * 20 now.", n=4).ends()
        run_id = public.host.store.runs(limit=1)[0].id
        with visiting(public.url, "forger") as stranger:
            grade = stranger.function("grading", "submit")
            assert stranger.join(grade, run_id, "1").status_code == 200
            assert "Only the browser that started a run" in _told(stranger)
            assert public.host.store.whole_run(run_id).reference_answer is None
        assert starter.join(grade, run_id, "360").status_code == 200
        _told(starter)
        assert public.host.store.whole_run(run_id).reference_answer == "360"


def test_only_the_browser_that_started_a_run_labels_and_estimates_it(public: Site) -> None:
    with visiting(public.url, "labeller") as starter:
        starter.start(problem="Compute 19 * 21 now.", n=4).ends()
        run_id = public.host.store.runs(limit=1)[0].id
        rate, go = starter.function("tree", "rate"), starter.function("rollouts-go")
        said = {"run": run_id, "labeller": "Ann", "ratings": [[1, -1]], "node": 1}
        with visiting(public.url, "strangelabeller") as stranger:
            assert "nly the browser that started a run" in stranger.direct(rate, run_id, event_data=said).text
            assert stranger.join(go, run_id, "1", 2, "step").status_code == 200
            assert "Only the browser that started a run" in _told(stranger)
        assert public.host.store.scorings(run_id) == []
        odd_ones: list[dict[str, Any]] = [
            {"ratings": []}, {"ratings": [[1, 2]]}, {"labeller": "x" * 201}, {"more": 1}, {"node": "one"},
        ]  # fmt: skip
        for odd in odd_ones:
            assert starter.direct(rate, run_id, event_data=said | odd).status_code == 400
        assert starter.direct(rate, run_id, event_data=said).status_code == 200
        assert [each.scorer.name for each in public.host.store.scorings(run_id)] == ["labels: Ann"]


def _told(visitor: Visitor) -> str:
    stream = Stream(visitor)
    stream.ends()
    return stream.said


def test_on_ones_own_machine_every_page_may_stop_a_run(own: Site) -> None:
    running = own.host.submit(Question(PROBLEM), RunParams("mcts", n=512, temperature=1.5))
    with visiting(own.url, "another", cookies=False) as page:
        assert page.direct(page.function("stop"), running.id).status_code == 200
    until(running.ended.is_set)


def test_a_run_is_watched_by_those_who_take_its_stream_and_by_nobody_else(impatient: Site) -> None:
    with visiting(impatient.url, "starter") as starter, visiting(impatient.url, "stranger") as stranger:
        stream = starter.start(**LONG)
        run_id = begun(impatient)
        running = impatient.host.running[run_id]
        begin = time.monotonic()
        until(lambda: running.ended.is_set() or time.monotonic() - begin > 2 * UNWATCHED_S)
        assert not running.ended.is_set()
        load = next(each["id"] for each in stranger.config["dependencies"] if each["targets"][0][1] == "load")
        for _ in range(3):
            assert stranger.join(load, query=f"run={run_id}").status_code == 200
        stream.leave()
        until(running.ended.is_set, 10 * UNWATCHED_S)
        impatient.host.store.flush(run_id)
        assert impatient.host.store.whole_run(run_id).status == "stopped"


async def test_a_stream_is_taken_while_its_pieces_are_accepted() -> None:
    now = 0.0
    streams = Streams(clock=lambda: now)
    assert not streams.taken("page") and not streams.taken(None)
    with streams.open("page") as stream:
        assert streams.taken("page") and not streams.taken("other")
        assert await streams.opened("page")
        with stream.handing_over():
            now += 5
            assert streams.taken("page")
            now += 30  # the client is there and reads no more
            assert not streams.taken("page")
        assert streams.taken("page")
        with streams.open("page"):
            pass
        assert streams.taken("page")
    assert not streams.taken("page")


async def test_who_never_opens_a_stream_is_not_waited_for_for_ever() -> None:
    times = iter(range(0, 1000, 5))
    assert not await Streams(clock=lambda: float(next(times))).opened("page")


@pytest.mark.parametrize("discreet", [True, False])
def test_why_a_run_failed_is_told_on_ones_own_machine_only(request: pytest.FixtureRequest, discreet: bool) -> None:
    site: Site = request.getfixturevalue("public" if discreet else "own")
    run_id = finished(site)
    why = "http://10.1.2.3:8000/v1 does not answer; /srv/models/secret is gone"
    failed_id = new_run_id()
    record, events = site.host.store.read(run_id)
    started = events[0]
    site.host.store.record(
        [type(started)(**{**vars(started), "run_id": failed_id}), RunFinished("failed", error=why)], Usage(), failed_id
    )
    site.host.store.flush(failed_id)
    with visiting(site.url, "reader") as reader:
        said = reader.open(f"run={failed_id}")
    assert (why in said) is not discreet
    assert ("10.1.2.3" in said) is ("/srv/models" in said) is not discreet
    assert ("its owner can read why" in said) is discreet
