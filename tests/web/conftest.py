"""Servers as others find them, over the built-in models and a real store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.site import UNWATCHED_S, Site

from engine.runs.host import Host
from engine.store import Store
from tts_ui.web.app import launch


def _site(folder: str, *, public: bool, unwatched_s: float | None = None) -> Iterator[Site]:
    with Store.open(folder) as store:
        host = Host(store, unwatched_limit_s=unwatched_s)
        host.catalogue.load()
        served = launch(host, public=public, allowed=["tree.example.org"] if public else [])
        yield Site(host, served.url)
        served.close()
        host.close()


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that strangers reach."""
    yield from _site(str(tmp_path_factory.mktemp("public") / "runs.db"), public=True)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server on one's own machine."""
    yield from _site(str(tmp_path_factory.mktemp("own") / "runs.db"), public=False)


@pytest.fixture
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A public server that soon stops what nobody watches."""
    yield from _site(str(tmp_path_factory.mktemp("impatient") / "runs.db"), public=True, unwatched_s=UNWATCHED_S)
