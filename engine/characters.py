"""Characters that are never written as they are where a text of a model meets a terminal or a spreadsheet."""

from __future__ import annotations

import re

#: Control characters (escape sequences begin with one, and those from 80 to 9f are sequences of their own), those that
#: turn the direction of writing, and lone surrogates.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

#: What XML 1.0 cannot hold, not even escaped.
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """`text` with what could steer spelled as JSON spells it: within JSON it is the same document."""
    return STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def referenced(xml: str) -> str:
    """An XML document with what could steer as character references: the same document."""
    return STEERING.sub(lambda found: f"&#{ord(found[0])};", xml)
