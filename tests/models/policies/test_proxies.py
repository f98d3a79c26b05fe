"""Proxies of the environment: never for this machine unless the entry asks, and named when a connection fails."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.completion_server import Connect, Serve
from support.forward_proxy import ForwardProxy
from support.judge_server import JudgeServer
from support.judges import GenericTag

from engine.errors import ModelError
from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.policies.openai_server import OpenAIPolicy
from engine.models.servers.settings import ServerSettings

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
#: Nobody listens there.
DEAD = "http://me:secret@127.0.0.1:1"
#: A name that no resolver knows.
ELSEWHERE = "http://models.invalid:8000"

Set = Callable[[str, str], None]


@pytest.fixture
def set_variable(monkeypatch: pytest.MonkeyPatch) -> Set:
    """The environment without any proxy, and what sets a variable of it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch.setenv


@pytest.fixture
def proxy() -> Iterator[Callable[..., ForwardProxy]]:
    started: list[ForwardProxy] = []

    def start(*, forbids: bool = False) -> ForwardProxy:
        started.append(ForwardProxy(forbids=forbids))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def refusal(url: str = ELSEWHERE, proxy: str = "") -> str:
    with pytest.raises(ModelError) as refused:
        OpenAIPolicy(ServerSettings(urls=(url,), retries=0, proxy=proxy))
    message = str(refused.value)
    assert "\n" not in message and "secret" not in message
    return message


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("address", [DEAD, "socks5://127.0.0.1:1", "nonsense://127.0.0.1:1"])
def test_this_machine_is_asked_directly(
    serve: Serve, connect: Connect, set_variable: Set, name: str, address: str
) -> None:
    set_variable(name, address)
    assert connect(serve()).info.name == "served"


@pytest.mark.parametrize(
    ("name", "address"),
    [("HTTP_PROXY", DEAD), ("ALL_PROXY", DEAD), ("all_proxy", "127.0.0.1:1"), ("HTTP_PROXY", "nonsense://127.0.0.1:1")],
)
def test_a_proxy_that_fails_is_named(set_variable: Set, name: str, address: str) -> None:
    set_variable(name, address)
    message = refusal()
    assert message.startswith(ELSEWHERE)
    assert (
        "://127.0.0.1:1 that " in message and f"that {name} names" in message and "NO_PROXY=models.invalid" in message
    )
    set_variable("NO_PROXY", "models.invalid")
    assert "NO_PROXY" not in refusal() and "cannot be reached" in refusal()


@pytest.mark.skipif(importlib.util.find_spec("socksio") is not None, reason="what SOCKS needs is installed here")
def test_socks_without_its_package_says_what_to_install(set_variable: Set) -> None:
    set_variable("ALL_PROXY", "socks5://127.0.0.1:1")
    message = refusal()
    assert "pip install 'httpx[socks]'" in message and "ALL_PROXY" in message and "NO_PROXY=models.invalid" in message


def test_what_a_proxy_answers_itself_is_told_with_its_name(
    set_variable: Set, proxy: Callable[..., ForwardProxy]
) -> None:
    set_variable("HTTP_PROXY", proxy(forbids=True).url)
    message = refusal()
    assert "answers 403: Access denied by policy" in message and "HTTP_PROXY" in message


def test_an_entry_asks_for_a_proxy_of_its_own(
    serve: Serve, connect: Connect, set_variable: Set, proxy: Callable[..., ForwardProxy]
) -> None:
    set_variable("HTTP_PROXY", DEAD)
    server, between = serve(), proxy()
    assert connect(server, proxy=between.url).info.name == "served"
    assert between.asked and all(address.startswith(server.url) for address in between.asked)
    message = refusal(server.url, "http://127.0.0.1:1")
    assert "through the proxy http://127.0.0.1:1 that proxy names; check proxy in the entry" in message


def test_a_prm_is_asked_likewise(tmp_path: Path, set_variable: Set) -> None:
    set_variable("HTTP_PROXY", DEAD)
    judge = GenericTag(tmp_path / "prm")
    server = JudgeServer(judge, 64)
    for url, reached in ((server.url, True), (ELSEWHERE, False)):
        entry = ModelEntry(
            kind="generic", name="served", urls=(url,), tokenizer=str(judge.folder), template=judge.options.template,
            retries=0,
        )  # fmt: skip
        if reached:
            SCORERS["generic"].serve(entry, judge.folder).close()
        else:
            with pytest.raises(ModelError, match="that HTTP_PROXY names; NO_PROXY=models.invalid"):
                SCORERS["generic"].serve(entry, judge.folder)
    server.stop()
