"""Under which names the server may be asked for, and from which pages.

A page elsewhere must not reach this server through the browser of somebody who can. Two things stop it: a request names
the host it wants (`Host`), so a foreign name that was pointed at this machine (DNS rebinding) is refused; and a browser
names the page that asks (`Origin`), so only the server's own pages are answered. This holds on loopback, too.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names of a server.

    Attributes:
        names: those it may be asked for under, in lower case, without ports.
        owned: those of them that the owner named: pages of theirs may ask whatever name a proxy puts into `Host`.
        any_address: whether any literal IP address will do, as no name can be pointed at one.
    """

    names: frozenset[str]
    owned: frozenset[str]
    any_address: bool

    @classmethod
    def of(cls, host: str, allowed: Iterable[str] = ()) -> Hosts:
        """Those of a server that listens on `host`; `allowed` are further names, under which a proxy serves it."""
        host = host.strip("[]").lower()
        owned = frozenset(name.strip("[]").lower() for name in allowed)
        everywhere = host in ("", "0.0.0.0", "::")
        own = socket.gethostname().lower() if everywhere else host
        return cls(_LOOPBACK | owned | {own}, owned, everywhere)

    def knows(self, host: str) -> bool:
        """Whether a request for `host` (`NAME` or `NAME:PORT`) is meant for this server."""
        name = _name(_split(f"//{host}"))
        return name in self.names or (self.any_address and _is_address(name))

    def may_ask(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may ask the server that was asked for as `host`: it must be the server's own."""
        page, wanted = _split(origin), _split(f"//{host}")
        name = _name(page)
        if page is None or wanted is None or page.scheme not in _PORTS or not name:
            return False
        if name in self.owned:
            return True
        same_port = wanted.port is None or wanted.port == (page.port or _PORTS[page.scheme])
        return name == _name(wanted) and same_port


def _split(address: str) -> SplitResult | None:
    """None for what is no address."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    return parts if plain else None


def _name(parts: SplitResult | None) -> str:
    return (parts.hostname or "").lower() if parts else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
