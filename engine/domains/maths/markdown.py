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
#: What a browser can typeset: KaTeX calls itself for every level, and 150 levels crash a tab.
_DEEPEST, _LONGEST, _LONGEST_IN_ALL = 20, 2_000, 8_000
_OPENING = re.compile(r"(\\?\{|\\left|\\begin)|(\\?\}|\\right|\\end)")
#: Commands that take each other as arguments need no braces to be nested.
_CHAINED = re.compile(r"(?:\\[A-Za-z]+\s*){21}")
_WORDLIKE = re.compile(r"[^0-9A-Za-z \u00a0-\U0010ffff]")


def markdown(text: str) -> str:
    """`text` as Markdown source that shows it literally, except formulas."""
    text = text.strip("\n")
    parts, end, left = [], 0, _LONGEST_IN_ALL
    for match in _FORMULA.finditer(text):
        left -= len(match[0])
        shown = _formula(match[0]) if left >= 0 and _can_be_typeset(match[0]) else _escape(match[0])
        parts += [_literal(text[end : match.start()]), shown]
        end = match.end()
    return "".join([*parts, _literal(text[end:])])


def _can_be_typeset(formula: str) -> bool:
    """Whether a formula is neither too long nor nested too deep for a browser."""
    if len(formula) > _LONGEST or _CHAINED.search(formula):
        return False
    depth = deepest = 0
    for found in _OPENING.finditer(formula):
        depth += 1 if found[1] else -1
        deepest = max(deepest, depth)
    return deepest <= _DEEPEST


def _formula(source: str) -> str:
    """A formula, with characters that could start a tag spelled as TeX commands."""
    return source.replace("<", "\\lt ").replace(">", "\\gt ")


def _literal(text: str) -> str:
    """Text outside formulas; a bare `\\boxed{...}` is a formula that lost its dollars."""
    parts, end = [], 0
    for match in _BOXED.finditer(text):
        shown = f"${_formula(match[0])}$" if _can_be_typeset(match[0]) else _escape(match[0])
        parts += [_escape(text[end : match.start()]), shown]
        end = match.end()
    return "".join([*parts, _escape(text[end:])])


def _escape(text: str) -> str:
    return _WORDLIKE.sub(lambda match: "<br>" if match[0] == "\n" else f"&#{ord(match[0])};", text)
