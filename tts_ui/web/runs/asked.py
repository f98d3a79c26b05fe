"""What the address of the Runs page asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.errors import InvalidInput
from engine.store.listing import Wanted, day
from tts_ui.words.interface import say

#: Parts of the address that are names of `Wanted` with another name there; the others are called the same.
_NAMES = {"q": "search", "sort": "order"}
_TEXTS = ("q", "strategy", "models", "outcome", "origin", "tag", "sweep", "sort")
#: How the address writes "no judge": no model has this name, as a name has no bracket at its beginning.
NO_JUDGE = "(none)"

#: Pages beyond this one are nobody's: a database counts them all to get there.
_LAST_PAGE = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of a list of runs, or of comparisons; pages count from 1."""

    wanted: Wanted
    comparisons: bool
    page: int


def asked(address: Mapping[str, str], within: Collection[str] | None) -> Asked:
    """What the parameters of an address ask for; empty ones ask for nothing. Raises `InvalidInput`."""
    given = {name: value.strip() for name, value in address.items() if value.strip()}
    texts = {_NAMES.get(name, name): given[name] for name in _TEXTS if name in given}
    days = {name: day(given[name], name) for name in ("since", "until") if name in given}
    judge = {"judge": given["judge"].replace(NO_JUDGE, "")} if "judge" in given else {}
    return Asked(
        Wanted(**texts, **days, **judge, within=within),  # type: ignore[arg-type]  # texts and days by their names
        given.get("kind") == "comparisons",
        _page(given.get("page", "1")),
    )


def _page(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PAGE:
        raise InvalidInput("page", say("runs_page.page", page=repr(text[:40])))
    return int(text)
