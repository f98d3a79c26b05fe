"""The lab's Calibration, Useful width and Faults tabs: from each number to a tree in two clicks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.accessibility import faults_in_every_look
from support.explore_page import TREE, App

from engine.domains.builtin.sets import problem_set
from engine.runs.lab.rescoring import rescore
from engine.runs.question import Question
from engine.search.params import RunParams

WEAK, TAG = "builtin-prm-weak", "statistics"


@pytest.fixture(scope="module")
def lab(app: App) -> Iterator[App]:
    """Twenty problems' draws, scored by the judge that they came with and by the weak one."""
    ids = []
    for each in problem_set("builtin-1000")[:20]:
        running = app.host.submit(Question(each.text, each.answer), RunParams("best_of_n", n=12, temperature=1.3))
        running.future.result(timeout=120)
        ids.append(running.id)
    app.host.store.flush()
    for run_id in ids:
        app.host.store.describe(run_id, [TAG], None)
    app.host.judging(WEAK, lambda judge: rescore(app.host.store, ids, judge)).result(timeout=120)
    yield app


@pytest.fixture
def tab(lab: App, chromium_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens a tab of the lab and lets it measure."""

    def open_tab(name: str, **options: Any) -> Any:
        page = chromium_page(f"{lab.url}/lab?tab={name}&tag={TAG}", **options)
        page.locator(f"#{name}-measure").click()
        page.wait_for_selector(f"#{name}-answer .lab-answer", timeout=60_000)
        return page

    return open_tab


def _to_a_tree(page: Any, opener: str) -> None:
    """Two clicks: the number, and the first entry of its list."""
    page.locator(opener).first.click()
    first = page.locator(".behind:popover-open a").first
    wanted = first.get_attribute("href")
    first.click()
    page.wait_for_selector(f"{TREE}[data-status=done]", timeout=60_000)
    run, node = re.match(r"\./\?run=([\w-]+)&node=(\d+)", wanted).groups()  # type: ignore[union-attr]
    assert f"run={run}" in page.url and f"node={node}" in page.url


def test_from_a_bin_to_a_step(tab: Callable[..., Any]) -> None:
    page = tab("calibration")
    said = page.locator("#calibration-answer").inner_text()
    assert "20 runs were read" in said and "expected calibration error" in said
    counts = [int(each.replace(",", "")) for each in page.locator(".lab-bars button").all_inner_texts()]
    steps = int(re.search(r"([\d,]+) steps of 20 problems", said).group(1).replace(",", ""))  # type: ignore[union-attr]
    assert sum(counts) == steps
    assert page.locator("#calibration-answer button.mark").count() == len(counts)
    _to_a_tree(page, "#calibration-answer .lab-bars button")


def test_from_a_width_to_a_step(tab: Callable[..., Any]) -> None:
    page = tab("width")
    text = page.locator("#width-answer").inner_text()
    assert "builtin-prm-weak" in text and "predicted K" in text
    assert page.locator("#width-answer figure").count() == 2
    _to_a_tree(page, "#width-answer .opener >> text=step 1")


def test_from_a_fault_to_an_example(tab: Callable[..., Any]) -> None:
    page = tab("faults")
    assert page.locator("#faults-answer .lab-table").count() == 3  # each judge's own, and all side by side
    rows = page.locator("#faults-answer .lab-table >> nth=0 >> tbody tr").all_inner_texts()
    assert len(rows) == 11 and all("found" in row or "cannot tell" in row for row in rows)
    _to_a_tree(page, "#faults-answer .opener >> text=Error neglect")


def test_the_same_text_cut_otherwise_and_what_that_cost(lab: App, chromium_page: Callable[..., Any]) -> None:
    page = chromium_page(f"{lab.url}/lab?tab=faults&tag={TAG}")
    page.locator("#recut").click()
    page.wait_for_selector("#recut-answer .lab-answer", timeout=60_000)
    assert re.search(r"[\d,]+ positions computed for 20 completions", page.locator("#recut-answer").inner_text())


def test_a_recalibrated_judge_is_offered_to_searches(tab: Callable[..., Any], lab: App) -> None:
    page = tab("calibration")
    page.locator("#calibration-offer").click()
    page.wait_for_selector("#calibration-told .notice.error")  # it has no name yet
    assert faults_in_every_look(page, "#calibration-told .notice.error") == []
    page.locator("#calibration-name textarea, #calibration-name input").fill("recalibrated here")
    page.locator("#calibration-offer").click()
    page.wait_for_selector("#calibration-told pre", timeout=60_000)
    assert "recalibrated" in page.locator("#calibration-told pre").inner_text()
    running = lab.host.submit(
        Question("Compute 5 + 18 * 13."), RunParams("beam_search", n=4, width=2), scorer="recalibrated here"
    )
    running.future.result(timeout=60)
    lab.host.store.flush()
    assert lab.host.store.whole_run(running.id).judge == "recalibrated here"


@pytest.mark.parametrize("name", ["calibration", "width", "faults"])
def test_axe_finds_nothing_in_what_was_measured_and_in_what_opens(tab: Callable[..., Any], name: str) -> None:
    page = tab(name)
    for summary in page.locator(f"#{name}-answer details > summary").all():
        summary.click()
    assert faults_in_every_look(page, f"#{name}-answer .lab-answer") == []
    page.locator(f"#{name}-answer [popovertarget]").first.click()
    assert faults_in_every_look(page, ".behind:popover-open") == []


@pytest.mark.parametrize("options", [{"width": 390}, {"dark": True}])
def test_nothing_scrolls_sideways(tab: Callable[..., Any], options: dict[str, Any]) -> None:
    page = tab("calibration", **options)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
