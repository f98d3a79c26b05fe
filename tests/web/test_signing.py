"""Cookies: made here or worth nothing, whoever sends them, and whatever the clock does."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidInput
from engine.store.retention import Clock
from tts_ui.web.door.identity import VISITOR, VISITOR_COOKIE, YEAR_S, Identity
from tts_ui.web.door.keys import check_secret, secret_for
from tts_ui.web.door.owner import SESSION_S, Owners, TooMany
from tts_ui.web.door.signing import CookieRules, Given, Signer, hashed

SECRET = b"a secret of the test"


def signer(now: Callable[[], float] = lambda: 1e9, purpose: str = "visitor", secret: bytes = SECRET) -> Signer:
    return Signer(secret, purpose, YEAR_S, Clock(now, now))


def test_a_cookie_that_was_made_here_is_read_and_any_other_is_not() -> None:
    made = signer().make()
    value = signer().value(made)
    assert signer().read(value) == made
    head, at, signature = value.split(".")
    forged = [
        "", head, f"{head}.{at}", f"{head}.{at}.", f"{head}.{int(at) + 1}.{signature}", f"{'a' * 32}.{at}.{signature}",
        f"{head}.{at}.{signature[:-1]}", f"{head}.{at}.{signature}x", f"{head}.{at}.{signature[::-1]}", f" {value}",
        f"{value}\n", f"{head}.-1.{signature}", f"{head}.{at}.{signature}; Path=/", value.upper(), "x" * 100_000,
        f"{head}.{''.join(chr(ord(digit) - 48 + 0x660) for digit in at)}.{signature}",
    ]  # fmt: skip
    assert [each for each in forged if signer().read(each)] == []
    assert signer(secret=b"another secret here").read(value) is None
    assert signer(purpose="owner").read(value) is None  # a visitor's cookie makes no owner


def asked(cookie: str, **more: str) -> dict[str, Any]:
    """The head of a request."""
    headers = {"cookie": f"{VISITOR_COOKIE}={cookie}"} | more
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "scheme": "http", "headers": raw}


def test_a_cookie_that_gets_old_is_renewed_with_the_next_page_and_names_the_same_visitor() -> None:
    now = 1e9
    made = signer(lambda: now)
    identity = Identity(made, Owners.of(SECRET), framed=False)
    first = made.make()
    known = identity.known(asked(made.value(first)), page=True)
    assert known.cookie is None and known.headers == {VISITOR: hashed(first.id)}
    later = Identity(signer(lambda: now + 40 * 24 * 3600), Owners.of(SECRET), framed=False)
    renewed = later.known(asked(made.value(first)), page=True)
    assert renewed.cookie and first.id in renewed.cookie and renewed.headers == known.headers
    assert later.known(asked(made.value(first)), page=False).cookie is None  # with pages only
    nobody = identity.known(asked("forged"), page=False)
    assert nobody.headers == {} and nobody.cookie is None


def test_over_tls_only_the_cookie_that_no_other_host_can_set_counts() -> None:
    identity = Identity(signer(), Owners.of(SECRET), framed=False)
    planted = asked(signer().value(signer().make()), **{"x-forwarded-proto": "https"})
    known = identity.known(planted, page=True)
    assert known.cookie and known.cookie.startswith("__Host-") and "Secure" in known.cookie
    assert identity.known(planted, page=False).headers == {}


def test_no_two_visitors_have_an_id_and_its_hash_is_not_the_id() -> None:
    ids = {signer().make().id for _ in range(1000)}
    assert len(ids) == 1000
    assert len({hashed(each) for each in ids}) == 1000 and not ids & {hashed(each) for each in ids}


def test_a_cookie_lasts_a_year_by_a_clock_that_cannot_be_set_forward() -> None:
    value = signer(lambda: 1e9).value(Given("a" * 32, 10**9))
    assert signer(lambda: 1e9 + YEAR_S).read(value)
    assert signer(lambda: 1e9 + YEAR_S + 1).read(value) is None
    assert signer(lambda: 1e9 - 10 * YEAR_S).read(value)  # set back: it was given in what is the future now
    wall = 1e9
    running = Signer(SECRET, "visitor", YEAR_S, Clock(lambda: wall, lambda: 0.0))
    wall = 1e9 + 100 * YEAR_S
    assert running.read(value)


def test_a_cookie_is_kept_from_scripts_from_plain_http_and_from_other_hosts() -> None:
    plain, tls, framed = (CookieRules(*how) for how in ((False, False), (False, True), (True, False)))
    assert plain.header("v", "1", 60) == "v=1; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"
    assert tls.header("v", "1", 60, "Strict") == ("__Host-v=1; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure")
    assert framed.header("v", "1", 60, "Strict") == (
        "__Host-v=1; Max-Age=60; Path=/; HttpOnly; SameSite=None; Secure; Partitioned"
    )
    assert "v=; Max-Age=0;" in plain.header("v", "", 60)
    assert tls.found("v=planted; __Host-v=own", "v") == "own" and tls.found("v=planted", "v") == ""
    assert plain.found("v=own", "v") == "own" and plain.found('\x00="', "v") == plain.found("", "v") == ""


@pytest.mark.parametrize(
    "other", ['a={"b": [1, 2]}', "a=x y", "a b=c", "a", 'a="unclosed', "a@b=c", "a=\xe9", "path=/", "", "a=1,2"]
)
def test_cookies_of_other_programs_on_the_host_take_nothing_from_a_visitor(other: str) -> None:
    value = signer().value(signer().make())
    rules = CookieRules(framed=False, secure=False)
    for cookies in (f"{other}; {VISITOR_COOKIE}={value}", f"{VISITOR_COOKIE}={value}; {other}"):
        assert rules.found(cookies, VISITOR_COOKIE) == value


def test_the_secret_is_made_once_beside_the_database_for_its_owner_alone(tmp_path: Path) -> None:
    db = tmp_path / "folder" / "runs.db"
    made = secret_for(str(db), None)
    file = tmp_path / "folder" / "runs.db.secret"
    assert len(made) >= 32 and stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert secret_for(str(db), None) == made and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["runs.db.secret"]
    assert secret_for(str(db), " a given secret of mine ") == b"a given secret of mine"
    assert secret_for(str(tmp_path / "other.db"), None) != made


def test_it_is_kept_on_a_disk_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    made = secret_for(str(tmp_path / "runs.db"), None)
    assert secret_for(str(tmp_path / "runs.db"), None) == made
    assert [each.name for each in tmp_path.iterdir()] == ["runs.db.secret"]


def test_where_it_cannot_be_kept_it_holds_for_this_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs.db.secret").mkdir()
    first, second = (secret_for(str(tmp_path / "runs.db"), None) for _ in range(2))
    assert first != second
    said = capsys.readouterr().err.strip()
    assert "TTS_UI_SECRET" in said and len(said.splitlines()) == 2


@pytest.mark.parametrize("argument", ["secret", "owner_token"])
def test_a_short_secret_is_refused(argument: str) -> None:
    check_secret(argument, None)
    check_secret(argument, "x" * 16)
    with pytest.raises(InvalidInput, match="fewer than 16 characters") as caught:
        check_secret(argument, "x" * 15 + " ")
    assert caught.value.argument == argument


def owners(now: Callable[[], float]) -> Owners:
    return Owners(Signer(SECRET, "owner", SESSION_S), "the owner's token", now)


def test_an_owner_s_session_ends_by_signing_out_by_time_and_with_the_server() -> None:
    now = 0.0
    desk = owners(lambda: now)
    cookie = desk.sign_in(" the owner's token\n", "here")
    assert cookie
    session = desk.session(cookie)
    assert session and session not in cookie
    assert owners(lambda: now).session(cookie) is None  # signed all the same, but another server's
    assert desk.sign_in("the owner's token", "here") != cookie  # never the session that somebody brought along
    desk.sign_out(session)
    assert desk.session(cookie) is None  # nor is a copy of it worth anything
    cookie = desk.begin()
    now = SESSION_S - 1
    assert desk.session(cookie)
    now = SESSION_S + 1
    assert desk.session(cookie) is None


def test_guessing_a_token_is_slow_and_does_not_keep_others_out() -> None:
    now = 0.0
    desk = owners(lambda: now)
    for guess in range(5):
        assert desk.sign_in(f"guess {guess}", "there") is None
    with pytest.raises(TooMany) as caught:
        desk.sign_in("the owner's token", "there")  # right, and too late
    assert 0 < caught.value.wait_s <= 300
    assert desk.sign_in("the owner's token", "here")
    now = 301.0
    assert desk.sign_in("the owner's token", "there")
    for place in range(100):
        assert desk.sign_in("guess", f"address {place}") is None
    with pytest.raises(TooMany):
        desk.sign_in("guess", "one more")


def test_without_a_token_nobody_signs_in() -> None:
    desk = Owners(Signer(SECRET, "owner", SESSION_S))
    assert not desk.takes_token
    assert desk.sign_in("", "here") is None and desk.sign_in("anything at all", "here") is None
