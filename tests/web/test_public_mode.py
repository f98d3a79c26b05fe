"""Public mode over HTTP: a visitor's own runs after days, what a forged cookie is worth, the owner and those who are
not, the limits in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.hub_sign_in import CLIENT, SECRET, SignInServer
from support.recorded import PROBLEM
from support.site import Site
from support.visitor import visiting
from support.waiting import until

from engine.errors import InvalidInput
from engine.runs.fork import Fork
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store
from tts_ui.web.app import launch
from tts_ui.web.door.identity import OWNER, OWNER_COOKIE, VISITOR, VISITOR_COOKIE
from tts_ui.web.public import limits_words
from tts_ui.web.public.hub import Hub
from tts_ui.web.public.opening import Opening

TOKEN = "the token of the owner"
JSON = {"content-type": "application/json"}


@contextmanager
def site(db: Path, **opening: Any) -> Iterator[Site]:
    usual: dict[str, Any] = {"secret": b"a secret of the test", "owner_token": TOKEN, "keep_s": 7 * 24 * 3600}
    opened = Opening(**usual | opening)
    with Store.open(str(db)) as store:
        host = Host(store)
        served = launch(host, public=True, opening=opened)
        try:
            yield Site(host, served.url)
        finally:
            served.close()
            host.close()


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("public") / "runs.db") as served:
        yield served


@pytest.fixture
def anybody(public: Site) -> Iterator[httpx.Client]:
    """Somebody at the server with a browser's cookies."""
    with httpx.Client(base_url=public.url, timeout=30) as client:
        client.get("")
        yield client


@pytest.fixture
def owner(anybody: httpx.Client) -> httpx.Client:
    assert anybody.post("rte/owner/sign-in", json={"token": TOKEN}).status_code == 200
    return anybody


def solved(where: Site, **params: Any) -> str:
    """A run of nobody's; its id."""
    running = where.host.submit(Question(PROBLEM), RunParams(**{"n": 2, "width": 1} | params))
    running.future.result(timeout=60)
    where.host.store.flush(running.id)
    return running.id


def listed(client: httpx.Client) -> dict[str, bool]:
    """The runs that somebody finds, but for the examples, and whether they are his to change."""
    rows = client.get("rte/runs", params={"origin": "search"}).json()["rows"]
    return {row["id"]: row["mine"] for row in rows}


# --- how long runs are kept -----------------------------------------------------------------------------------------


def test_lists_say_until_when_a_run_is_kept(public: Site, owner: httpx.Client) -> None:
    together = public.host.compare(Question(PROBLEM), [RunParams("best_of_n", n=2), RunParams("greedy")])
    for running in together.runs:
        running.future.result(timeout=60)
        public.host.store.flush(running.id)
    first, second = (running.id for running in together.runs)
    week = r"kept until \d{4}-\d\d-\d\d \d\d:\d\d"

    def said(**asked: str) -> dict[str, str]:
        rows = owner.get("rte/runs", params={"kind": "comparisons", **asked}).json()["rows"]
        return {row["id"]: row["kept"] for row in rows}

    def told(other: str = second) -> str:
        with visiting(public.url, "reader", "compare") as page:
            return page.open(f"runs={first},{other}")

    runs = said(kind="", origin="search")
    assert re.fullmatch(week, runs[first]) and re.fullmatch(week, runs[second])
    assert set(said(kind="", origin="example").values()) == {""}
    (both,) = said().values()
    assert both == max(runs[first], runs[second])
    assert re.search(r"Kept until \d+ \w+ \d{4}, \d\d:\d\d UTC, and then removed", told())
    alone = solved(public)
    assert "ept until" in told(alone)
    public.host.store.describe(first, ("Keep",), None)
    assert said(kind="", origin="search")[first] == "" and list(said().values()) == [""]
    assert "ept until" not in told()
    assert re.search(r"A: kept; B: kept until [^.]+ UTC\. Then they are removed\.", told(alone))


# --- visitors -------------------------------------------------------------------------------------------------------


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


# --- the owner ------------------------------------------------------------------------------------------------------


def test_the_owner_sees_everything_and_others_nothing(public: Site, owner: httpx.Client) -> None:
    run_id = solved(public)
    with httpx.Client(base_url=public.url) as other:
        other.get("")
        assert other.get("rte/owner").json() == {"signed_in": False, "token": True, "hub": False}
        assert run_id not in listed(other)
        for order in ({"do": "pause", "paused": True}, {"do": "delete", "run": run_id}, {"do": "sign out"}):
            assert other.post("rte/owner", json=order).status_code == 403
    assert not public.host.closed and listed(owner)[run_id] is True
    told = owner.get("rte/owner").json()
    assert told["signed_in"] and {limit["name"] for limit in told["limits"]} >= {"max_n", "runs_at_once"}
    assert dict(told["load"])["Runs are kept"] == "7 days after their end"
    assert owner.post("rte/owner", json={"do": "delete", "run": run_id}).status_code == 200
    with pytest.raises(InvalidInput):
        public.host.store.whole_run(run_id)
    assert owner.post("rte/owner", json={"do": "delete", "run": run_id[:20]}).status_code == 422


