"""Whose scores a page shows, where several judges have scored a run, and how a judge is named there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from engine.runs.lab.agreement import judges_of
from engine.search.tree import Tree
from engine.store import RunRecord
from tts_ui.words.interface.markup import marked


@dataclass(frozen=True, slots=True)
class Shown:
    """The judge whose scores are shown, and the one that it is compared with; None: there is none."""

    judge: str | None
    against: str | None


def all_judges(record: RunRecord, tree: Tree) -> list[str]:
    """The run's own judge, then those whose scores were added, in that order, then whoever else has said anything."""
    own = [record.judge] if record.judge else []
    there = judges_of([tree])
    added = [scoring.scorer.name for scoring in record.scorings]
    return list(dict.fromkeys([*own, *(judge for judge in added if judge in there), *there]))


def chosen(wanted: Sequence[str], record: RunRecord, tree: Tree) -> Shown:
    """The judges asked for as far as they have scored this run; else its own, and the next. Where it was decided on
    none and none was added, none is shown: a rollout value is no judge's score of every step."""
    there = all_judges(record, tree)
    known = [judge for judge in wanted if judge in there]
    if not known and record.judge is None and not record.scorings:
        return Shown(None, None)
    first, second, *_ = [*dict.fromkeys([*known[:2], *there]), None, None]
    return Shown(first, second)


def asked_in(request: gr.Request) -> list[str]:
    """The judges that the address names: `?judges=A,B`."""
    return [name for name in (request.query_params.get("judges") or "").split(",") if name]


def asked_by(event: gr.EventData) -> list[str]:
    """The judges that the tree shows."""
    names = getattr(event, "judges", None)
    return [str(name) for name in names if name] if isinstance(names, list | tuple) else []


def name(record: RunRecord, judge: str | None) -> str:
    """As HTML: the judge that decided a run is "PRM", any other is called by its name."""
    return marked("strip.prm") if judge is None or judge == record.judge else escape(judge)


def said(record: RunRecord, judge: str | None) -> str:
    """As HTML, what the strip says where another judge's scores are shown; empty where they are the run's own."""
    if judge is None or judge == record.judge:
        return ""
    by = f"<b>{escape(judge)}</b>"
    if record.judge is None:
        return marked("strip.scores_undecided", judge=by)
    return marked("strip.scores_by", judge=by, own=escape(record.judge))
