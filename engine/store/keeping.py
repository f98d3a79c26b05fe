"""What people do with runs that have been recorded: tags, a note, and deletion that can be undone.

A deleted run is only marked: it is on no list and opens under no address, and can be brought back. It is removed for
good, with all it consists of, a day later or more, when the database is next opened to be written, or when another run
is deleted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from engine.errors import InvalidInput
from engine.store.shapes import clean
from engine.store.tables import comparisons, runs, tags

#: What a run may be given: so many tags, of so many characters; a note of so many.
MOST_TAGS, LONGEST_TAG, LONGEST_NOTE = 10, 40, 2000
#: Seconds for which a deleted run can be brought back, at least.
KEPT_S = 24 * 3600.0
#: Runs that are removed at once; more wait for the next time, so that nobody waits long for the database.
_AT_ONCE = 100


def tags_in(text: str) -> tuple[str, ...]:
    """The tags that a person wrote with commas between them. Raises `InvalidInput("tags", ...)`."""
    named = [" ".join(clean(part).split()) for part in text.split(",")]
    found = {tag.casefold(): tag for tag in reversed(named) if tag}  # of two spellings, the first
    if len(found) > MOST_TAGS:
        raise InvalidInput("tags", f"{len(found)} are too many; a run has {MOST_TAGS} at most")
    if too_long := next((tag for tag in found.values() if len(tag) > LONGEST_TAG), None):
        raise InvalidInput("tags", f"{too_long[:20]!r}... is longer than {LONGEST_TAG} characters; shorten it")
    return tuple(sorted(found.values()))


def note_in(text: str) -> str | None:
    """The note that a person wrote; None for an empty one. Raises `InvalidInput("note", ...)`."""
    note = clean(text).strip()
    if len(note) > LONGEST_NOTE:
        raise InvalidInput("note", f"it has {len(note)} characters; {LONGEST_NOTE} is the most")
    return note or None


def describe(connection: Connection, run_id: str, named: Sequence[str], note: str | None) -> None:
    """Give a run these tags and this note, in place of those it had. Raises `InvalidInput("run", ...)`."""
    found = connection.execute(update(runs).where(runs.c.id == run_id).values(note=note))
    if not found.rowcount:
        raise InvalidInput("run", "there is no such run any more; load the list again")
    connection.execute(delete(tags).where(tags.c.run_id == run_id))
    if named:
        connection.execute(insert(tags), [{"run_id": run_id, "tag": tag} for tag in named])


def mark_deleted(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    """Mark runs as deleted; returns which were not before. Raises `InvalidInput("run", ...)`, and marks none, where one
    is still running or came with the product, which would put it back."""
    rows = connection.execute(select(runs.c.id, runs.c.status, runs.c.origin).where(runs.c.id.in_(run_ids))).all()
    if any(row.status == "running" for row in rows):
        raise InvalidInput("run", "a run that is still running cannot be deleted; stop it first")
    if any(row.origin == "example" for row in rows):
        raise InvalidInput("run", "an example comes with the tool and cannot be deleted; choose others")
    now = time.time()
    remove(connection, before=now - KEPT_S)
    present = (runs.c.id.in_(run_ids), runs.c.deleted_at.is_(None))
    marked = connection.execute(select(runs.c.id).where(*present)).scalars().all()
    connection.execute(update(runs).where(*present).values(deleted_at=now))
    return list(marked)


def restore(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    """Bring deleted runs back; returns which."""
    gone = (runs.c.id.in_(run_ids), runs.c.deleted_at.is_not(None))
    found = connection.execute(select(runs.c.id).where(*gone)).scalars().all()
    connection.execute(update(runs).where(*gone).values(deleted_at=None))
    return list(found)


def due(connection: Connection, before: float) -> list[str]:
    """Runs that were deleted before this moment (Unix seconds), as many as are removed at once."""
    return list(connection.execute(select(runs.c.id).where(runs.c.deleted_at < before).limit(_AT_ONCE)).scalars())


def remove(connection: Connection, before: float) -> None:
    """Remove for good what was deleted before this moment."""
    without_runs(connection, due(connection, before))


def without_runs(connection: Connection, run_ids: Sequence[str]) -> None:
    """Remove these runs for good, with all that hangs on them, and comparisons that have no run left."""
    if not run_ids:
        return
    of_them = select(runs.c.comparison_id).where(runs.c.id.in_(run_ids), runs.c.comparison_id.is_not(None))
    compared = set(connection.execute(of_them).scalars())
    connection.execute(delete(runs).where(runs.c.id.in_(run_ids)))
    left = set(connection.execute(select(runs.c.comparison_id).where(runs.c.comparison_id.in_(compared))).scalars())
    connection.execute(delete(comparisons).where(comparisons.c.id.in_(compared - left)))
