"""Until when runs are kept, in words, where that has an end. A run that stays has no moment, and nothing is said of it
but beside others that go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from engine.store import RunRecord, Store
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: When a run will be removed that has these tags, or was compared with one that has; None for one that stays.
Until = Callable[[RunRecord, Collection[str]], datetime | None]


def for_ever(_: RunRecord, __: Collection[str]) -> datetime | None:
    """`Until` of a server that keeps all."""
    return None


def untils(store: Store, records: Sequence[RunRecord], kept_until: Until) -> list[datetime | None]:
    """Until when each of these runs is kept."""
    tags = store.tags_together([record.id for record in records])
    return [kept_until(record, tags[record.id]) for record in records]


def kept(until: datetime | None) -> str:
    """Under the strip of a run."""
    return _hint(marked("retention.kept_until", moment=_moment(until))) if until else ""


def kept_side_by_side(letters: str, untils: Sequence[datetime | None]) -> str:
    """Under the table of several runs that are called by `letters`."""
    alike: dict[str, str] = {}
    for letter, until in zip(letters, untils, strict=False):
        name = marked("retention.until", moment=_moment(until)) if until else marked("retention.stays")
        alike[name] = f"{alike[name]}, {letter}" if name in alike else letter
    if not any(untils):
        return ""
    if len(alike) == 1:
        return kept(untils[0])
    runs = "; ".join(marked("retention.of_run", run=run, kept=name) for name, run in alike.items())
    return _hint(marked("retention.several", runs=runs))


def together(untils: Sequence[datetime | None]) -> datetime | None:
    """Of the runs of one comparison, which go together: with the last of them, and with none that stays."""
    known = [until for until in untils if until]
    return max(known) if known and len(known) == len(untils) else None


def in_a_row(until: datetime | None) -> str:
    """In a list."""
    return say("retention.until", moment=f"{until:%Y-%m-%d %H:%M}") if until else ""


def _moment(until: datetime) -> str:
    return marked("retention.moment", day=until.day, month=say(f"months.m{until.month}"), rest=f"{until:%Y, %H:%M}")


def _hint(said: str) -> str:
    return f'<p class="hint kept-until">{said}</p>'
