"""What axe-core finds fault with on a page."""

from __future__ import annotations

from typing import Any

import pytest

#: What can differ between a light page and a dark one.
_COLOURS = ["color-contrast", "link-in-text-block"]
_PHONE = {"width": 390, "height": 844}
_RESTS = """!document.querySelector('[aria-busy=true]')
  && document.getAnimations().every((animation) => animation.playState !== 'running')"""
_MODE = "document.body.classList.toggle('dark')"


def faults(page: Any, rules: list[str] | None = None) -> list[str]:
    """Rule, impact, and where; asked once nothing loads or moves. Only of these `rules`, if any are named."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.wait_for_function(_RESTS)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    found = axe.Axe().run(page, options=options).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node['html'][:160]}"
        for each in found for node in each["nodes"]
    ]  # fmt: skip


def faults_in_every_look(page: Any, shows: str) -> list[str]:
    """Those of a state of a page as it is, in the other mode's colours and on a phone; `shows` is what the state is
    about, and must be seen in each."""
    page.locator(shows).first.wait_for(state="visible")
    found = faults(page)
    page.evaluate(_MODE)
    found += [f"in the other mode, {each}" for each in faults(page, _COLOURS)]
    page.evaluate(_MODE)
    before = page.viewport_size
    page.set_viewport_size(_PHONE)
    page.wait_for_function("document.documentElement.classList.contains('phone')")
    assert page.locator(shows).first.is_visible(), f"{shows} is not there on a phone"
    found += [f"on a phone, {each}" for each in faults(page)]
    page.set_viewport_size(before)
    page.wait_for_function("!document.documentElement.classList.contains('phone')")
    return found
