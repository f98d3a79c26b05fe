"""One HTML file that shows a run, or runs side by side, to whoever opens it: from disk, without a server.

Everything is in it: the tree view with plotly.js, the runs as data, and KaTeX where there is a formula. Texts are
packed data in a script that is no script, and become text of the page, never markup. The page may run the one script
that its policy names and what that makes of the file's own parts ('unsafe-eval': plotly.js makes the functions that
paint with WebGL), and may ask no address for anything.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from typing import Any

from engine.domains import Domains
from engine.store import RunRecord, Store
from tts_ui.web.components import SearchTree, page_words
from tts_ui.web.parts.feed import Feed
from tts_ui.web.share import packer
from tts_ui.web.share.story import Teller
from tts_ui.words import parameters
from tts_ui.words.interface import language
from tts_ui.words.texts import short

_PLACE = re.compile(r"<!-- (\w+) -->")
_HEIGHT, _HEIGHT_SIDE_BY_SIDE = 560, 420


def page_of(store: Store, run_ids: Sequence[str], domains: Domains) -> bytes:
    """The page of one run or several, whose whole ids these are. Raises `InvalidInput` for one that is not there."""
    feeds = [Feed(store, run_id, domains=domains, discreet=True) for run_id in run_ids]
    told = Teller(domains).runs(feeds)
    for place, run in enumerate(told):
        run["props"] = _properties(place, len(told))
    return _filled(title([feed.record for feed in feeds]), told).encode()


def title(records: Sequence[RunRecord]) -> str:
    """What the page is called: the problem and how it was searched."""
    return f"{short(records[0].problem, 80)} ({' / '.join(parameters.labels(records))})"


def _properties(place: int, count: int) -> dict[str, Any]:
    tree = SearchTree(
        height=_HEIGHT_SIDE_BY_SIDE if count > 1 else _HEIGHT, group="page" if count > 1 else "", sync_url=False,
        select_chosen=place == 0, colorbar=place == count - 1, render=False,
    )  # fmt: skip
    return dict(tree.props)


def _filled(name: str, told: Sequence[dict[str, Any]]) -> str:
    story = packer.packed(told)
    has_formula = any(isinstance(piece, tuple) for run in told for step in run["steps"] for piece in step["text"])
    modules, katex = packer.modules(), packer.formulas()
    if katex:
        modules = modules | {katex.address: katex.source if has_formula else packer.NO_FORMULAS}
    parts = {
        "modules": modules,
        "katex": katex and katex.address,
        "sheet": katex.sheet if katex and has_formula else "",
    }
    script = packer.static("page.js").replace("/* what it says */", page_words.inlined("exported"))
    script = script.replace("/* the tree */", f"const TREE = {packer.component()};")
    places = {
        "language": language().tag,
        "title": html.escape(name),
        "nonce": hashlib.sha256(story.encode()).hexdigest()[:32],  # no text can hold it: it follows from all of them
        "look": packer.look(),
        "story": story,
        "parts": packer.packed(parts),
        "plotly": packer.plotly(),
        "address": packer.plotly_address(),
        "script": script,
    }
    return _PLACE.sub(lambda place: places[place[1]], packer.static_page("page.html"))
