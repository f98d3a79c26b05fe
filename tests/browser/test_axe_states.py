"""What axe-core finds in the states that a page passes through: what opens, what is refused, what is under way. Each in
light, in dark and on a phone; one page goes through many."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.accessibility import faults, faults_in_every_look
from support.explore_page import (
    LONG,
    PATIENCE_MS,
    App,
    OpenPage,
    begins_to_grow,
    click_node,
    start,
    wait_for,
    wait_for_text,
)
from support.holding import standing_still
from support.sample_runs import started

from engine.runs.lab.rescoring import rescore
from engine.search.events import RunFinished
from engine.store.document import document
from engine.store.ids import new_run_id

WEAK = "builtin-prm-weak"
LIST = ".runs[aria-busy=false]"


@pytest.fixture(scope="module")
def judged(app: App) -> str:
    """A finished run that two judges have scored and a person has begun to label."""
    run_id = app.solved(strategy="beam_search", n=16, width=4, seed=3, temperature=1.3)
    app.host.judging(WEAK, lambda judge: rescore(app.host.store, [run_id], judge)).result(timeout=60)
    app.host.store.label(run_id, "Ann", {1: 1, 2: -1})
    return run_id


@pytest.fixture(scope="module")
def failed(app: App) -> str:
    run_id = new_run_id()
    return app.recorded([started(run_id), RunFinished("failed", error="the model went away")])


def opened(explore: OpenPage, run_id: str) -> Any:
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done")
    wait_for_text(page, "#detail-head", "Step")
    return page


def test_what_opens_on_explore(explore: OpenPage, judged: str) -> None:
    page = opened(explore, judged)
    page.click("[data-do=help]")
    assert faults_in_every_look(page, "#help[open]") == []
    page.keyboard.press("Escape")
    page.click("#strip details.share summary")
    assert faults_in_every_look(page, "details.share[open] li") == []
    page.keyboard.press("Escape")
    page.click("#more > button")
    assert faults_in_every_look(page, "#temperature") == []
    page.click("#strategy input")
    assert faults_in_every_look(page, "[role=listbox]") == []


def test_the_tabs_of_a_run_that_two_judges_scored(explore: OpenPage, judged: str) -> None:
    page = opened(explore, judged)
    names = page.locator("[role=tab]:visible").all_inner_texts()
    assert len(names) >= 6
    for name in names:
        page.get_by_role("tab", name=name).first.click()
        assert faults_in_every_look(page, "[role=tabpanel]:visible") == [], name
    page.click("#other-judge input")
    page.get_by_role("option", name="PRM biased to short").click()
    wait_for_text(page, "#other-cost", "positions to read")
    assert faults_in_every_look(page, "#other-cost") == []


def test_steps_that_are_filtered_and_compared_between_judges(explore: OpenPage, judged: str) -> None:
    page = explore(f"/?run={judged}&judges={WEAK},builtin-prm&color=gap")
    wait_for(page, status="done", colour="gap")
    page.click("#tree .st-find")
    page.keyboard.type("the")
    page.wait_for_selector("#tree .st-filter", state="visible")
    assert faults_in_every_look(page, "#tree .st-filter") == []


def test_a_run_under_way_stopped_and_its_replay(app: App, explore: OpenPage) -> None:
    page = explore()
    start(page, **LONG)
    begins_to_grow(page)
    with standing_still(app.host):
        assert faults_in_every_look(page, "#stop:not([disabled])") == []
    page.click("#stop")
    wait_for(page, status="stopped")
    wait_for_text(page, "#strip", "stopped")
    assert faults_in_every_look(page, "#strip .strip") == []
    page.click("#tree .rp-start")
    wait_for_text(page, "#strip .then", "searching")
    assert faults_in_every_look(page, "#strip .then") == []


def test_a_run_that_failed_and_one_that_is_not_there(explore: OpenPage, failed: str) -> None:
    page = explore(f"/?run={failed}")
    wait_for_text(page, "#strip", "the model went away")
    assert faults_in_every_look(page, "#strip .strip") == []
    page = explore("/?run=nobody")
    assert faults_in_every_look(page, ".notice.error") == []


def test_going_on_from_a_step(explore: OpenPage, judged: str) -> None:
    page = opened(explore, judged)
    click_node(page, 1)
    page.click("#intervene button")
    page.click("#rollouts button")
    assert faults_in_every_look(page, "#draw-more") == []


def test_compare_under_way_refused_and_what_opens(
    app: App, chromium_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = chromium_page(f"{app.url}/compare?runs=nobody,either")
    assert faults_in_every_look(page, ".notice.error") == []
    page = chromium_page(f"{app.url}/compare")
    page.wait_for_selector("#tree-a .search-tree")
    page.locator("#n input").fill("256")
    page.click("#run")
    page.wait_for_selector("#tree-b .search-tree[data-status=running]", timeout=PATIENCE_MS)
    with standing_still(app.host):
        assert faults_in_every_look(page, "#stop:not([disabled])") == []
    page.click("#stop")
    page.wait_for_selector("#tree-b .search-tree[data-status=stopped]", timeout=PATIENCE_MS)
    page.wait_for_selector("details.share summary")
    page.click("details.rules summary")
    assert faults_in_every_look(page, "details.rules table") == []
    page.click("details.share summary")
    assert faults_in_every_look(page, "details.share[open] li") == []


def test_the_list_of_runs_edited_ticked_deleted_and_refused(
    app: App, chromium_page: Callable[..., Any], judged: str, failed: str, tmp_path: Path
) -> None:
    app.host.store.describe(judged, ("a tag",), "a note")
    page = chromium_page(f"{app.url}/runs")
    page.wait_for_selector(LIST)
    page.click(f"tr[data-id='{judged}'] [data-part=edit]")
    assert faults_in_every_look(page, ".runs-editor [name=tags]") == []
    page.fill(".runs-editor [name=tags]", "x" * 60)
    page.click(".runs-editor >> text=Save")
    assert faults_in_every_look(page, ".runs-editor .bad") == []
    page.keyboard.press("Escape")
    page.check("[data-part=all]")
    assert faults_in_every_look(page, ".runs-ticked") == []
    page.click("text=Untick")
    page.click(f"tr[data-id='{failed}'] [data-part=delete]")
    assert faults_in_every_look(page, ".runs-says >> text=Undo") == []
    page.click(".runs-says >> text=Undo")
    page.wait_for_selector(".runs-says >> text=brought back")
    file = tmp_path / "run.json"
    whole = document(*app.host.store.read(app.solved(strategy="best_of_n", n=2, seed=5)))
    file.write_text(json.dumps(whole | {"run": whole["run"] | {"id": new_run_id()}}))
    page.set_input_files(".runs-pick", file)
    assert faults_in_every_look(page, ".runs-says >> text=Show it") == []
    file.write_text("no run")
    page.set_input_files(".runs-pick", file)
    assert faults_in_every_look(page, ".runs-says .bad") == []
    page.goto(f"{app.url}/runs?q=nothing+like+it")
    assert faults_in_every_look(page, ".runs-list .hint") == []
    page.goto(f"{app.url}/runs?since=soon")
    assert faults_in_every_look(page, ".runs-error:not(:empty)") == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.click(".runs-unfold")
    page.wait_for_selector(".runs [name=since]", state="visible")
    assert faults(page) == []
