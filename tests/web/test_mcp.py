"""The tools through MCP, asked by the package's own client: over HTTP in both of the protocol's ways, over standard
input and output, with the write token and without."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from support.command_line import COMMAND
from support.public_site import public_site
from support.site import Site
from support.waiting import until

from engine.store import Store
from tts_ui.web.door import Visitors
from tts_ui.web.programs import Desk
from tts_ui.web.programs.mcp_tools import McpTools
from tts_ui.web.programs.tools import TOOLS

PROBLEM, REFERENCE = "What is the sum of the first 22 terms of 6, 14, 22, ...?", "1980"
TOKEN = "a-token-that-nobody-guesses"
APP = "text/html;profile=mcp-app"
WRITING = ["solve", "compare", "score", "grade"]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "solve": {"problem": PROBLEM, "n": 4}, "compare": {"problem": PROBLEM, "strategies": "greedy,best_of_n", "n": 4},
    "score": {"scorer": "builtin-prm", "problem": PROBLEM, "solution": "6 + 14 = 20\n\nSo 7."},
    "grade": {"reference": "1980", "answer": "1980.0"},
}  # fmt: skip


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A public server with a write token."""
    with public_site(tmp_path_factory.mktemp("guarded"), TOKEN) as site:
        yield site


def with_token(site: Site, token: str | None) -> Client:
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    http = httpx2.AsyncClient(headers=headers, timeout=60)
    return Client(streamable_http_client(f"{site.url}mcp", http_client=http))


def text_of(result: Any) -> str:
    return str(result.content[0].text)


async def _solve_and_show(client: Client) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(tools) == list(TOOLS)
    assert tools["show"].meta == {"ui": {"resourceUri": "ui://tts-ui/run"}}
    assert tools["solve"].input_schema["required"] == ["problem"]
    assert tools["show"].annotations and tools["show"].annotations.read_only_hint
    told: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    found = await client.call_tool("solve", {"problem": PROBLEM, "answer": REFERENCE}, progress_callback=note)
    assert not found.is_error and f"Answer: {REFERENCE}, which is right." in text_of(found)
    run = found.structured_content["run"]
    assert told and "tokens generated" in told[-1]
    shown = await client.call_tool("show", {"run": run})
    assert PROBLEM in text_of(shown) and "kept" in text_of(shown) and shown.structured_content["tree"]
    app = (await client.read_resource("ui://tts-ui/run")).contents[0]
    assert app.mime_type == APP and app.meta and app.meta["ui"]["csp"]["connectDomains"] == []
    assert shown.meta is not None
    page: Any = (await client.read_resource(shown.meta["ui"]["resourceUri"])).contents[0]
    assert page.mime_type == APP and "default-src 'none'" in page.text and "connect-src" not in page.text
    assert run in text_of(await client.call_tool("runs", {"limit": 1}))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_on_ones_own_server_an_agent_needs_no_token(own: Site, mode: str) -> None:
    async with Client(f"{own.url}mcp", mode=mode) as client:
        await _solve_and_show(client)
        for name in WRITING:
            result = await client.call_tool(name, ARGUMENTS[name])
            assert not result.is_error, text_of(result)


async def test_over_standard_input_and_output(tmp_path: Path) -> None:
    command = StdioServerParameters(
        command=str(COMMAND), args=["mcp", "--db", str(tmp_path / "runs.db")], env=dict(os.environ)
    )
    async with Client(command, read_timeout_seconds=120) as client:
        await _solve_and_show(client)
        refused = await client.call_tool("solve", {"problem": PROBLEM, "n": 0})
        assert refused.is_error and text_of(refused).startswith("n: ")
    with Store.open(str(tmp_path / "runs.db")) as store:
        assert [run.answer for run in store.runs()] == [REFERENCE]


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_ends_it_while_the_client_says_nothing(tmp_path: Path) -> None:
    command = [str(COMMAND), "mcp", "--db", str(tmp_path / "runs.db")]
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    }  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(json.dumps(hello).encode() + b"\n")
    process.stdin.flush()
    assert b"Reasoning Tree Explorer" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(timeout=60) == 130
        assert b"Traceback" not in process.stderr.read()
    finally:
        process.kill()


async def test_on_a_public_server_changes_need_the_token(guarded: Site) -> None:
    example = guarded.host.store.runs(limit=1)[0]
    for token in (None, "wrong", TOKEN[:-1], f"{TOKEN}x"):
        async with with_token(guarded, token) as stranger:
            assert len((await stranger.list_tools()).tools) == len(TOOLS)
            for name in WRITING:
                refused = await stranger.call_tool(name, ARGUMENTS[name])
                assert refused.is_error and "needs the server's write token" in text_of(refused), name
            assert not (await stranger.call_tool("show", {"run": example.id})).is_error
            assert not (await stranger.call_tool("runs", {})).is_error
    async with with_token(guarded, TOKEN) as owner:
        await _solve_and_show(owner)
        for name in WRITING:
            result = await owner.call_tool(name, ARGUMENTS[name])
            assert not result.is_error, text_of(result)


