"""Visitors of a public server: their runs after days, what a forged cookie is worth, what an address gives away."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from support.owned_site import TOKEN, listed, site, solved
from support.recorded import PROBLEM
from support.site import Site
from support.visitor import visiting

from engine.errors import InvalidInput
from engine.runs.fork import Fork
from engine.runs.question import Question
from engine.search.params import RunParams
from tts_ui.web.door.identity import OWNER, VISITOR, VISITOR_COOKIE


def test_a_visitor_finds_his_runs_when_the_server_was_started_again_and_another_does_not(tmp_path: Path) -> None:
    cookies = httpx.Cookies()
    with site(tmp_path / "runs.db") as first, visiting(first.url, "visitor") as page:
        page.start(problem=PROBLEM, n=2, width=1).ends()
        (run_id,) = listed(page.client)
        cookies.update(page.client.cookies)
        assert first.host.store.starter(run_id) not in (None, page.client.cookies[VISITOR_COOKIE])
    assert page.client.cookies[VISITOR_COOKIE].split(".")[0].encode() not in (tmp_path / "runs.db").read_bytes()
    with (
        site(tmp_path / "runs.db") as again,
        httpx.Client(base_url=again.url, cookies=cookies) as same,
        httpx.Client(base_url=again.url) as other,
    ):
        other.get("")
        assert listed(same) == {run_id: True} and listed(other) == {}
        change = {"do": "describe", "runs": [run_id], "tags": "mine"}
        refused = other.post("rte/runs/change", json=change)
        assert refused.status_code == 422 and "only the browser" in refused.json()["error"].lower()
        assert same.post("rte/runs/change", json=change).status_code == 200
        assert again.host.store.tags(run_id) == ("mine",)
        assert other.get(f"export/{run_id}/json").status_code == 200  # the whole address opens it
        assert "set-cookie" not in same.get("").headers
    with (
        site(tmp_path / "runs.db", secret=b"another secret of the test") as moved,
        httpx.Client(base_url=moved.url, cookies=cookies) as same,
    ):
        assert "set-cookie" in same.get("").headers and listed(same) == {}


def test_a_forged_cookie_makes_a_new_visitor(public: Site, anybody: httpx.Client) -> None:
    head, at, signature = anybody.cookies[VISITOR_COOKIE].split(".")
    forged = ["x", f"{head}.{at}.{'A' * 43}", f"{'b' * 32}.{at}.{signature}", f"{head}.{int(at) - 5}.{signature}", '"']
    for cookie in forged:
        answer = httpx.get(public.url, headers={"cookie": f"{VISITOR_COOKIE}={cookie}"})
        assert answer.status_code == 200 and head not in answer.headers["set-cookie"]
        mine = httpx.get(f"{public.url}rte/mine", headers={"cookie": f"{VISITOR_COOKIE}={cookie}"}).json()
        assert mine["known"] is False


def test_nobody_says_in_a_header_who_he_is(public: Site, owner: httpx.Client) -> None:
    """What the door tells the app in headers no request can bring along."""
    names = {VISITOR: "0" * 64, OWNER: "0" * 64}
    for headers in (names, {name.upper(): value for name, value in names.items()}):
        assert httpx.get(f"{public.url}rte/mine", headers=headers).json()["known"] is False
        assert httpx.get(f"{public.url}rte/owner", headers=headers).json()["signed_in"] is False
    answer = httpx.get(f"{public.url}rte/mine", headers={"x-rte-signed-in": "x", "x-rte-forget": "x"})
    assert "set-cookie" not in answer.headers


def test_a_visitor_deletes_his_runs_and_is_forgotten(public: Site) -> None:
    with visiting(public.url, "leaver") as page, visiting(public.url, "stayer") as other:
        page.start(problem=PROBLEM, n=2, width=1).ends()
        other.start(problem=PROBLEM, n=2, width=1).ends()
        (run_id,), (kept,) = listed(page.client), listed(other.client)
        assert page.client.get("rte/mine").json()["runs"] == 1
        assert page.client.post("rte/mine", json={"do": "delete"}).json() == {"deleted": 1}
        with pytest.raises(InvalidInput):
            public.host.store.whole_run(run_id)
        assert listed(other.client) == {kept: True}
        page.start(problem=PROBLEM, n=2, width=1).ends()
        (left,) = listed(page.client)
        cookie = page.client.cookies[VISITOR_COOKIE]
        answer = page.client.post("rte/mine", json={"do": "forget"})
        assert "Max-Age=0" in answer.headers["set-cookie"] and VISITOR_COOKIE not in page.client.cookies
        replayed = httpx.get(f"{public.url}rte/mine", headers={"cookie": f"{VISITOR_COOKIE}={cookie}"}).json()
        assert replayed["runs"] == 0
        assert public.host.store.whole_run(left).id == left and public.host.store.starter(left) == ""
    assert httpx.post(f"{public.url}rte/mine", json={"do": "forget"}).status_code == 422  # nobody in particular


def test_the_tag_that_keeps_a_run_is_the_owner_s_to_give(public: Site, owner: httpx.Client) -> None:
    with visiting(public.url, "keeper") as page:
        page.start(problem=PROBLEM, n=2, width=1).ends()
        (run_id,) = listed(page.client)
        change = {"do": "describe", "runs": [run_id], "tags": "a, Keep"}
        refused = page.client.post("rte/runs/change", json=change)
        assert refused.status_code == 422 and refused.json()["argument"] == "tags"
        assert owner.post("rte/runs/change", json=change).status_code == 200
        assert page.client.post("rte/runs/change", json=change | {"tags": "b"}).status_code == 200
        assert public.host.store.tags(run_id) == ("Keep", "b")  # nor the visitor's to take away


def test_who_has_a_fork_s_address_does_not_learn_that_of_the_run_it_goes_on_from(public: Site) -> None:
    store, first = public.host.store, solved(public)
    fork = Fork.at(store, first, 1)
    running = public.host.line_up(Question(PROBLEM), RunParams(n=2, width=1), fork=fork).result()
    running.future.result(timeout=60)
    store.flush(running.id)
    assert store.whole_run(running.id).parent_run == first
    with visiting(public.url, "reader") as page:
        said = page.open(f"run={running.id}")
        assert "goes on from another run" in said and first not in said
        for format in ("json", "html", "csv", "graphml", "svg"):
            answer = page.client.get(f"export/{running.id}/{format}")
            assert answer.status_code == 200 and first not in answer.text, format
        assert page.client.post("rte/owner/sign-in", json={"token": TOKEN}).status_code == 200
        assert first in page.open(f"run={running.id}")


def test_nothing_but_its_address_gives_a_run_away(public: Site) -> None:
    run_id = solved(public, seed=7)
    with visiting(public.url, "searcher") as page:
        for path in (
            "rte/runs", "rte/runs?outcome=deleted", "rte/runs?kind=comparisons", "rte/runs?origin=search&q=a",
            "rte/runs/choices", "rte/scaling", "rte/lab/solution", "rte/mine", "rte/owner", "limits", "owner", "lab",
            "export/selection/trl?q=a", f"export/{run_id[:-1]}/json", f"rte/lab/solution?run={run_id[:-1]}",
        ):  # fmt: skip
            answer = page.client.get(path)
            assert run_id not in answer.text and PROBLEM not in answer.text, path
            assert answer.headers["referrer-policy"] == "same-origin"
