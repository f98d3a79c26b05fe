"""Cookies that only this server can have made: an id of 192 random bits, when it was given, and a signature.

A signature says that the id was drawn here, so nobody chooses his own; whoever has a whole cookie is who it names,
hence `HttpOnly`, and `Secure` wherever there is TLS. There the name begins with `__Host-`: no other host of the same
domain can plant one, and so make a visitor use an id that somebody else knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from starlette.requests import cookie_parser

from engine.store.retention import Clock

_VALUE = re.compile(r"([\w-]{32})\.(\d{1,12})\.([\w-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Given:
    """The id in a cookie, and when it was given, in Unix seconds."""

    id: str
    at: int


class Signer:
    """Makes and reads cookies of one kind.

    Args:
        secret: whoever has it can make cookies; each `purpose` has a key of its own.
        lives_s: seconds for which a cookie is good. One that was given in the future (the clock was set back since) is.
    """

    def __init__(self, secret: bytes, purpose: str, lives_s: int, clock: Clock | None = None) -> None:
        self._key = hmac.digest(secret, f"rte {purpose}".encode(), "sha256")
        self.lives_s, self._clock = lives_s, clock or Clock()

    def make(self) -> Given:
        """A new id."""
        return Given(secrets.token_urlsafe(24), int(self._clock.now()))

    def value(self, given: Given) -> str:
        """What stands in the cookie."""
        return f"{given.id}.{given.at}.{self._signature(given)}"

    def read(self, value: str) -> Given | None:
        """What a cookie says; None for one that was not made here, or is too old."""
        found = _VALUE.fullmatch(value)
        if not found:
            return None
        given = Given(found[1], int(found[2]))
        if not hmac.compare_digest(self._signature(given), found[3]):
            return None
        return given if self.age(given) <= self.lives_s else None

    def age(self, given: Given) -> float:
        """Seconds since it was given."""
        return self._clock.now() - given.at

    def _signature(self, given: Given) -> str:
        signed = hmac.digest(self._key, f"{given.id}.{given.at}".encode(), "sha256")
        return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def hashed(visitor: str) -> str:
    """What the server keeps of a visitor's id: with it nobody can be that visitor."""
    return hashlib.sha256(f"rte visitor {visitor}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CookieRules:
    """How a cookie is set: inside another site's frame (`framed`) it needs to be partitioned and secure."""

    framed: bool
    secure: bool

    def name(self, plain: str) -> str:
        return f"__Host-{plain}" if self.framed or self.secure else plain

    def found(self, cookies: str, plain: str) -> str:
        """The value in a `Cookie` header; empty where there is none. Read as browsers write it: what other programs of
        the same host put beside it may be no cookie by the letter, and takes nothing from it."""
        return cookie_parser(cookies).get(self.name(plain), "")

    def header(self, plain: str, value: str, lives_s: int, same_site: str = "Lax") -> str:
        """A `Set-Cookie` header; one with an empty value takes the cookie back."""
        if self.framed:
            where = "SameSite=None; Secure; Partitioned"
        else:
            where = f"SameSite={same_site}{'; Secure' if self.secure else ''}"
        return f"{self.name(plain)}={value}; Max-Age={lives_s if value else 0}; Path=/; HttpOnly; {where}"
