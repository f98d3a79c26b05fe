"""What a page asks the server for, and when: what draws trees is most of it, so a page without a tree does without."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from support.explore_page import PATIENCE_MS, TREE, App, wait_for_text

#: A page that has asked for nothing at so many looks, so far apart, has what it wants.
QUIET_LOOKS, LOOK_MS = 15, 100


def asking(chromium_page: Callable[..., Any]) -> tuple[Any, list[str]]:
    """A page, and the addresses that it has asked for since it was opened."""
    page, asked = chromium_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    return page, asked


def settled(page: Any, asked: list[str]) -> None:
    """Wait until the page asks for nothing more: its own streams stay open, so that the network is never idle."""
    before, quiet = -1, 0
    while quiet < QUIET_LOOKS:
        quiet, before = quiet + 1 if len(asked) == before else 0, len(asked)
        page.wait_for_timeout(LOOK_MS)


def plotly(asked: list[str]) -> list[str]:
    return [url for url in asked if "/plotly.min.js" in url]


def test_plotly_is_fetched_once_there_is_something_to_draw(app: App, chromium_page: Callable[..., Any]) -> None:
    page, asked = asking(chromium_page)
    page.goto(f"{app.url}/compare")
    page.wait_for_selector("#tree-b .st-empty:not(:empty)", state="visible")
    settled(page, asked)
    assert any("/search_tree.js" in url for url in asked) and not plotly(asked)
    runs = [app.solved(strategy=strategy, n=4, width=2) for strategy in ("best_of_n", "beam_search")]
    page.goto(f"{app.url}/compare?runs={','.join(runs)}&view=outline")
    page.wait_for_selector("#tree-b .search-tree[data-status=done][data-view=outline]", timeout=PATIENCE_MS)
    settled(page, asked)
    assert not plotly(asked)
    page.click("#tree-a [data-view=tree]")
    page.wait_for_selector("#tree-a .search-tree[data-view=tree] .st-plot .main-svg", timeout=PATIENCE_MS)
    assert len(plotly(asked)) == 1


def test_explore_has_an_example_to_draw_and_fetches_plotly_once(app: App, chromium_page: Callable[..., Any]) -> None:
    page, asked = asking(chromium_page)
    page.goto(f"{app.url}/")
    page.wait_for_selector("#tree .search-tree[data-status=done] .main-svg", timeout=PATIENCE_MS)
    assert len(plotly(asked)) == 1


@pytest.mark.parametrize(
    ("path", "ready"),
    [("/", f"{TREE}[data-status=done]"), ("/runs", ".runs[aria-busy=false]"), ("/lab", ".score-judges input")],
)
def test_what_a_page_names_in_its_head_is_what_it_asks_for_and_comes_once(
    app: App, chromium_page: Callable[..., Any], path: str, ready: str
) -> None:
    page, asked = asking(chromium_page)
    page.goto(app.url + path)
    page.wait_for_selector(ready, timeout=PATIENCE_MS)
    settled(page, asked)
    head = httpx.get(app.url + path).text
    named = {f"{app.url}/{each}" for each in re.findall(r'<link rel="(?:module)?preload"[^>]* href="\./([^"]+)"', head)}
    files = [url for url in asked if re.search(r"/(assets|rte)/[^?]+\.(js|css)", url)]
    assert len(files) == len(set(files)), "nothing is fetched twice"
    assert len(named) > 25 and named <= set(files), "nothing is fetched for nothing"
    loaded = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    late = {url for url in set(files) - named if not re.search(r"plotly|katex|auto-render|rte/", url)}
    assert not late and named <= set(loaded)


def test_a_picture_that_cannot_be_fetched_says_so_and_the_outline_is_still_there(
    app: App, chromium_page: Callable[..., Any]
) -> None:
    run_id = app.solved(n=4, width=2)
    page, _ = asking(chromium_page)
    page.route("**/plotly.min.js*", lambda route: route.abort())
    page.goto(f"{app.url}/?run={run_id}")
    wait_for_text(page, "#tree .st-empty", "could not be loaded")
    page.goto(f"{app.url}/?run={run_id}&view=outline")
    page.wait_for_selector("#tree .search-tree[data-status=done] [role=treeitem]")
