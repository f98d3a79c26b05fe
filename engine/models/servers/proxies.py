"""Which proxy a server is asked through: the entry's, or the environment's, but never the latter on this machine."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from engine.errors import ModelError
from engine.models.servers.refusals import one_line


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's address, which may hold a password, and what names it."""

    address: str
    named_by: str
    host: str

    @property
    def shown(self) -> str:
        """In words, for messages, and how to do without."""
        parts = urlsplit(self.address)
        where = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        instead = "check proxy in the entry" if self.named_by == "proxy" else f"NO_PROXY={self.host} does without"
        return f"through the proxy {where} that {self.named_by} names; {instead}"


def proxy_for(url: str, asked: str = "") -> Proxy | None:
    """What `url` is reached through; `asked` is what the entry says. None: nothing, or this very machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if asked:
        return Proxy(asked, "proxy", host)
    if _here(host) or proxy_bypass(parts.netloc):
        return None
    found = getproxies()
    for scheme in (parts.scheme, "all"):
        if address := found.get(scheme):
            return Proxy(address if "://" in address else f"http://{address}", _variable(scheme), host)
    return None


def transport(url: str, proxy: Proxy | None, limits: httpx.Limits) -> httpx.AsyncHTTPTransport:
    """Connections by way of `proxy` and no other. Raises `ModelError` if it cannot be used."""
    try:
        return httpx.AsyncHTTPTransport(proxy=proxy.address if proxy else None, limits=limits)
    except ImportError as error:
        assert proxy
        raise ModelError(
            f"{url} cannot be asked {proxy.shown}, or install what SOCKS needs: pip install 'httpx[socks]'"
        ) from error
    except (ValueError, httpx.InvalidURL) as error:
        assert proxy
        raise ModelError(f"{url} cannot be asked {proxy.shown} ({one_line(error)})") from error


def _here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _variable(scheme: str) -> str:
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), "this system")
