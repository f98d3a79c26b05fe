"""A server as others find it, and what is behind it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.runs.host import Host

#: Seconds after which a run that nobody watches is stopped by an impatient site; a minute in the product.
UNWATCHED_S = 3.0


@dataclass(frozen=True)
class Site:
    host: Host
    url: str
