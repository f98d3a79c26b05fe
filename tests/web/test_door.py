"""The door: what a server answers at all, to whom, and what it tells a browser to do with it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import socket
from typing import Any

import httpx
import pytest
from support.places import ROOT
from support.site import Site
from support.visitor import visiting

from tts_ui.loopback import is_loopback
from tts_ui.web.door.bodies import STRICT_LIMIT
from tts_ui.web.door.hosts import Hosts
from tts_ui.web.door.identity import VISITOR_COOKIE as COOKIE
from tts_ui.web.door.patience import ImpatientProtocol
from tts_ui.web.door.policy import headers, page_policy
from tts_ui.web.door.server import serve_app
from tts_ui.web.door.signing import CookieRules

SCRIPT = ROOT / "tts_ui" / "web" / "static" / "tree" / "search_tree.js"

CLOSED = [
    ("POST", "/gradio_api/upload"),
    ("GET", "/gradio_api/upload_progress?upload_id=x"),
    ("GET", f"/gradio_api/file={SCRIPT}"),
    ("GET", f"/gradio_api/file/{SCRIPT}"),
    ("GET", "/gradio_api/file=http://example.org/x.png"),
    ("GET", "/gradio_api/proxy=https://example.hf.space/x"),
    ("GET", "/gradio_api/deep_link?session_hash=x"),
    ("GET", "/gradio_api/info?page=runs"),
    ("GET", "/gradio_api/info?all_endpoints=true"),
    ("GET", "/gradio_api/openapi.json"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/redoc"),
    ("GET", "/config?deep_link=x"),
    ("GET", "/config?page=runs"),
    ("GET", "/monitoring"),
    ("GET", "/monitoring/summary"),
    ("GET", "/gradio_api/queue/status"),
    ("GET", "/gradio_api/runs"),
    ("POST", "/gradio_api/run-history/connect"),
    ("POST", "/gradio_api/run/_run"),
    ("POST", "/gradio_api/api/predict"),
    ("POST", "/gradio_api/call/_stop"),
    ("POST", "/gradio_api/call/v2/_stop"),
    ("GET", "/gradio_api/call/_stop/x"),
    ("POST", "/gradio_api/component_server"),
    ("POST", "/gradio_api/stream/x"),
    ("POST", "/gradio_api/process_recording"),
    ("POST", "/gradio_api/vibe-edit"),
    ("GET", "/gradio_api/vibe-code"),
    ("GET", "/gradio_api/startup-events"),
    ("GET", "/gradio_api/token"),
    ("GET", "/gradio_api/user"),
    ("POST", "/login"),
    ("GET", "/svelte/svelte.js"),
    ("GET", "/static/img/logo.svg"),
    ("GET", "/manifest.json"),
    ("GET", "/pwa_icon"),
    ("GET", "/gradio_api/custom_component/x/client/component/x.js"),
    ("GET", "/rte/search_tree.py"),
    ("GET", "/rte/..%2Fsearch_tree.css"),
    ("GET", "/assets/..%2Findex.html"),
    ("GET", "/assets/%2e%2e/index.html"),
    ("POST", "/"),
    ("DELETE", "/"),
    ("PUT", "/gradio_api/queue/join"),
    ("GET", "/gradio_api/queue/join"),
    ("OPTIONS", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/heartbeat/abcdefgh"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_what_the_pages_do_not_use_is_closed(public: Site, own: Site, method: str, path: str) -> None:
    for site in (public, own):
        answer = httpx.request(method, site.url.rstrip("/") + path, timeout=20)
        assert answer.status_code in (404, 405), answer.text[:200]
        assert "x-content-type-options" in answer.headers


def test_nothing_can_be_left_on_the_server(public: Site) -> None:
    file = {"files": ("x.html", b"<script>alert(1)</script>" * 100_000)}
    with contextlib.suppress(httpx.WriteError):  # it may be refused before all of it has been sent
        assert httpx.post(f"{public.url}gradio_api/upload", files=file, timeout=20).status_code == 404


def test_a_function_is_called_the_way_its_page_does(public: Site) -> None:
    with visiting(public.url, "caller") as page:
        ask = page.function("run")
        fields = page.form()
        assert page.direct(ask, *fields).status_code == 200
        assert page.direct(ask + 1, None, *fields).status_code == 404  # it is queued
        assert page.join(ask, *fields).status_code == 404  # it is not
        for unknown in (-1, 10_000):
            assert page.direct(unknown).status_code == 404
            assert page.join(unknown).status_code == 404
    assert not public.host.running


FILE = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
ODD: list[dict[str, Any]] = [
    {"data": [FILE]},
    {"data": [{**FILE, "path": "http://127.0.0.1:1/x", "url": "http://127.0.0.1:1/x"}]},
    {"data": [["a", "list"]]},
    {"data": {"a": 1}},
    {"data": ["x"] * 65},
    {"event_data": {"target": FILE}},
    {"session_hash": "../../etc"},
    {"session_hash": None},
    {"fn_index": "8"},
    {"fn_index": None, "api_name": "_stop"},
    {"simple_format": True},
    {"batched": True},
    {"request": {}},
    {"oauth_token": "x"},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: next(iter(odd)))
def test_only_what_a_page_sends_is_read(public: Site, odd: dict[str, Any]) -> None:
    with visiting(public.url, "oddities") as page:
        shape = page.function("strategy", "change")
        assert page.direct(shape, "beam_search", 16, 4).status_code == 200
        for send in (page.direct, page.join):
            assert send(shape, "beam_search", 16, 4, **odd).status_code == 400


def test_a_body_is_small_and_json(public: Site) -> None:
    with visiting(public.url, "bigbodies") as page:
        ask = page.function("run")
        url = f"{public.url}gradio_api/run/predict"
        longest = page.form(problem="7" * 10_000, reference="9" * 1_000)
        assert page.direct(ask, *longest).status_code == 200
        whole = json.dumps(
            {"data": page.form(problem="7" * STRICT_LIMIT), "fn_index": ask, "session_hash": "bigbodies"}
        )
        told = [
            httpx.post(url, content=whole, headers={"content-type": "application/json"}),
            httpx.post(url, content=iter([whole.encode()]), headers={"content-type": "application/json"}),
        ]
        assert [answer.status_code for answer in told] == [413, 413]
        assert str(STRICT_LIMIT) in told[0].text
        for kind in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""):
            assert httpx.post(url, content=b"{}", headers={"content-type": kind}).status_code == 415
        for broken in (b"", b"{", b"[]", b"\xff", b"[" * 10_000):
            answer = httpx.post(url, content=broken, headers={"content-type": "application/json"})
            assert answer.status_code == 400


# --- hosts and pages elsewhere --------------------------------------------------------------------------------------


def test_a_name_that_is_not_the_servers_is_refused(public: Site, own: Site) -> None:
    for site in (public, own):
        port = httpx.URL(site.url).port
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.", "", "a@127.0.0.1"):
            assert httpx.get(site.url, headers={"host": host}).status_code == 421, host
            if host:
                assert httpx.get(site.url, headers={"x-forwarded-host": host}).status_code == 421, host
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", "LOCALHOST", f"[::1]:{port}"):
            assert httpx.get(site.url, headers={"host": host}).status_code == 200, host
    for header in ("host", "x-forwarded-host"):
        assert httpx.get(public.url, headers={header: "tree.example.org"}).status_code == 200
        assert httpx.get(own.url, headers={header: "tree.example.org"}).status_code == 421


def test_only_the_servers_own_pages_may_ask(public: Site, own: Site) -> None:
    for site in (public, own):
        port = httpx.URL(site.url).port
        with visiting(site.url, "crosssite") as page:
            shape = page.function("strategy", "change")
            allowed = [f"http://127.0.0.1:{port}", f"HTTP://127.0.0.1:{port}"]
            foreign = [
                "https://evil.example", "null", "http://127.0.0.1:1", "http://localhost:1", "file://", "",
                f"http://127.0.0.1:{port}.evil.example", f"http://127.0.0.1:{port}/x", "https://huggingface.co",
            ]  # fmt: skip
            for origin in (*allowed, *foreign):
                page.client.headers["origin"] = origin
                expected = 200 if origin in allowed else 403
                assert page.direct(shape, "beam_search", 16, 4).status_code == expected, origin
                answer = page.client.get("")
                assert answer.status_code == expected
                if origin in foreign:
                    assert "access-control-allow-origin" not in answer.headers
    owned = {"origin": "https://tree.example.org"}
    assert httpx.get(public.url, headers=owned).status_code == 200
    assert httpx.get(own.url, headers=owned).status_code == 403


def test_the_names_of_a_server_follow_from_where_it_listens() -> None:
    everywhere = Hosts.of("0.0.0.0")
    assert everywhere.knows("192.168.1.7:7860") and everywhere.knows("[fe80::1]:7860")  # no name can point there
    assert not everywhere.knows("evil.example")
    assert everywhere.may_ask("http://192.168.1.7:7860", "192.168.1.7:7860")
    loopback = Hosts.of("127.0.0.1")
    assert not loopback.knows("192.168.1.7")
    lan = Hosts.of("192.168.1.7", ["Tree.Example.org"])
    assert lan.knows("192.168.1.7") and lan.knows("tree.example.org:443") and lan.knows("TREE.example.org")
    assert not lan.knows("192.168.1.8") and not lan.knows("example.org")
    assert lan.may_ask("https://tree.example.org", "127.0.0.1:7860")  # a proxy that rewrites the host
    assert not lan.may_ask("https://sub.tree.example.org", "127.0.0.1:7860")
    assert lan.may_ask("https://192.168.1.7:8443", "192.168.1.7")  # a proxy that leaves out the port
    for odd in ("[", "http://", "//x", "x:y:z", "x:99999999", "a b"):
        assert not lan.knows(odd)
        assert not lan.may_ask(odd, odd)
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "[::1]", "localhost", "127.9.9.9")] == [True] * 5
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.7", "example.org"))


# --- what a browser is told -----------------------------------------------------------------------------------------


def test_a_page_runs_its_own_scripts_only(public: Site) -> None:
    for page in ("", "compare", "runs"):
        answer = httpx.get(public.url + page, headers={"accept-encoding": "br, gzip"})
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'self'"
        assert "'unsafe-inline'" not in policy["script-src"] and "http" not in policy["script-src"]
        inline = re.findall(r"<script(?![^>]* src=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
        assert len(inline) >= 4
        static = ROOT / "tts_ui" / "web" / "static"
        files = [(static / name).read_text(encoding="utf-8") for name in ("app.js", "pages.js", "stage.js")]
        ours = "\n".join(['document.documentElement.lang = "en";', *files])
        for script in (*inline, ours):
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy["script-src"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "server" not in answer.headers


def test_a_space_may_show_the_pages_in_its_frame() -> None:
    for policy in (page_policy("<p>", [], True), headers(True)["content-security-policy"]):
        assert policy.endswith("frame-ancestors 'self' https://huggingface.co")
    for attribute in ("__Host-x=1;", "SameSite=None", "Secure", "Partitioned", "HttpOnly"):
        assert attribute in CookieRules(framed=True, secure=False).header("x", "1", 60)
    assert "Secure" not in CookieRules(framed=False, secure=False).header("x", "1", 60)
    assert "SameSite=Lax; Secure" in CookieRules(framed=False, secure=True).header("x", "1", 60)


def test_a_browser_is_given_a_session_once(public: Site) -> None:
    with httpx.Client(base_url=public.url) as client:
        first = client.get("")
        assert "HttpOnly" in first.headers["set-cookie"] and "private" in first.headers["cache-control"]
        assert "Max-Age=31536000" in first.headers["set-cookie"]
        assert "set-cookie" not in client.get("compare").headers
        client.cookies.clear()
        client.cookies.set(COOKIE, "a-guess")
        assert "set-cookie" in client.get("").headers


def test_no_page_says_where_anything_lies(public: Site, own: Site) -> None:
    for site in (public, own):
        for page in ("", "compare"):
            text = httpx.get(site.url + page).text
            assert "site-packages" not in text and str(ROOT) not in text and "file=" not in text
            scripts = set(re.findall(r"[\w.]+\.js\?v=\w+", text))
            named = {name.partition("?")[0] for name in scripts}
            known = {file.name for file in (ROOT / "tts_ui" / "web" / "static" / "tree").glob("*.js")}
            beside = {"plotly_script.js", "words_tree.js", "plotly.min.js"}
            assert {"search_tree.js", "plotly.min.js"} <= named <= known | beside
            for name in scripts:
                script = httpx.get(f"{site.url}rte/{name}")
                assert script.status_code == 200
                assert script.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET"]
)
def test_a_connection_that_says_half_of_a_request_is_closed(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImpatientProtocol, "head_within_s", 0.2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await asyncio.sleep(1)  # an answer may take longer than a head
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    served = serve_app(app)
    try:
        with socket.create_connection(("127.0.0.1", int(served.url.rstrip("/").rpartition(":")[2])), 10) as connection:
            connection.settimeout(10)
            connection.sendall(said)
            heard = b""
            while piece := connection.recv(1000):
                heard += piece
            assert heard.startswith(b"HTTP/1.1 204") == (said.count(b"\r\n\r\n") == 1)
    finally:
        served.close()
