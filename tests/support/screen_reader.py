"""What a screen reader has to say of a page: what has the focus, by Chromium's accessibility tree, and what live
regions announce, in the order in which they do."""

from __future__ import annotations

import re
from typing import Any

#: Notes what regions that are live say when they change; the last of several words within one change counts.
_LISTEN = """() => {
  window.heard = [];
  const live = "[aria-live=polite], [aria-live=assertive], [role=status], [role=alert]";
  const last = new Map();
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const region = (target.nodeType === 1 ? target : target.parentElement)?.closest(live);
      const words = region?.innerText.replace(/\\s+/g, " ").trim();
      if (!words || last.get(region) === words) continue;
      last.set(region, words);
      window.heard.push(words);
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true, attributes: true });
}"""
#: The element that a screen reader is at: the focused one, or the one that it names as its active part.
_AT = """() => {
  const focused = document.activeElement;
  const active = focused?.getAttribute("aria-activedescendant");
  return (active && document.getElementById(active)) || focused;
}"""


class ScreenReader:
    """Listens to a page."""

    def __init__(self, page: Any) -> None:
        self._page = page
        page.evaluate(_LISTEN)

    def press(self, key: str) -> str:
        """Press a key; what is announced: where the focus goes, if it moves, and then what a live region says."""
        before = self.at()
        self._page.evaluate("window.heard.length = 0")
        self._page.keyboard.press(key)
        self._page.wait_for_function(
            "([script, before]) => window.heard.length || eval(script)() !== window.wasAt", arg=[_AT, before]
        )
        self._page.evaluate("new Promise((done) => setTimeout(done, 250))")  # what follows within one breath
        now = self.at()
        said = list(self._page.evaluate("window.heard"))
        return "; ".join([*([now] if now != before else []), *said[-1:]])

    def at(self) -> str:
        """The role, name and state of what has the focus: 'button "Run"'."""
        self._page.evaluate(f"window.wasAt = ({_AT})()")
        element = self._page.evaluate_handle(f"({_AT})()").as_element()
        mark = "data-read-by-a-test"
        element.evaluate(f"(element) => element.setAttribute('{mark}', '')")
        try:
            first = str(self._page.locator(f"[{mark}]").aria_snapshot()).splitlines()[:1]
        finally:
            element.evaluate(f"(element) => element.removeAttribute('{mark}')")
        named = re.search(r'(\w+ ".*?")(?=:|$|\'| \[)((?: \[[\w=]+\])*)', first[0]) if first else None
        return named[1] + named[2] if named else ""
