"""The lessons in a browser: predict, watch, see the effect; by keyboard, after a reload, before a class, printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from support.accessibility import faults, faults_in_every_look
from support.explore_page import PATIENCE_MS, App, wait_for_text

from tts_ui.web.learn.recorded import recorded
from tts_ui.web.learn.texts import lessons

OpenPage = Callable[..., Any]
TREES = "#tree-a .search-tree", "#tree-b .search-tree"
NAMES = [lesson.name for lesson in lessons()]


@pytest.fixture
def learn(app: App, chromium_page: OpenPage) -> OpenPage:
    """Opens a lesson, ready for a prediction: `learn("judge", "&class=1", dark=True)`."""

    def open_page(lesson: str, more: str = "", **options: Any) -> Any:
        page = chromium_page(f"{app.url}/learn?lesson={lesson}{more}", **options)
        page.emulate_media(reduced_motion="reduce")  # the search is not played: it stands there whole
        page.wait_for_selector(".learn-lock, .learn-status:has(b)", state="attached")
        page.wait_for_function("document.querySelector('#learn-lesson :is(textarea, input)')?.value")
        return page

    return open_page


def predict(page: Any, choice: str) -> None:
    page.locator(f"input[value={choice}]").check()
    page.click(".learn-lock")
    page.wait_for_selector("#learn-watch", state="visible")


def watch(page: Any, trees: int = 2) -> None:
    page.click("#learn-watch")
    for tree in TREES[:trees]:
        page.wait_for_selector(f"{tree}[data-status=done]", timeout=PATIENCE_MS)


def reveal(page: Any) -> None:
    page.click(".learn-reveal")
    page.wait_for_selector(".learn-figures")


def test_the_list_leads_to_eight_lessons(app: App, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{app.url}/learn")
    page.wait_for_selector(".learn-list li")
    links = page.locator(".learn-list a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert links == [f"./learn?lesson={name}" for name in NAMES]
    assert page.locator("#header nav a[aria-current=page]").inner_text() == "Learn"
    assert page.locator("#learn-stage").is_hidden()
    assert faults(page) == []


def test_nothing_is_shown_before_the_prediction_is_locked_in(learn: OpenPage) -> None:
    page = learn("judge")
    assert page.locator(".learn-lock").is_disabled()
    assert page.locator("#learn-stage").is_hidden()
    assert page.locator(".learn-figures, [data-pick]").count() == 0
    predict(page, "half")
    assert page.locator("input[type=radio]:not([disabled])").count() == 0
    assert page.locator("#tree-a").is_hidden() and page.locator(".learn-figures").count() == 0
    assert "55 times" in page.locator(".learn-status").inner_text()


@pytest.mark.parametrize("name", NAMES)
def test_every_lesson_runs_to_its_end(learn: OpenPage, name: str) -> None:
    page, lesson = learn(name), lessons()[NAMES.index(name)]
    told = recorded(name)
    predict(page, lesson.choices[-1].id)
    watch(page, len(told.sides))
    shown = [page.get_attribute(tree, "data-run") for tree in TREES[: len(told.sides)]]
    assert shown == [side.run_id for side in told.sides]
    page.locator("[data-pick]").first.click()
    wait_for_text(page, "#detail-facts", "drawn")
    reveal(page)
    said = page.locator(".learn-verdicts").inner_text()
    right = next(choice.text for choice in lesson.choices if choice.id == lesson.answer)
    assert f"Measured: {right}" in said and f"You expected: {lesson.choices[-1].text}" in said
    rows = page.locator(".learn-figures tr")
    assert rows.count() == len(lesson.rows) + len(lesson.differences)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_by_keyboard_from_the_prediction_to_the_effect(learn: OpenPage) -> None:
    page = learn("over-optimisation")
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").endswith("learn-lock")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'learn-watch'")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{TREES[1]}[data-status=done]", timeout=PATIENCE_MS)
    page.locator(".learn-reveal").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".learn-figures")
    assert page.evaluate("document.activeElement.tagName") == "H3"
    assert "It stays the same" in page.locator(".learn-verdicts").inner_text()


def test_a_reload_changes_nothing_and_starting_again_does(learn: OpenPage) -> None:
    page = learn("judge")
    predict(page, "always")
    page.reload()
    page.wait_for_selector("#learn-watch", state="visible")
    assert page.locator("input[value=always]").is_checked() and page.locator(".learn-figures").count() == 0
    watch(page)
    reveal(page)
    page.reload()
    page.wait_for_selector(".learn-figures")
    page.wait_for_selector(f"{TREES[1]}[data-status=done]", timeout=PATIENCE_MS)
    page.click(".learn-restart")
    page.wait_for_selector(".learn-lock:disabled")
    assert page.locator("#learn-stage").is_hidden() and page.locator("input:checked").count() == 0


def test_the_same_search_with_other_dice(learn: OpenPage, app: App) -> None:
    page = learn("judge")
    predict(page, "most")
    watch(page)
    before = [page.get_attribute(tree, "data-run") for tree in TREES]
    page.click("#learn-again")
    for tree, run in zip(TREES, before, strict=True):
        page.wait_for_selector(f"{tree}[data-status=done]:not([data-run='{run}'])", timeout=PATIENCE_MS)
    runs = [app.host.store.whole_run(str(page.get_attribute(tree, "data-run"))) for tree in TREES]
    assert [run.params["seed"] for run in runs] == [1, 1]
    assert [run.scorer.name for run in runs if run.scorer] == ["builtin-prm", "builtin-prm-weak"]
    assert {run.problem for run in runs} == {recorded("judge").question.problem}


def test_before_a_class_only_the_lesson_and_its_buttons(learn: OpenPage) -> None:
    page = learn("judge", "&class=1", width=1920, height=1080)
    predict(page, "most")
    watch(page)
    reveal(page)
    for hidden in ("#header nav", "#header button", ".learn-paper", ".learn-on", "#tree-a .st-top"):
        assert page.locator(hidden).first.is_hidden(), hidden
    assert page.locator("#tree-b .st-legend").is_visible()  # what colours and shapes mean, a class must see
    assert page.locator(".learn-next").get_attribute("href") == "./learn?lesson=over-optimisation&class=1"
    assert faults_in_every_look(page, ".learn-figures") == []
    page.click(".learn-mode a")
    page.wait_for_selector("#header nav", state="visible")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_nothing_that_axe_finds_fault_with(learn: OpenPage, width: int, dark: bool) -> None:
    page = learn("who-pays", width=width, dark=dark)
    assert faults(page) == []
    predict(page, "two")
    assert faults(page) == []
    watch(page)
    reveal(page)
    page.locator("[data-pick]").first.click()
    wait_for_text(page, "#detail-facts", "drawn")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("name", NAMES)
def test_a_handout_prints_on_two_pages_at_most(app: App, chromium_page: OpenPage, name: str) -> None:
    page = chromium_page(f"{app.url}/rte/learn/handout?lesson={name}")
    assert faults(page) == []
    assert 1 <= pages(page.pdf(prefer_css_page_size=True)) <= 2


def test_notes_of_all_lessons_print_and_are_read_out(app: App, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{app.url}/rte/learn/notes")
    assert page.locator(".sheet").count() == len(NAMES)
    assert faults(page) == []
    assert pages(page.pdf(prefer_css_page_size=True)) <= 2 * len(NAMES)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))
