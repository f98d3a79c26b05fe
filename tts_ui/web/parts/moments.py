"""The moment of a replay that a page is asked about: what the trees tell of it, and how a page says that it is one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import gradio as gr

#: Page loads whose newest question is remembered.
_PAGES = 1000

Answer = Callable[[str, gr.EventData, gr.Request], tuple[Any, ...]]


def newest(answer: Answer) -> Answer:
    """A handler whose answers to a page are shown only while the page has asked nothing newer.

    It belongs to trigger_mode="multiple": Gradio's "always_last" repeats the event that it has just answered, with the
    moment of that one, and the last moment of the reader is never shown. The door lets a page's questions in one after
    the other, so that an answer which was right when it was made is not shown after a newer one.
    """
    asked: OrderedDict[str | None, float] = OrderedDict()

    def newest_only(run: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        mine = float(getattr(event, "asked", 0.0))
        asked[request.session_hash] = max(mine, asked.pop(request.session_hash, mine))
        while len(asked) > _PAGES:
            asked.popitem(last=False)
        shown = answer(run, event, request)
        return shown if asked.get(request.session_hash, mine) <= mine else tuple(gr.skip() for _ in shown)

    return newest_only


def moment(event: gr.EventData, run_id: str) -> int | None:
    """The last seq that the tree of this run shows; None: it shows all there is."""
    moments = getattr(event, "moments", None)
    seq = moments.get(run_id) if isinstance(moments, dict) else None
    return int(seq) if isinstance(seq, int | float) else None


def then(fragment: str, seq: int | None) -> str:
    """A fragment that is of a moment of a replay. While one is shown, the page hides what is not (see app.css)."""
    return fragment if seq is None else f'<div class="then">{fragment}</div>'
