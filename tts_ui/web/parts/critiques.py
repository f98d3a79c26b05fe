"""What judges that write wrote about a step, folded where it is long: text of a model, escaped."""

from __future__ import annotations

from html import escape

from engine.search.tree import Node
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface.markup import marked

#: Characters that are shown without a click.
_SHORT = 280


def critiques(node: Node, judge: str | None) -> str:
    """One block for each judge that wrote about the path up to `node`, that of `judge` first; empty if none did."""
    first = [name for name in node.critiques if name == judge]
    names = [*first, *(name for name in node.critiques if name != judge)]
    return "".join(_block(name, node.critiques[name], node.scores.get(name)) for name in names)


def _block(name: str, text: str, value: float | None) -> str:
    by = marked("step.critique", judge=escape(name))
    about = marked("step.critique_about", words=counted("words", len(text.split())), score=numbers.score(value))
    unfolded = " open" if len(text) <= _SHORT else ""
    return (
        f'<details class="critique"{unfolded}>'
        f"<summary>{by} <i>({about})</i></summary>"
        f"<pre>{escape(text.strip())}</pre></details>"
    )
