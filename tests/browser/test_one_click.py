"""A click on Run, on either page: the form is read once, and two clicks in a row are one request."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from engine.runs.host import Host
from tts_ui.web.compare import form as compare_form
from tts_ui.web.explore import form

#: Where, what it reads the form with, how many runs it makes, its first tree and what it looks like when it is opened.
PAGES = [
    ("/", form, 1, "#tree .search-tree", "[data-status=done]"),
    ("/compare", compare_form, 3, "#tree-a .search-tree", ""),
]


@pytest.mark.parametrize(("address", "page_form", "runs", "tree", "opened"), PAGES)
def test_one_click_reads_the_form_once(
    served: tuple[Host, str], chromium_page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
    address: str, page_form: ModuleType, runs: int, tree: str, opened: str,
) -> None:  # fmt: skip
    host, url = served
    read: list[tuple[Any, ...]] = []
    request = page_form.request

    def reading(values: tuple[Any, ...], *rest: Any) -> Any:
        read.append(values)
        return request(values, *rest)

    monkeypatch.setattr(page_form, "request", reading)
    page = chromium_page(f"{url.rstrip('/')}{address}")
    page.wait_for_selector(tree + opened)
    before = len(host.store.runs(limit=1000))
    shown = page.get_attribute(tree, "data-run")
    page.click("#run")
    page.wait_for_function(
        "([tree, before]) => document.querySelector(tree).dataset.run !== before"
        " && document.querySelector(tree).dataset.status === 'done'",
        arg=[tree, shown],
    )
    assert len(read) == 1 and len(host.store.runs(limit=1000)) == before + runs


@pytest.mark.parametrize(("address", "page_form", "runs", "tree", "opened"), PAGES)
def test_two_clicks_in_a_row_are_one_request(
    served: tuple[Host, str], chromium_page: Callable[..., Any],
    address: str, page_form: ModuleType, runs: int, tree: str, opened: str,
) -> None:  # fmt: skip
    host, url = served
    page = chromium_page(f"{url.rstrip('/')}{address}")
    page.wait_for_selector(tree + opened)
    before = len(host.store.runs(limit=1000))
    shown = page.get_attribute(tree, "data-run")
    page.dblclick("#run")
    page.wait_for_function("([tree, before]) => document.querySelector(tree).dataset.run !== before", arg=[tree, shown])
    page.wait_for_selector("#run:not([disabled])")
    page.wait_for_selector("#stop[disabled]")
    assert len(host.store.runs(limit=1000)) == before + runs