def test_the_owner_closes_the_server_for_new_runs_and_opens_it(public: Site, owner: httpx.Client) -> None:
    assert owner.post("rte/owner", json={"do": "pause", "paused": True}).json()["closed"]
    with visiting(public.url, "late") as page:
        stream = page.start(problem=PROBLEM, n=2, width=1)
        stream.ends()
        assert "takes no new runs at the moment" in stream.said and not listed(page.client)
    said = limits_words.page(limits_words.sections(public.host, Opening(), signs_in=True))
    assert "takes no new runs at the moment" in said
    assert not owner.post("rte/owner", json={"do": "pause", "paused": False}).json()["closed"]
    assert solved(public)


def test_the_owner_changes_ceilings_and_stops_runs_while_it_runs(public: Site, owner: httpx.Client) -> None:
    before = public.host.limits
    set_n: dict[str, Any] = {"do": "limit", "limit": "max_n", "value": 3}
    assert owner.post("rte/owner", json=set_n).status_code == 200
    with pytest.raises(InvalidInput, match="at most 3"):
        public.host.submit(Question(PROBLEM), RunParams(n=4, width=1))
    for odd in ({"value": 0}, {"value": None}, {"limit": "nothing"}):
        assert owner.post("rte/owner", json=set_n | odd).status_code == 422
    assert owner.post("rte/owner", json=set_n | {"value": -1}).status_code == 400
    assert owner.post("rte/owner", json=set_n | {"value": before.max_n}).status_code == 200
    assert public.host.limits == before
    running = public.host.submit(Question(PROBLEM), RunParams("mcts", n=200, temperature=1.5))
    (shown,) = owner.get("rte/owner").json()["running"]
    assert shown["id"] == running.id
    assert owner.post("rte/owner", json={"do": "stop", "run": running.id}).status_code == 200
    until(running.ended.is_set)


def test_a_stolen_session_is_worth_nothing_after_signing_out(public: Site, owner: httpx.Client) -> None:
    stolen = owner.cookies[OWNER_COOKIE]
    headers = {"cookie": f"{OWNER_COOKIE}={stolen}"}
    assert httpx.get(f"{public.url}rte/owner", headers=headers).json()["signed_in"]
    answer = owner.post("rte/owner", json={"do": "sign out"})
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert not httpx.get(f"{public.url}rte/owner", headers=headers).json()["signed_in"]


def test_signing_in_ends_no_session_that_was_planted_and_takes_none_over(public: Site) -> None:
    with httpx.Client(base_url=public.url) as attacker, httpx.Client(base_url=public.url) as victim:
        attacker.get("")
        planted = f"{'a' * 32}.1.{'A' * 43}"
        victim.cookies.set(OWNER_COOKIE, planted)
        answer = victim.post("rte/owner/sign-in", json={"token": TOKEN})
        assert planted not in answer.headers["set-cookie"] and "SameSite=Strict" in answer.headers["set-cookie"]
        attacker.cookies.set(OWNER_COOKIE, planted)
        assert not attacker.get("rte/owner").json()["signed_in"]


def test_no_other_site_does_anything_in_the_owner_s_name(public: Site, owner: httpx.Client) -> None:
    order = '{"do": "pause", "paused": true}'
    for headers in (
        JSON | {"origin": "https://evil.example"}, JSON | {"origin": "null"},
        {"content-type": "text/plain", "origin": public.url.rstrip("/")},  # what a form can send
        {"content-type": "application/x-www-form-urlencoded"}, {},
    ):  # fmt: skip
        answer = owner.post("rte/owner", content=order, headers=headers)
        assert answer.status_code in (403, 415), headers
    assert owner.request("OPTIONS", "rte/owner", headers={"origin": "https://evil.example"}).status_code == 403
    assert owner.request("OPTIONS", "rte/owner").status_code == 405
    assert owner.get("rte/owner", params={"do": "pause", "paused": "true"}).json()["closed"] == ""
    assert not public.host.closed


def test_a_token_is_guessed_five_times(tmp_path: Path) -> None:
    with site(tmp_path / "runs.db") as served, httpx.Client(base_url=served.url) as client:
        for token in ("", TOKEN[:-1], TOKEN.upper(), "x" * 999, f"{TOKEN}\x00"):
            answer = client.post("rte/owner/sign-in", json={"token": token})
            assert answer.status_code == 403 and "set-cookie" not in answer.headers
        answer = client.post("rte/owner/sign-in", json={"token": TOKEN})
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0


