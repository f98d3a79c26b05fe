"""What nobody means to send, and everybody may: odd values, odd texts, documents with something wrong in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


#: Texts that have broken programs: controls, halves of characters, escapes of terminals, markup, numbers as words.
TEXTS: tuple[str, ...] = (
    "", " ", "\n", "\0", "a\0b", "\ud800", "x\udfffy", "\ufeff", "\u202e\u2066abc", "\x1b[2J\x1b]0;t\x07", "\x9b31m",
    "e" + "\u0301" * 500, "</script><script>", "<svg onload=alert(1)>", "%{x}<br>", "{{7*7}}", "${7*7}", "../../x",
    "NaN", "-inf", "1e999", "٣", "0x10", "9" * 5000, "true", "a" * 20_000, "\r\n\r\n", "\u2028", "$" * 99,
    "\\frac{" * 200, "\\boxed{" * 200, "~nobody/x", "a/b/../c", "'; DROP TABLE runs; --", "\U0001f469\u200d\U0001f469",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**70, 10**400, 0.5, -0.0, 1e-320, 1e308, 1.5, float("nan"),
    float("inf"), float("-inf"),
)  # fmt: skip

texts = st.sampled_from(TEXTS) | st.text(max_size=40)
numbers = st.sampled_from(NUMBERS) | st.integers() | st.floats()
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=6
)

Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> list[Place]:
    """Every place in a document, the whole first."""
    found = [at]
    if isinstance(value, Mapping):
        for key, part in value.items():
            found += places(part, (*at, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            found += places(part, (*at, number))
    return found


def like(value: Any) -> st.SearchStrategy[Any]:
    """Values that pass for `value` at a first look."""
    match value:
        case bool() | None:
            return scalars
        case int():
            return st.sampled_from([value + 1, value - 1, -value, 10**6 * value]) | st.integers(0, 9)
        case float():
            return st.floats(0, 1) | numbers
        case str():
            return texts | st.sampled_from(TEXTS).map(lambda odd: odd + value) | st.just(f"{value}\n\n{value}")
    return values


def _at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def _put(document: Any, place: Place, change: str, value: Any) -> Any:
    """The document with one place changed; `document` itself is changed where it can be."""
    if not place:
        return value if change in ("vary", "replace") else document
    holder, last = _at(document, place[:-1]), place[-1]
    match change:
        case "drop":
            del holder[last]
        case "rename" if isinstance(holder, dict):
            holder[value if isinstance(value, str) else "other"] = holder.pop(last)
        case "twice" if isinstance(holder, list):
            holder.insert(int(last), copy.deepcopy(holder[int(last)]))
        case _:
            holder[last] = value
    return document


@st.composite
def mutated(draw: st.DrawFn, documents: Sequence[Any]) -> Any:
    """One of `documents` with one to three things wrong in it."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(document)))
        change = draw(st.sampled_from(["vary", "vary", "vary", "replace", "drop", "rename", "twice"]))
        value = draw(like(_at(document, place)) if change == "vary" else values)
        document = _put(document, place, change, value)
    return document


@st.composite
def damaged(draw: st.DrawFn, contents: Sequence[bytes]) -> bytes:
    """One of `contents` with bytes cut, put in or exchanged; or bytes that come from nowhere."""
    content = draw(st.sampled_from(contents) | st.binary(max_size=200))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(content)))
        length = draw(st.sampled_from([0, 1, 2, 16, 10**6]))
        content = content[:start] + draw(st.binary(max_size=8)) + content[start + length :]
    return content


def as_json(value: Any) -> bytes:
    """As Python writes it: NaN and halves of characters included, which other programs would not write."""
    return json.dumps(value).encode()
