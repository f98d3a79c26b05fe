"""How much of a text is shown at once, and which characters are not shown as they are. Models and documents may say
anything at any length; a browser's tab may not hang on it, and a terminal may not be steered by it."""

from __future__ import annotations

import re

#: Characters of an answer, a name or an error where others stand beside it.
SHORT = 200
#: Characters of a step that are rendered; of its rest that are shown on demand; of one line of that.
RENDERED, ON_DEMAND, LINE = 10_000, 200_000, 500


def short(text: str, most: int = SHORT) -> str:
    """The beginning of a text, with an ellipsis where something was left out."""
    return text if len(text) <= most else text[: most - 1] + "…"


def rendered(text: str) -> str:
    """The part of a step's text that is rendered with its formulas; `rest` is the other."""
    return text if len(text) <= RENDERED else text[:RENDERED] + " …"


def without_number(text: str, depth: int) -> str:
    """A step's text without "## Step 3:" at its beginning, for where its number (its depth) stands beside it."""
    head = _STEP_NUMBER.match(text)
    if head is None or int(head[1]) != depth:
        return text
    return text[head.end() :] if text[head.end() :].strip() else text


_STEP_NUMBER = re.compile(
    r"\s*(?:#{1,6}\s*)?(?:\*\*)?step\s+(\d{1,4})\s*(?:\*\*)?\s*[:.]\s*(?:\*\*)?\s*", re.IGNORECASE
)


def rest(text: str) -> list[str]:
    """What `rendered` left out, in lines that a browser lays out at once; of a very long text the beginning."""
    shown = text[RENDERED : RENDERED + ON_DEMAND]
    return [
        line[at : at + LINE] for line in shown.splitlines() for at in range(0, max(1, len(line)), LINE)
    ]  # fmt: skip
