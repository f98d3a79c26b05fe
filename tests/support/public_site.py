"""A server that strangers reach, with the ceilings that it has for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.site import Site

from engine.runs.host import Host
from engine.runs.limits import PUBLIC, Limits
from engine.store import Store
from tts_ui.web.app import launch


@contextmanager
def public_site(folder: Path, write_token: str | None = None) -> Iterator[Site]:
    with Store.open(str(folder / "runs.db")) as store:
        host = Host(store, limits=Limits(**PUBLIC))
        host.catalogue.load()
        served = launch(host, public=True, write_token=write_token)
        yield Site(host, served.url)
        served.close()
        host.close()
