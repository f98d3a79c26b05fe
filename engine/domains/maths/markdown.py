"""Model text for a Markdown component: formulas are rendered, everything else is shown as it was written.

A model's "## Step 1" is no heading, its `<b>` no tag and "$5 and $6" no formula. A single `$` opens a formula only
under pandoc's rule: no blank inside either dollar, and no digit after the closing one.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(
    r"""\$\$(?!\s*\$\$).+?\$\$            # display
      | \\\[.+?\\\]
      | \\\(.+?\\\)
      | (?<![\\$\w])\$(?![\s$])           # inline: nothing blank after the opening dollar
        (?:[^$\n\\]|\\.)*?
        (?<!\s)\$(?![\d$])                # nothing blank before the closing one, no digit after it
    """,
    re.VERBOSE | re.DOTALL,
)
_BOXED = re.compile(r"\\boxed\{(?:[^{}$\n]|\{[^{}$\n]*\})*\}")
_WORDLIKE = re.compile(r"[^0-9A-Za-z \u00a0-\U0010ffff]")


def markdown(text: str) -> str:
    """`text` as Markdown source that shows it literally, except formulas."""
    text = text.strip("\n")
    parts, end = [], 0
    for match in _FORMULA.finditer(text):
        parts += [_literal(text[end : match.start()]), _formula(match.group())]
        end = match.end()
    return "".join([*parts, _literal(text[end:])])


def _formula(source: str) -> str:
    """A formula, with characters that could start a tag spelled as TeX commands."""
    return source.replace("<", "\\lt ").replace(">", "\\gt ")


def _literal(text: str) -> str:
    """Text outside formulas; a bare `\\boxed{...}` is a formula that lost its dollars."""
    parts, end = [], 0
    for match in _BOXED.finditer(text):
        parts += [_escape(text[end : match.start()]), f"${_formula(match.group())}$"]
        end = match.end()
    return "".join([*parts, _escape(text[end:])])


def _escape(text: str) -> str:
    return _WORDLIKE.sub(lambda match: "<br>" if match[0] == "\n" else f"&#{ord(match[0])};", text)
