"""Run ids: globally unique, not to be guessed, and in time order when sorted as text.

Whoever knows the id of a run may look at it, so an id is as secret as a password: it ends in 125 random bits, and no id
says anything about another. On the command line a unique beginning is enough, and the time is in the beginning.
"""

from __future__ import annotations

import secrets
import threading
import time

#: Crockford's base 32: digits and letters without i, l, o and u, which are misread.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARS = 11
_RANDOM_CHARS = 25

#: As much of an id as a list shows: its microsecond and a few random characters, which are as good as unique.
SHOWN = 18

_lock = threading.Lock()
_last = 0


def new_run_id() -> str:
    """A new id: eleven characters of microseconds since 1970, then 25 random ones.

    Ids of one process always rise, even within a microsecond or when the clock is set back: the last one's time is then
    incremented instead.
    """
    global _last
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        moment = _last
    return _base32(moment, _TIME_CHARS) + _base32(secrets.randbits(5 * _RANDOM_CHARS), _RANDOM_CHARS)


def _base32(number: int, length: int) -> str:
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in reversed(range(length)))
