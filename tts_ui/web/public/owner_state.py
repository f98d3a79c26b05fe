"""What the owner's page shows: load, who is there, the limits, and what went wrong."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from engine.models.local.memory import cores, free_ram, gigabytes, total_ram
from engine.runs.host import Host
from engine.runs.limits import LIMITS
from engine.store.listing import Wanted
from tts_ui.web.public.opening import Opening, duration
from tts_ui.web.public.recent import Recent
from tts_ui.words import numbers, parameters
from tts_ui.words.interface import say
from tts_ui.words.texts import short

#: Characters of a problem, of a reason and of a visitor's hash; failed runs that are shown.
_PROBLEM, _REASON, _HASH, _FAILED = 100, 300, 8, 20


def state(host: Host, opening: Opening, recent: Recent) -> dict[str, Any]:
    """The page as a document of texts and numbers."""
    return {
        "closed": host.closed,
        "load": _load(host, opening),
        "running": _running(host),
        "line": [
            {"visitor": _named(visitor), "waiting": waiting, "running": running}
            for visitor, (waiting, running) in host.line.seen().items()
        ],
        "limits": [
            {"name": name, "label": parameter.label, "help": parameter.help, "unit": parameter.unit or "",
             "value": getattr(host.limits, name), "unset": parameter.unset or ""}
            for name, parameter in LIMITS.items()
        ],
        "failed": [
            {"when": _minute(record.created_at), "address": f"./?run={record.id}",
             "why": short(record.error or say("owner.no_reason"), _REASON)}
            for record in host.store.runs(outcome="failed", limit=_FAILED)
        ],
        "complaints": [
            {"when": _minute(datetime.fromtimestamp(each.at, UTC).isoformat()), "text": each.text}
            for each in recent.lines()
        ],
    }  # fmt: skip


def _load(host: Host, opening: Opening) -> list[tuple[str, str]]:
    store, today = host.store, datetime.now(UTC).date()
    there = host.line.seen().values()
    waiting, running = (sum(each[place] for each in there) for place in range(2))
    own, free, total = gigabytes(psutil.Process().memory_info().rss), gigabytes(free_ram()), gigabytes(total_ram())
    keeps = say("owner.kept_until_deleted")
    if opening.keep_s is not None:
        keeps = say("owner.kept_for", time=duration(opening.keep_s))
    return [
        (say("owner.now"), say("owner.now_says", running=running, waiting=waiting)),
        (say("owner.today"), numbers.count(store.count(Wanted(since=today)))),
        (say("owner.in_all"), numbers.count(store.count())),
        (say("owner.kept"), keeps),
        (say("owner.memory"), say("owner.memory_says", own=own, free=free, all=total)),
        (say("owner.processors"), _processors()),
        *_disk(host),
    ]  # fmt: skip


def _processors() -> str:
    if not hasattr(os, "getloadavg"):
        return str(cores())
    return say("owner.processors_say", cores=cores(), load=f"{os.getloadavg()[0]:.1f}")


def _disk(host: Host) -> list[tuple[str, str]]:
    """The database, where it is a file of this machine."""
    file = host.store.file
    if file is None:
        return [(say("owner.database"), say("owner.database_elsewhere"))]
    sizes = [part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists()]
    size = sum(sizes)
    told = gigabytes(size) if size >= 1e8 else f"{size / 1e6:.1f} MB"
    free = gigabytes(shutil.disk_usage(file.parent).free)
    return [(say("owner.database"), say("owner.database_says", size=told, free=free))]


def _running(host: Host) -> list[dict[str, str]]:
    shown = []
    for run_id, running in list(host.running.items()):
        spent = running.run.spent()
        shown.append({
            "id": run_id, "address": f"./?run={run_id}", "problem": short(running.run.question.problem, _PROBLEM),
            "strategy": parameters.title(running.run.params.strategy), "tokens": numbers.count(spent.generated_tokens),
            "time": numbers.seconds(spent.wall_s),
        })  # fmt: skip
    return shown


def _named(visitor: str) -> str:
    """As much of a visitor as tells him from others."""
    if not visitor:
        return say("owner.program")
    return say("owner.visitor", name=visitor.removeprefix("page ")[:_HASH])


def _minute(iso: str) -> str:
    return iso[:16].replace("T", " ")
