"""How a server is open to others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.store import RunRecord
from engine.store.retention import KEEP, Clock
from tts_ui.words.interface import say


@dataclass(frozen=True, slots=True)
class Opening:
    """What the owner decided when he started it.

    Attributes:
        keep_s: seconds for which runs are kept that nobody pins; None keeps all.
        owner_token: what signs the owner in; None: nobody signs in with a token.
        samples: nothing is computed; recorded searches are shown.
        secret: signs cookies; None: one that holds until the server ends.
        clock: by which it is told how old a run is.
    """

    keep_s: int | None = None
    owner_token: str | None = field(default=None, repr=False)
    samples: bool = False
    secret: bytes | None = field(default=None, repr=False)
    clock: Clock = field(default_factory=Clock)

    def kept_until(self, record: RunRecord, tags: Collection[str] = ()) -> datetime | None:
        """When a run is removed (the hour after, at the latest); None for one that stays. `tags` are its own and those
        of the runs that were compared with it."""
        stays = record.origin == "example" or record.sweep_id is not None or KEEP in map(str.lower, tags)
        if self.keep_s is None or stays or record.status == "running":
            return None
        ended = max(record.heartbeat, datetime.fromisoformat(record.created_at).timestamp())
        return datetime.fromtimestamp(ended + self.keep_s, UTC)


def duration(seconds: int) -> str:
    """A time as people say it: 12 hours, 1 day, 2 weeks."""
    for unit, name in ((7 * 24 * 3600, "week"), (24 * 3600, "day"), (3600, "hour")):
        if seconds % unit == 0 and (unit != 7 * 24 * 3600 or seconds > unit):
            return say(f"durations.{name}", n=seconds // unit)
    return say("durations.second", n=seconds)
