"""What a server says instead of an answer: what may pass, what it will never take, and its own reason in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.errors import ModelError

_PASSING = frozenset({408, 409, 425, 429})
#: Where servers put the reason, outside or inside of "error".
_REASONS = ("message", "detail", "error_description", "reason", "msg", "title")
#: An error without a number whose kind or code has one of these is about the request itself.
_ABOUT_THE_REQUEST = ("invalid_request", "badrequest", "context_length", "not_found", "notfound", "unsupported")


class Unavailable(ModelError):
    """What may pass. `retry_after` is what the server asks us to wait, in seconds; `code` its status, 0 for none.

    `crowded`: too many requests at once would explain it.
    """

    def __init__(self, message: str, retry_after: float = 0.0, code: int = 0, *, crowded: bool = False) -> None:
        super().__init__(message)
        self.retry_after, self.code = retry_after, code
        self.crowded = crowded or code == 429 or code >= 500


class Refused(ModelError):
    """A request that the server will never take; `code` is its status."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def refusal(message: str, code: int, retry_after: float = 0.0) -> Refused | Unavailable:
    """The error for a status, or for an error without one (0)."""
    if 400 <= code < 500 and code not in _PASSING:
        return Refused(message, code)
    return Unavailable(message, retry_after, code)


def error_in(said: Any) -> tuple[int, str] | None:
    """The status and the reason of an error that comes as an answer (status 200), in a stream or whole."""
    error = said.get("error") if isinstance(said, Mapping) else None
    if not error:
        return None
    numbers, kind = [], ""
    for place in (error, said):
        if isinstance(place, Mapping):
            numbers += [str(place.get(key)) for key in ("code", "status", "status_code")]
            kind += f" {place.get('type')} {place.get('code')}".lower()
    told = next((int(number) for number in numbers if re.fullmatch(r"[45]\d\d", number)), 0)
    return told or (400 if any(word in kind for word in _ABOUT_THE_REQUEST) else 0), error_message(said)


def error_message(said: Any) -> str:
    """The reason a server gives, whichever of the usual places it is in."""
    while isinstance(said, Mapping):
        said = said.get("error") or next((said[key] for key in _REASONS if said.get(key)), None) or str(dict(said))
    if isinstance(said, list):  # one entry for every field that is wrong
        said = "; ".join(_field_message(entry) for entry in said)
    return one_line(said)


def page_message(text: str) -> str:
    """What a page says that is no JSON, such as a proxy's: its words without the marks."""
    return one_line(re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE))


def _field_message(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    field = ".".join(str(part) for part in entry.get("loc", ()) if part != "body")
    return f"{field}: {error_message(entry)}" if field else error_message(entry)


def one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
