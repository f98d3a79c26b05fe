"""A made-up language, in which every text of the interface stands in brackets; and what a page says outside of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tts_ui.words.interface import Language, Text, choose, english

OPEN, CLOSE = "⟦", "⟧"

#: Each visible text, label, title and placeholder outside brackets. What stands in brackets may hold elements, so a
#: depth is kept for each block of the page.
_SCRIPT = """
(data) => {
  const found = [], depths = new Map();
  const outside = (text, depth) => {
    let said = "";
    for (const letter of text) {
      if (letter === "⟦") { depth++; said += " "; }
      else if (letter === "⟧") { depth = Math.max(0, depth - 1); said += " "; }
      else if (!depth) said += letter;
    }
    return [said, depth];
  };
  const isData = (element) => element.closest(data) !== null;
  const isShown = (element) => (element.closest("option")?.closest("select") ?? element).checkVisibility();
  const note = (kind, element, said) => {
    if (!/\\p{L}{2}/u.test(said)) return;
    const near = element.closest("[id]")?.id ?? "", named = element.className?.baseVal ?? element.className ?? "";
    const where = `#${near} ${element.localName}.${String(named).split(" ")[0]}`;
    found.push([kind, where, said.replace(/\\s+/g, " ").trim()]);
  };
  const blockOf = (element) => {
    while (element.parentElement && /^(inline|contents)$/.test(getComputedStyle(element).display)) {
      element = element.parentElement;
    }
    return element;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (/^(script|style|noscript)$/.test(element.localName) || !isShown(element)) continue;
    const block = blockOf(element), [said, depth] = outside(node.data, depths.get(block) ?? 0);
    depths.set(block, depth);
    if (!isData(element)) note("text", element, said);
  }
  for (const element of document.body.querySelectorAll("*")) {
    if (isData(element) || !isShown(element)) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt", "aria-valuetext", "aria-description"]) {
      note(name, element, outside(element.getAttribute(name) ?? "", 0)[0]);
    }
    if (element.matches("input[role=listbox]")) note("choice", element, outside(element.value, 0)[0]);
    for (const place of ["::before", "::after"]) {
      const { content } = getComputedStyle(element, place);
      if (content.startsWith('"')) note(place, element, outside(content.slice(1, -1), 0)[0]);
    }
  }
  note("page title", document.head, outside(document.title, 0)[0]);
  return found;
}
"""


@contextmanager
def spoken() -> Iterator[None]:
    """Pages that are built meanwhile speak it."""
    choose(Language(tag="en", texts={part: {n: _bracketed(t) for n, t in named.items()} for part, named in _english()}))
    try:
        yield
    finally:
        choose(Language())


def _english() -> Collection[tuple[str, Mapping[str, Text]]]:
    return english().items()


def _bracketed(text: Text) -> Text:
    return f"{OPEN}{text}{CLOSE}" if isinstance(text, str) else [f"{OPEN}{form}{CLOSE}" for form in text]


#: Amounts in units that are written alike in every language, and moments.
_AMOUNT = r"\d[\d,.]* (?:[EPTGMk]?FLOP|min|[kMG]B)|\d\d:\d\d UTC"


def outside(text: str) -> str:
    """What of a text stands outside of brackets; these hold none."""
    return re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", " ", text)


def left_out(page: Any, data: Sequence[str], names: Collection[str], alone: Collection[str] = ()) -> list[str]:
    """What a page says that is no text of the interface, each once: not what is in elements that match `data`, not
    `names` and amounts, wherever they stand, and not what is in `alone` where it is all that is said."""
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    known = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)}|{_AMOUNT})(?!\w)")
    left = set()
    for kind, where, text in page.evaluate(_SCRIPT, ", ".join(data)):
        said = known.sub(" ", text).strip()
        if re.search(r"[^\W\d_]{2}", said) and text not in alone:
            left.add(f"{kind} {where}: {said}")
    return sorted(left)
