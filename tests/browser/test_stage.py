"""The page in front of people: presented, larger, with the wheel, past the form by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.explore_page import TREE, App, OpenPage, click_node, no_horizontal_scroll, wait_for, wait_for_text

FRAME = "#tree .st-frame"
LARGER = ("#strip .answer", "#run", "#tree .st-says", "#tree .st-legend", "#tree .st-moment")
SIZES = (
    f"{list(LARGER)}.map(selector => Number.parseFloat(getComputedStyle(document.querySelector(selector)).fontSize))"
)
MARK = f"""() => {{
  const {{plot}} = document.querySelector('{TREE}').searchTree.view;
  const nodes = plot.data.filter(each => each.mode === 'markers').at(-1), edges = plot.data[2];
  return [Math.max(...nodes.marker.size), edges.line.width];
}}"""


@pytest.fixture(scope="module")
def run_id(app: App) -> str:
    return app.solved(strategy="beam_search", n=16, width=4, seed=3, temperature=1.3)


def finished(explore: OpenPage, run_id: str, **options: Any) -> Any:
    page = explore(f"/?run={run_id}", **options)
    wait_for(page, status="done")
    wait_for_text(page, "#detail-head", "Step")
    return page


def height(page: Any) -> float:
    return float(page.evaluate(f"document.querySelector('{FRAME}').getBoundingClientRect().height"))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("width", "tall", "share"), [(1280, 720, 0.55), (2560, 1440, 0.75)])
def test_presenting_gives_the_tree_the_screen(
    explore: OpenPage, run_id: str, width: int, tall: int, share: float, dark: bool
) -> None:
    page = finished(explore, run_id, width=width, height=tall, dark=dark)
    before = height(page)
    page.keyboard.press("p")
    page.wait_for_selector("html.present [data-do=present][aria-pressed=true]")
    page.wait_for_function(f"least => document.querySelector('{FRAME}').clientHeight > least", arg=tall * share)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.locator("#problem textarea").bounding_box()["height"] < 60 and page.locator("#run").is_visible()
    assert page.locator("#strategy").is_hidden() and page.locator("#detail").is_hidden()
    assert page.locator("#tree .st-moment").is_visible() and page.locator("#strip .answer").is_visible()
    whole = page.locator(FRAME).bounding_box()["width"]
    assert whole > 0.9 * width
    click_node(page, 1)  # the step's text comes beside the tree, and goes again
    page.wait_for_selector("#detail", state="visible")
    wait_for_text(page, "#detail-head", "Step 1")
    assert page.locator(FRAME).bounding_box()["width"] < whole
    page.keyboard.press("Escape")
    page.wait_for_selector("#detail", state="hidden")
    page.keyboard.press("Escape")
    page.wait_for_selector("html:not(.present) [data-do=present][aria-pressed=false]")
    page.wait_for_function(f"before => document.querySelector('{FRAME}').clientHeight <= before + 2", arg=before)


@pytest.mark.parametrize("dark", [False, True])
def test_large_is_half_as_large_again_in_both_modes(explore: OpenPage, run_id: str, dark: bool) -> None:
    page = finished(explore, run_id, dark=dark)
    before, marks = page.evaluate(SIZES), page.evaluate(MARK)
    page.click("[data-do=large]")
    page.wait_for_selector("html.large [data-do=large][aria-pressed=true]")
    page.wait_for_function(f"before => ({SIZES}).every((size, place) => size / before[place] >= 1.3)", arg=before)
    page.wait_for_function(f"edge => ({MARK})()[1] > 1.4 * edge", arg=marks[1])
    assert page.evaluate(MARK)[0] >= marks[0]


def test_the_wheel_scrolls_the_page_and_zooms_with_ctrl(explore: OpenPage, run_id: str) -> None:
    page = finished(explore, run_id)
    spot = page.locator(FRAME).bounding_box()
    page.mouse.move(spot["x"] + 60, spot["y"] + 60)
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 100")
    page.wait_for_selector(".wheel-hint")
    assert page.get_attribute(TREE, "data-zoomed") == "false"
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    wait_for(page, zoomed="true")
    page.wait_for_selector(".wheel-hint", state="detached")
    page.mouse.wheel(0, -100)
    page.wait_for_function("scrollY < 150")
    assert page.locator(".wheel-hint").count() == 0  # it is told once


def test_the_first_stop_of_the_keyboard_leads_to_the_tree(explore: OpenPage, run_id: str) -> None:
    page = finished(explore, run_id)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the tree"
    assert page.evaluate("getComputedStyle(document.activeElement).clipPath") == "none"  # it is seen then
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    wait_for(page, selected=0)


def test_a_phone_leads_from_run_to_strip_and_from_a_tap_to_the_sheet(explore: OpenPage) -> None:
    page = explore(width=390, height=844, touch=True)
    before = page.get_attribute(TREE, "data-run")
    page.locator("#run").tap()
    page.wait_for_function(f"before => document.querySelector('{TREE}').dataset.run !== before", arg=before)
    wait_for(page, status="done")
    top = "selector => document.querySelector(selector).getBoundingClientRect().top"
    page.wait_for_function(f"Math.abs(({top})('#strip')) < 30 && ({top})('{FRAME}') < innerHeight / 2")
    assert page.locator("#detail-close button").is_hidden()
    wait_for_text(page, "#detail-head", "Step")
    spot = page.evaluate(f"document.querySelector('{TREE}').searchTree.position(1)")
    page.touchscreen.tap(spot["x"], spot["y"])
    page.wait_for_selector("html.sheet #detail-close button", state="visible")
    wait_for(page, selected=1)
    wait_for_text(page, "#detail-head", "Step 1")
    sheet, tree = page.locator("#detail").bounding_box(), page.locator(FRAME).bounding_box()
    assert abs(sheet["y"] + sheet["height"] - 844) < 2 and sheet["height"] < 0.5 * 844
    page.wait_for_function(f"Math.abs(({top})('{FRAME}')) < 30")
    assert tree["height"] < 0.6 * 844
    row = page.locator("#detail-facts button.step em").first
    assert row.bounding_box()["width"] > 180 and len(row.inner_text()) > 15
    no_horizontal_scroll(page)
    page.locator("#detail-close button").tap()
    page.wait_for_selector("html:not(.sheet)")
    assert page.locator("#detail-close button").is_hidden()


def test_compare_is_presented_too(app: App, chromium_page: Callable[..., Any]) -> None:
    runs = [app.solved(strategy=strategy, n=8, width=4) for strategy in ("best_of_n", "beam_search")]
    page = chromium_page(f"{app.url}/compare?runs={','.join(runs)}", width=1280, height=720)
    page.wait_for_selector("#tree-b .search-tree[data-status=done]")
    page.click("[data-do=present]")
    page.wait_for_selector("html.present")
    boxes = [page.locator(f"#tree-{letter} .st-frame").bounding_box() for letter in "ab"]
    assert all(box["height"] > 0.45 * 720 and box["width"] > 0.45 * 1280 for box in boxes)
    assert page.locator("#replay-compare .st-replay").is_visible() and page.locator("#comparison").is_hidden()
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
