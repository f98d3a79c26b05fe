"""Run ids: globally unique, short enough to type a prefix of, and in time order when sorted as text."""

from __future__ import annotations

import secrets
import threading
import time

#: Crockford's base 32: digits and letters without i, l, o and u, which are misread.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARS = 10
_RANDOM_CHARS = 8
_RANDOM_SPAN = 1 << (5 * _RANDOM_CHARS)

_lock = threading.Lock()
_last = 0


def new_run_id() -> str:
    """A new id: ten characters of milliseconds since 1970, then eight random ones.

    Ids of one process always rise, even within a millisecond or when the clock is set back: the last id is then
    incremented instead.
    """
    global _last
    drawn = time.time_ns() // 1_000_000 * _RANDOM_SPAN + secrets.randbelow(_RANDOM_SPAN)
    with _lock:
        _last = max(drawn, _last + 1)
        return _base32(_last)


def _base32(number: int) -> str:
    length = _TIME_CHARS + _RANDOM_CHARS
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in reversed(range(length)))
