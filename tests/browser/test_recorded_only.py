"""A server that shows recorded searches alone, in a real browser: nothing on its pages asks for what it will not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.accessibility import faults
from support.explore_page import PATIENCE_MS, TREE, no_horizontal_scroll, wait_for_text

from engine.runs.host import Host
from engine.store import Store
from tts_ui.web.app import launch
from tts_ui.web.public.opening import Opening

OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Store.open(str(tmp_path_factory.mktemp("recorded") / "runs.db")) as store:
        host = Host(store)
        served = launch(host, public=True, opening=Opening(samples=True))
        yield served.url
        served.close()
        host.close()


@pytest.mark.parametrize("width", [1200, 390])
def test_compare_shows_no_empty_tree_and_leads_to_a_recorded_comparison(
    url: str, chromium_page: OpenPage, width: int
) -> None:
    page = chromium_page(f"{url}compare", width=width)
    lesson = page.locator("#comparison a")
    lesson.wait_for(timeout=PATIENCE_MS)
    assert page.locator(".tree-column:visible").count() == 0
    assert page.locator("#detail").is_hidden()
    assert faults(page) == []
    no_horizontal_scroll(page)
    lesson.click()
    for place in "ab":
        page.wait_for_selector(f"#tree-{place} .search-tree[data-status=done]", timeout=PATIENCE_MS)
    assert page.locator(".tree-column:visible").count() == 2
    assert page.locator("#detail").is_visible()


def test_the_list_of_runs_does_not_advise_to_start_one(url: str, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{url}runs")
    page.wait_for_selector(".runs[aria-busy=false] tbody tr", timeout=PATIENCE_MS)
    assert page.locator(".runs-list .hint:visible, [data-do=present]:visible").count() == 0
    page.fill(".runs [name=q]", "no such text")
    page.keyboard.press("Enter")
    wait_for_text(page, ".runs-list", "No run matches")


def test_explore_shows_a_recorded_search_and_no_form(url: str, chromium_page: OpenPage) -> None:
    page = chromium_page(url, width=390)
    page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
    wait_for_text(page, ".samples-only", "computes nothing. Choose a search; to search yourself")
    assert page.locator("#problem, #run").first.is_hidden()
    no_horizontal_scroll(page)
