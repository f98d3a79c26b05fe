"""Texts of the interface as HTML and in scripts: for pages that are files, and for what is put together in Python."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from tts_ui.words.interface import form, say

_TEXT = re.compile(r"\{\{(\w+\.\w+)\}\}")
#: What Gradio's templates would read as code.
_TEMPLATE = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;"})


def marked(name: str, /, **values: object) -> str:
    """The text called `name`, escaped, with `values` at its placeholders, which are HTML already. Raises `KeyError`."""
    return _escaped(form(name, values.get("n"))).format(**values)


def _escaped(text: str) -> str:
    """For the inside of an element, and of an attribute in double quotes."""
    return html.escape(text, quote=False).replace('"', "&quot;")


def skeleton(file: Path, **values: str) -> str:
    """The page in `file`, where `{{section.name}}` stands for a text and `values` are HTML at its placeholders; a
    template of Gradio's leaves the texts alone. Raises `KeyError` for one that is not there."""
    return _TEXT.sub(lambda named: marked(named[1], **values).translate(_TEMPLATE), file.read_text(encoding="utf-8"))


def literal(name: str, /, **values: object) -> str:
    """The text called `name` as a string of JavaScript that no page ends early."""
    return json.dumps(say(name, **values)).replace("<", "\\u003c")
