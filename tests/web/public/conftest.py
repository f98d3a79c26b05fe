"""A public server, somebody at it, and its owner."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from support.owned_site import TOKEN, site
from support.site import Site


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
