"""The figure as files: its points as CSV, and a page that works without a server and fetches nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from engine.runs.sweeps.curves import Point
from engine.store.sweep_records import SweepRecord
from tts_ui.web.components.search_tree import plotly_js
from tts_ui.web.scaling import figures, table
from tts_ui.web.scaling.choices import published_tables
from tts_ui.web.scaling.looks import PALETTES
from tts_ui.web.scaling.naming import settings
from tts_ui.web.scaling.view import View
from tts_ui.web.scaling.words import notes
from tts_ui.web.share.packer import static_page
from tts_ui.words.interface import language
from tts_ui.words.interface.markup import marked

_TAME = re.compile(r"[^A-Za-z0-9_-]+")
_PLACE = re.compile(r"<!-- (\w+) -->")

_COLUMNS = (
    "kind", "line", "policy", "judge", "strategy", "rule", "n", "settings", "difficulty", "accuracy", "low", "high",
    "problems", "seeds", "tokens", "flops_policy", "flops_all", "seconds", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    ending: str
    media_type: str
    make: Callable[[SweepRecord, View], bytes]


def file_name(sweep: str, ending: str) -> str:
    """Letters, digits and dashes, whatever a sweep is called."""
    return f"scaling-{_TAME.sub('-', sweep)[:40].strip('-') or 'sweep'}.{ending}"


def points_csv(sweep: SweepRecord, view: View) -> bytes:
    """Every point of the figure with its interval, as fractions; what is not a measured point says so in `kind`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for line, point in view.points:
        writer.writerow(_row("measured", line, point))
    for ceiling in view.ceiling:
        for point in ceiling.points:
            writer.writerow(_row("pass@N", ceiling.name, point))
    for point in view.greedy:
        writer.writerow(_row("greedy of a larger policy", point.configuration.policy, point))
    for bin in view.bars:
        for line, point in bin.points:
            writer.writerow(_row("bar", line, point))
    for best in view.best:
        share = best.accuracy
        writer.writerow({
            "kind": f"compute-optimal ({view.asked.envelope})", view.asked.x: repr(best.budget),
            "line": figures.named(best),
            "accuracy": repr(share.mean), "low": repr(share.low), "high": repr(share.high),
        })  # fmt: skip
    for each in published_tables(view.asked.published):
        writer.writerow({
            "kind": "published", "line": f"{each.model}, {each.method}", "accuracy": repr(each.accuracy / 100),
            "source": f"arXiv 2502.06703, Table {each.table}, {each.problems}",
        })  # fmt: skip
    return text.getvalue().encode()


def _row(kind: str, line: str, point: Point) -> dict[str, Any]:
    of, share = point.configuration, point.accuracy
    return {
        "kind": kind, "line": line, "policy": of.policy, "judge": of.scorer or "", "strategy": of.strategy,
        "rule": of.rule, "n": of.n, "settings": settings(of), "difficulty": point.bin or "all",
        "accuracy": repr(share.mean), "low": repr(share.low), "high": repr(share.high),
        "problems": len(point.problems), "seeds": point.seeds, "tokens": repr(point.costs["tokens"]),
        "flops_policy": repr(point.costs["flops_policy"]), "flops_all": repr(point.costs["flops_all"]),
        "seconds": repr(point.costs["seconds"]), "source": "",
    }  # fmt: skip


def page(sweep: SweepRecord, view: View) -> bytes:
    """Figures, notes and the table of points in one HTML file, with plotly.js in it."""
    published = published_tables(view.asked.published)
    story = json.dumps(
        {
            "curves": figures.curves(view, published),
            "bars": figures.bars(view) if view.bars else None,
            "palettes": PALETTES,
        }
    ).replace("<", "\\u003c")  # no text can end the script that holds it
    places = {
        "language": language().tag,
        "title": marked("scaling_file.title", sweep=escape(sweep.name)),
        "nonce": hashlib.sha256(story.encode()).hexdigest()[:32],  # no text can hold it: it follows from all of them
        "notes": "".join(f"<p>{escape(note)}</p>" for note in notes(sweep, view)),
        "table": _table(view),
        "story": story,
        "plotly": plotly_js().read_text(encoding="utf-8"),
    }
    return _PLACE.sub(lambda place: places[place[1]], static_page("scaling.html")).encode()


_HEADS = ("line", "n", "accuracy", "problems", "tokens", "flops_policy", "flops_all", "seconds")


def _table(view: View) -> str:
    heads = "".join(f'<th scope="col">{marked(f"scaling_figure.column_{name}")}</th>' for name in _HEADS)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(str(row[name]))}</td>' for name in _HEADS)}</tr>" for row in table.rows(view)
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


FORMATS = {
    "points.csv": Format("csv", "text/csv; charset=utf-8", points_csv),
    "figure.html": Format("html", "application/octet-stream", page),  # to be saved, and not to be shown from here
}
