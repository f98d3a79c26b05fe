"""The owner's sessions: begun with a token or by a sign-in elsewhere, and ended by signing out, by time, or with the
server. A cookie alone opens nothing: its session must be one that this server remembers."""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from tts_ui.web.door.signing import Signer, hashed

#: Seconds for which an owner stays signed in.
SESSION_S = 8 * 3600
#: Sign-ins that may fail within `_WITHIN_S` seconds: from one address, and in all.
_TRIES, _TRIES_IN_ALL, _WITHIN_S = 5, 100, 300.0
_ADDRESSES, _SESSIONS = 1000, 20


class TooMany(Exception):
    """Too many sign-ins failed; `wait_s` is when another may be tried."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many sign-ins failed; try again in {wait_s} s")
        self.wait_s = wait_s


class Tries:
    """Counts failed sign-ins, by the address they came from."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()

    def check(self, address: str) -> None:
        """Raise `TooMany` if another may not be tried now."""
        for failed, most in ((self._failed.get(address, deque()), _TRIES), (self._all, _TRIES_IN_ALL)):
            while failed and self._clock() - failed[0] > _WITHIN_S:
                failed.popleft()
            if len(failed) >= most:
                raise TooMany(max(1, round(_WITHIN_S - (self._clock() - failed[0]))))

    def failed(self, address: str) -> None:
        for failed in (self._failed.setdefault(address, deque()), self._all):
            failed.append(self._clock())
        self._failed.move_to_end(address)
        while len(self._failed) > _ADDRESSES:
            self._failed.popitem(last=False)


class Owners:
    """Who is signed in. Thread-safe.

    Args:
        token: what lets the owner in; None where there is none.
        signer: makes the cookies of sessions. Their ends are counted by a clock that nobody can set.
    """

    def __init__(self, signer: Signer, token: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._signer, self._token, self._clock = signer, token.strip().encode() if token else None, clock
        self._ends: OrderedDict[str, float] = OrderedDict()
        self._tries = Tries(clock)
        self._lock = threading.Lock()

    @classmethod
    def of(cls, secret: bytes, token: str | None = None) -> Owners:
        """Those of a server with this secret."""
        return cls(Signer(secret, "owner", SESSION_S), token)

    @property
    def takes_token(self) -> bool:
        return self._token is not None

    def session(self, cookie: str) -> str | None:
        """The session that a cookie names, if it still goes on."""
        given = self._signer.read(cookie)
        if given is None:
            return None
        session = hashed(given.id)
        with self._lock:
            return session if self._ends.get(session, 0.0) > self._clock() else None

    def sign_in(self, token: str, address: str) -> str | None:
        """The cookie of a new session; None where the token is wrong. Raises `TooMany`."""
        with self._lock:
            self._tries.check(address)
            if self._token is None or not hmac.compare_digest(self._token, token.strip().encode()):
                self._tries.failed(address)
                return None
        return self.begin()

    def begin(self) -> str:
        """The cookie of a new session: for an owner who has proved himself."""
        given = self._signer.make()
        with self._lock:
            self._ends[hashed(given.id)] = self._clock() + SESSION_S
            while len(self._ends) > _SESSIONS:
                self._ends.popitem(last=False)
        return self._signer.value(given)

    def sign_out(self, session: str) -> None:
        """End a session: its cookie, and every copy of it, is worth nothing."""
        with self._lock:
            self._ends.pop(session, None)
