"""`tts-ui serve` where it is found: beside a proxy variable, on IPv6, on any port."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
from support.serving import Serve, serving

_OPEN = build_opener(ProxyHandler({})).open


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with serving(tmp_path) as start:
        yield start


def page(address: str) -> str:
    with _OPEN(address, timeout=30) as answer:
        return str(answer.read().decode())


def test_a_proxy_variable_is_for_others(serve: Serve) -> None:
    nobody = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), nobody)
    address = serve("--port", "0", **proxies, NO_PROXY="", no_proxy="")
    assert not address.endswith(":0/") and "Reasoning Tree Explorer" in page(address)


def test_an_address_of_ipv6(serve: Serve) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    address = serve("--host", "::1", "--port", "0")
    assert address.startswith("http://[::1]:") and "Reasoning Tree Explorer" in page(address)