def test_without_a_way_in_the_owner_s_page_says_so(tmp_path: Path) -> None:
    with site(tmp_path / "runs.db", owner_token=None) as served, httpx.Client(base_url=served.url) as client:
        assert client.get("rte/owner").json() == {"signed_in": False, "token": False, "hub": False}
        assert client.post("rte/owner/sign-in", json={"token": ""}).status_code == 403
        assert client.get("rte/owner/hub").status_code == 404
        assert client.get("rte/owner/back?state=x&code=y").status_code == 404


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SignInServer]:
    """The environment of a Space that Ann owns."""
    server = SignInServer()
    for name, value in {
        "OAUTH_CLIENT_ID": CLIENT, "OAUTH_CLIENT_SECRET": SECRET, "OPENID_PROVIDER_URL": server.url,
        "SPACE_AUTHOR_NAME": "ann",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    yield server
    server.close()


ADMIN = {"preferred_username": "Bob", "orgs": [{"preferred_username": "Ann", "roleInOrg": "admin"}]}
STRANGERS: list[dict[str, Any]] = [
    {"preferred_username": "Bob"}, {}, {"preferred_username": None}, {"name": "ann"}, {"preferred_username": ["ann"]},
    {"preferred_username": "Bob", "orgs": [{"preferred_username": "Ann", "roleInOrg": "write"}]},
    {"preferred_username": "Bob", "orgs": [{"name": "Ann", "roleInOrg": "admin"}]},
    {"preferred_username": "Bob", "orgs": "ann"},
]  # fmt: skip


def test_the_owner_of_a_space_signs_in_there(
    tmp_path: Path, hub: SignInServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_space() -> Hub:
        return Hub(hub.url, CLIENT, SECRET, "ann", "http://localhost/rte/owner/back")

    monkeypatch.setattr(Hub, "of_space", of_space)
    with site(tmp_path / "runs.db", owner_token=None) as served:

        def signed_in(user: dict[str, Any], *, take: bool = False, twice: bool = False) -> bool:
            hub.user = user
            with httpx.Client(base_url=served.url) as client, httpx.Client(base_url=served.url) as other:
                other.get("")
                away = client.get("rte/owner/hub")
                assert away.status_code == 303 and away.headers["location"].startswith(hub.url)
                there = httpx.get(away.headers["location"]).headers["location"]
                back = there.removeprefix("http://localhost/")
                if twice:
                    client.get(back)
                    client.cookies.delete(OWNER_COOKIE)
                came = (other if take else client).get(back)
                assert came.status_code == 303 and came.headers["location"].startswith("../../owner")
                return any(each.get("rte/owner").json()["signed_in"] for each in (client, other))

        assert signed_in({"preferred_username": "Ann"}) and signed_in(ADMIN)
        assert not any(signed_in(stranger) for stranger in STRANGERS)
        assert not signed_in({"preferred_username": "Ann"}, take=True)  # in another browser than it was begun in
        assert not signed_in({"preferred_username": "Ann"}, twice=True)
        with httpx.Client(base_url=served.url) as client:
            client.get("")
            for query in (
                "",
                "?state=x&code=code-0",
                "?error=access_denied",
                "?state=%0d%0aset-cookie:%20x=1&code=%0d%0a",
            ):
                answer = client.get(f"rte/owner/back{query}")
                assert answer.headers["location"] == "../../owner?refused=hub" and "x=1" not in str(answer.headers)
            assert not client.get("rte/owner").json()["signed_in"]
    assert hub.asked.count("/.well-known/openid-configuration") == 1, "nobody makes this server ask another for ever"


def test_a_space_offers_it_where_it_has_all_that_is_needed(hub: SignInServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Hub.of_space() is None  # no SPACE_HOST
    monkeypatch.setenv("SPACE_HOST", "ann-trees.hf.space")
    assert Hub.of_space() is not None
    monkeypatch.setenv("OPENID_PROVIDER_URL", "http://example.org")
    assert Hub.of_space() is None
    monkeypatch.setenv("OPENID_PROVIDER_URL", hub.url)
    monkeypatch.delenv("OAUTH_CLIENT_SECRET")
    assert Hub.of_space() is None
    secret = Opening(secret=b"the secret", owner_token="the token")
    assert "the secret" not in repr(secret) and "the token" not in repr(secret)


# --- the page of limits ---------------------------------------------------------------------------------------------


def test_the_limits_are_those_of_the_server(public: Site, anybody: httpx.Client) -> None:
    said = limits_words.page(limits_words.sections(public.host, Opening(keep_s=3600), signs_in=True))
    limits = public.host.limits
    for part in (f"{limits.max_n:,} completions", f"{limits.runs_at_once} runs", "1 hour after", "builtin-xs", "owner"):
        assert part in said
    assert "until you or the owner" in limits_words.page(limits_words.sections(public.host, Opening(), signs_in=False))
    page = anybody.get("limits").text
    assert "Limits and privacy" in page and "7 days after they ended" in page
    for path in ("", "compare", "scaling", "runs", "lab", "limits", "owner"):
        assert "./limits" in anybody.get(path).text
