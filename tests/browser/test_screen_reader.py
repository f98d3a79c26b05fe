"""The walk of a screen reader through a run is what docs/accessibility.md says, word by word."""

from __future__ import annotations

import re

from support.explore_page import OpenPage
from support.places import ROOT
from support.screen_reader import ScreenReader

PAGE = ROOT / "docs" / "accessibility.md"


def walk() -> list[tuple[str, str]]:
    """The rows of the page's table: a key, and what is announced."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(r"^\| <kbd>(.+?)</kbd> \| (.+?) \|", text, re.MULTILINE)


def test_what_is_announced_at_each_key(explore: OpenPage) -> None:
    page = explore()
    reader = ScreenReader(page)
    assert len(walk()) >= 12
    for number, (key, announced) in enumerate(walk(), 1):
        assert reader.press(key) == announced, f"row {number}, {key}"