def test_the_token_is_in_no_line_of_a_log(public: Site) -> None:
    tools = McpTools(Desk(public.host, Visitors()), "the page", TOKEN)
    assert TOKEN not in repr(tools.server) and "the page" not in repr(tools.server)


async def test_without_a_token_set_nobody_changes_anything(public: Site) -> None:
    for token in (None, "None"):
        async with with_token(public, token) as stranger:
            refused = await stranger.call_tool("solve", ARGUMENTS["solve"])
            assert refused.is_error and "its owner can, with --write-token" in text_of(refused)


async def test_strangers_find_no_runs_of_others_and_open_whole_ids_only(guarded: Site) -> None:
    async with with_token(guarded, TOKEN) as owner, with_token(guarded, None) as stranger:
        run = (await owner.call_tool("solve", ARGUMENTS["solve"])).structured_content["run"]
        assert run in text_of(await owner.call_tool("runs", {}))
        assert run not in text_of(await stranger.call_tool("runs", {}))
        assert (await stranger.call_tool("show", {"run": run[:-1]})).is_error
        assert not (await stranger.call_tool("show", {"run": run})).is_error
        with pytest.raises(MCPError, match="no run has the id"):
            await stranger.read_resource(f"ui://tts-ui/runs/{run[:-1]}")


async def test_who_sends_the_key_that_others_send_finds_none_of_their_runs(guarded: Site) -> None:
    """Clients of the OpenAI API send any key, often the same, and behind a proxy all come from one address."""
    for key in ("anything", "sk-no-key-required", ""):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        asked = {"model": "greedy/builtin-xs", "messages": [{"role": "user", "content": PROBLEM}]}
        answer = httpx.post(f"{guarded.url}v1/chat/completions", json=asked, headers=headers, timeout=60)
        async with with_token(guarded, key or None) as stranger:
            assert answer.json()["run"] not in text_of(await stranger.call_tool("runs", {}))


@pytest.mark.parametrize(
    ("tool", "asked", "said"),
    [
        ("solve", {}, "problem: it is missing"),
        ("solve", {"problem": PROBLEM, "n": 10**9}, "n: 1000000000 completions are too many"),
        ("solve", {"problem": PROBLEM, "n": "4"}, "n: '4' is not a whole number"),
        ("solve", {"problem": PROBLEM, "temprature": 1}, "temprature: solve has no such argument; did you mean"),
        ("solve", {"problem": [1]}, "problem: '[1]' is not a text"),
        ("show", {"run": "nobody"}, "run: no run has the id"),
        ("runs", {"outcome": "odd"}, "outcome: unknown outcome 'odd'"),
    ],
)  # fmt: skip
async def test_mistakes_are_one_line(own: Site, tool: str, asked: dict[str, Any], said: str) -> None:
    async with Client(f"{own.url}mcp") as client:
        refused = await client.call_tool(tool, asked)
        assert refused.is_error and text_of(refused).startswith(said) and "\n" not in text_of(refused)


async def test_unknown_tools_and_resources(own: Site) -> None:
    async with Client(f"{own.url}mcp") as client:
        with pytest.raises(MCPError, match="there is no tool 'shell'"):
            await client.call_tool("shell", {})
        for uri in ("ui://elsewhere", "file:///etc/passwd", "ui://tts-ui/runs/../run", "ui://tts-ui/runs/"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_agent_that_cancels_or_goes_away_stops_its_search(own: Site, mode: str) -> None:
    long = {"problem": PROBLEM, "strategy": "mcts", "n": 512, "temperature": 1.5}
    async with Client(f"{own.url}mcp", mode=mode) as client:
        task = asyncio.create_task(client.call_tool("solve", long))
        await asyncio.to_thread(until, lambda: own.host.running, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(until, lambda: not own.host.running, 30)


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"jsonrpc": "2.0", "id": 1, "method": "x"}', b"[" * 30_000])
def test_odd_bodies_are_refused(guarded: Site, body: bytes) -> None:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    answer = httpx.post(f"{guarded.url}mcp", content=body, headers=headers)
    assert answer.status_code < 500 and "Traceback" not in answer.text
    assert httpx.post(f"{guarded.url}mcp", content=b"x" * 70_000, headers=headers).status_code == 413
    assert httpx.get(f"{guarded.url}mcp", headers=headers).status_code == 405
    assert (
        httpx.post(f"{guarded.url}mcp", content=body, headers=headers | {"origin": "https://x.example"}).status_code
        == 403
    )
