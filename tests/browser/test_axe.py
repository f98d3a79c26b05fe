"""No page, in no state, has anything that axe-core finds fault with: 0 of every impact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.accessibility import faults
from support.explore_page import (
    PATIENCE_MS,
    TREE,
    App,
    OpenPage,
    click_node,
    fill,
    is_at_rest,
    start,
    wait_for,
    wait_for_text,
)


@pytest.fixture(scope="module")
def run_id(app: App) -> str:
    return app.solved(strategy="beam_search", n=16, width=4, seed=3, temperature=1.3)


def opened(explore: OpenPage, run_id: str, **options: Any) -> Any:
    page = explore(f"/?run={run_id}", **options)
    wait_for(page, status="done")
    wait_for_text(page, "#detail-head", "Step")
    return page


def test_the_example_of_a_first_visit(explore: OpenPage) -> None:
    assert faults(explore()) == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("toggle", ["", "large", "present", "help"])
def test_a_finished_run(explore: OpenPage, run_id: str, toggle: str, dark: bool) -> None:
    page = opened(explore, run_id, dark=dark)
    if toggle:
        page.click(f"[data-do={toggle}]")
    if toggle == "present":
        page.evaluate(f"document.querySelector('{TREE}').searchTree.select(1)")
        wait_for(page, selected=1)
    assert faults(page) == []


def test_every_tab(explore: OpenPage, run_id: str) -> None:
    page = opened(explore, run_id)
    for name in page.locator("[role=tab]:visible").all_inner_texts():
        page.get_by_role("tab", name=name).first.click()
        assert faults(page) == [], name


@pytest.mark.parametrize("dark", [False, True])
def test_the_middle_of_a_replay(explore: OpenPage, run_id: str, dark: bool) -> None:
    page = explore(f"/?run={run_id}&node=1&seq=30", dark=dark)
    wait_for(page, seq=30, selected=1)
    wait_for_text(page, "#strip .then", "searching")
    wait_for_text(page, "#answers .then", "finished")
    assert faults(page) == []


def test_a_phone_with_the_sheet(explore: OpenPage, run_id: str) -> None:
    page = opened(explore, run_id, width=390, height=844, touch=True)
    page.locator("#tree .st-frame").scroll_into_view_if_needed()
    spot = page.evaluate(f"document.querySelector('{TREE}').searchTree.position(1)")
    page.touchscreen.tap(spot["x"], spot["y"])
    page.wait_for_selector("html.sheet #detail-close button", state="visible")
    wait_for_text(page, "#detail-head", "Step")
    assert faults(page) == []


def test_a_mistake_at_a_field(explore: OpenPage) -> None:
    page = explore()
    fill(page, "n", "3")
    page.click("#run")
    page.wait_for_selector(".validation-error")
    assert faults(page) == []


def test_a_search_that_runs(explore: OpenPage, app: App) -> None:
    page = explore()
    start(page, strategy="Best of N", n="512")
    assert faults(page) == []
    page.click("#stop")
    wait_for(page, status="stopped")


def test_compare_before_and_after_a_run(app: App, chromium_page: Callable[..., Any]) -> None:
    page = chromium_page(f"{app.url}/compare")
    page.wait_for_selector("#tree-a .search-tree")
    page.wait_for_selector("#comparison p")
    assert faults(page) == []
    runs = [app.solved(strategy=strategy, n=8, width=4) for strategy in ("best_of_n", "beam_search")]
    for dark in (False, True):
        page = chromium_page(f"{app.url}/compare?runs={','.join(runs)}", dark=dark)
        page.wait_for_selector("#tree-b .search-tree[data-status=done]", timeout=PATIENCE_MS)
        wait_for_text(page, "#detail-head", "Step")
        page.wait_for_selector("#comparison table")
        assert faults(page) == []
        page.click("#replay-compare .rp-back")
        wait_for_text(page, "#head-a .then", "searching")
        assert faults(page) == []


@pytest.mark.parametrize("view", ["outline", "icicle"])
@pytest.mark.parametrize("dark", [False, True])
def test_the_other_views(explore: OpenPage, run_id: str, view: str, dark: bool) -> None:
    page = explore(f"/?run={run_id}&view={view}", dark=dark)
    wait_for(page, status="done", view=view)
    wait_for_text(page, "#detail-head", "Step")
    page.click("#tree .st-find")
    assert faults(page) == []


def test_what_can_be_tried_from_a_step(explore: OpenPage, run_id: str) -> None:
    page = opened(explore, run_id)
    click_node(page, 1)
    page.click("#intervene button")
    page.wait_for_selector("#draw-more", state="visible")
    assert faults(page) == []
    page.click("#draw-more")
    wait_for_text(page, "#strip", "goes on from another run")
    is_at_rest(page)
    assert faults(page) == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_list_of_runs(app: App, run_id: str, chromium_page: Callable[..., Any], dark: bool) -> None:
    page = chromium_page(f"{app.url}/runs", dark=dark)
    page.wait_for_selector(f"a[href*='{run_id}']")
    assert faults(page) == []
    page.get_by_role("button", name="Comparisons").click()
    page.wait_for_function("!document.querySelector(\"a[href*='./?run=']\")")
    assert faults(page) == []


@pytest.mark.parametrize("dark", [False, True])
def test_labelling_and_the_labels_tab(
    explore: OpenPage, app: App, chromium_page: Callable[..., Any], run_id: str, dark: bool
) -> None:
    app.host.store.label(run_id, "Ann", {1: 1, 2: -1})
    app.host.store.label(run_id, "Bob", {1: 1, 2: 0})
    page = explore(f"/?run={run_id}&node=1", dark=dark)
    wait_for_text(page, "#detail-facts .truths", "labels: Bob")
    page.click("#tree .st-label")
    page.click("#rollouts button")
    page.fill("#tree .st-labeller", "Ann")
    page.keyboard.press("Enter")
    wait_for_text(page, "#tree .st-labelled", "steps labelled by Ann")
    assert faults(page) == []
    page = chromium_page(f"{app.url}/lab?tab=labels&q={run_id}", dark=dark)
    page.wait_for_function(
        "id => document.querySelector('#chosen-q textarea, #chosen-q input')?.value === id", arg=run_id
    )
    fill(page, "labels-name", "Ann")
    page.click("#labels-go")
    wait_for_text(page, "#labels", "The labels of Ann")
    page.locator("#labels summary").first.click()
    assert faults(page) == []
