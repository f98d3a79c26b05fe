"""Who asks: a visitor by the cookie of his browser, and whether he has signed in as the owner.

The door reads the cookies of a request once, and what stands behind it is told in two headers of the door's own, which
no request can bring along: the hash of the visitor's id, and the owner's session. The ids themselves go no further.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope

from tts_ui.web.door.owner import SESSION_S, Owners
from tts_ui.web.door.signing import CookieRules, Given, Signer, hashed

VISITOR, OWNER = "x-rte-visitor", "x-rte-owner"
#: Headers of an answer by which the app asks the door for cookies: one for an owner who has signed in (empty: he has
#: signed out), and to take the visitor's back. They go no further, either.
SIGNED_IN, FORGET = "x-rte-signed-in", "x-rte-forget"
VISITOR_COOKIE, OWNER_COOKIE = "rte-visitor", "rte-owner"

YEAR_S = 365 * 24 * 3600
#: A visitor who comes after so many seconds gets his cookie again, so that it lasts a year from then.
_RENEW_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Known:
    """What the door found out about a request: headers for the app, and a cookie to set with a page."""

    headers: Mapping[str, str]
    cookie: str | None


def came_from(headers: Headers, client: str) -> str:
    """The address a request comes from: that of its connection, and the one that the nearest proxy saw (each adds its
    own at the end, some in a line of its own). Where there is no proxy anybody makes that one up, so it may tell
    requests apart, and may never let one in."""
    passed_on = ",".join(headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()[:64]
    return f"{client} {passed_on}"


class Identity:
    """Reads and gives cookies. `framed` is whether the pages are shown in the frame of a Hugging Face Space."""

    def __init__(self, visitors: Signer, owners: Owners, *, framed: bool) -> None:
        self._visitors, self._owners, self._framed = visitors, owners, framed

    def rules(self, scope: Scope) -> CookieRules:
        """How cookies are set in the answer to this request."""
        proto = Headers(scope=scope).get("x-forwarded-proto", "")
        secure = "https" in (scope["scheme"], *(part.strip() for part in proto.split(",")))
        return CookieRules(self._framed, secure)

    def known(self, scope: Scope, *, page: bool) -> Known:
        """Who asks; a `page` gives a cookie to whoever has none, or one that is getting old."""
        cookies, rules = Headers(scope=scope).get("cookie", ""), self.rules(scope)
        visitor = self._visitors.read(rules.found(cookies, VISITOR_COOKIE))
        cookie = None
        if page and (visitor is None or self._visitors.age(visitor) > _RENEW_S):
            fresh = self._visitors.make()
            visitor = Given(visitor.id, fresh.at) if visitor else fresh
            cookie = rules.header(VISITOR_COOKIE, self._visitors.value(visitor), YEAR_S)
        told = {VISITOR: hashed(visitor.id)} if visitor else {}
        session = self._owners.session(rules.found(cookies, OWNER_COOKIE))
        return Known(told | ({OWNER: session} if session else {}), cookie)

    def dress(self, scope: Scope, answer: MutableHeaders) -> None:
        """Make cookies of what the app's answer asks for."""
        rules = self.rules(scope)
        if SIGNED_IN in answer:
            value = answer[SIGNED_IN]
            del answer[SIGNED_IN]
            answer.append("set-cookie", rules.header(OWNER_COOKIE, value, SESSION_S, same_site="Strict"))
        if FORGET in answer:
            del answer[FORGET]
            answer.append("set-cookie", rules.header(VISITOR_COOKIE, "", 0))
