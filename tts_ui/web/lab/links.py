"""From a number of the lab to the trees behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from tts_ui.words import numbers
from tts_ui.words.interface.markup import marked


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a recorded run, and in a few words why it is pointed at. `judge` is whose scores are to be shown and,
    after a comma, whose they are compared with; `color` what the tree's colours mean."""

    run_id: str
    node: int
    words: str
    judge: str | None = None
    color: str | None = None


def address(place: Place) -> str:
    """Where the step is shown; relative, so that it also holds under a proxy's path."""
    shown = {"judges": place.judge, "color": place.color}
    rest = urlencode({name: value for name, value in shown.items() if value}, safe=",")
    return f"./?run={place.run_id}&node={place.node}" + (f"&{rest}" if rest else "")


def listing(places: Iterable[Place], most: int = 30) -> str:
    """Links to the steps, as many as a list may have; the rest is counted."""
    listed = list(places)
    items = "".join(f'<li><a href="{escape(address(place))}">{escape(place.words)}</a></li>' for place in listed[:most])
    left = len(listed) - most
    more = f'<p class="hint">{marked("lab.more", n=left, count=numbers.count(left))}</p>' if len(listed) > most else ""
    return f'<ol class="places">{items}</ol>{more}' if listed else f'<p class="hint">{marked("lab.none")}</p>'
