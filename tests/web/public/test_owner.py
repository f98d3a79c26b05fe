"""The owner of a public server, and those who are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.hub_sign_in import CLIENT, SECRET, SignInServer
from support.owned_site import TOKEN, listed, site, solved
from support.recorded import PROBLEM
from support.site import Site
from support.visitor import visiting
from support.waiting import until

from engine.errors import InvalidInput
from engine.runs.question import Question
from engine.search.params import RunParams
from tts_ui.web.door.identity import OWNER_COOKIE
from tts_ui.web.public import limits_words
from tts_ui.web.public.hub import Hub
from tts_ui.web.public.opening import Opening

JSON = {"content-type": "application/json"}


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
