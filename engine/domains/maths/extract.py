"""What a completion answers: the content of its last `\\boxed{...}`.

A completion without one has no answer (stray numbers do not vote), nor has one that ends inside a thought.
"""

from __future__ import annotations

import re

_BRACES = re.compile(r"(\\(?:boxed|fbox)\s*\{)|\\[{}]|[{}]")


def extract_answer(text: str, *, opens_thought: bool = False) -> str | None:
    """The content of the last complete `\\boxed{...}` of `text`, or None. Braces may nest.

    A text that ends inside a thought (`<think>`, without its end tag) has not answered yet, whatever it tried so far;
    `opens_thought` says that it begins inside one.
    """
    if text.rfind("</think>") < max(text.rfind("<think>"), 0 if opens_thought else -1):
        return None
    last, answer = -1, ""
    open_braces: list[int | None] = []  # where the content of each open box begins; None for any other brace
    for match in _BRACES.finditer(text):
        if match[0].endswith("{") and match[0] != "\\{":
            open_braces.append(match.end() if match[1] else None)
        elif match[0] == "}" and open_braces:
            start = open_braces.pop()
            if start is not None and start > last:
                last, answer = start, text[start : match.start()].strip()
    return answer or None
