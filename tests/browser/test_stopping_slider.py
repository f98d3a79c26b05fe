"""The slider below the rules: a finished vote read again as if it had stopped early."""

from __future__ import annotations

from support.explore_page import App, OpenPage, choose_strategy, wait_for_text


def to_rules(page: object) -> None:
    page.get_by_role("tab", name="Rules").click()  # type: ignore[attr-defined]


def test_a_finished_vote_is_read_again_at_every_threshold(app: App, explore: OpenPage) -> None:
    run = app.solved(strategy="majority_vote", n=32, temperature=1.2)
    page = explore(f"/?run={run}")
    to_rules(page)
    wait_for_text(page, "#stopped", "With beta:0.95 it would have answered")
    before = page.inner_text("#stopped")
    assert "of 32 draws" in before and "% saved" in before
    number = page.locator("#stop-threshold input[type=number]")
    number.fill("0.6")
    number.press("Enter")
    wait_for_text(page, "#stopped", "With beta:0.6 it would have answered")
    assert page.inner_text("#stopped") != before


def test_a_run_that_stopped_says_so_above_its_tree(app: App, explore: OpenPage) -> None:
    page = explore(f"/?run={app.solved(strategy='best_of_n', n=32, stop='beta:0.8')}")
    wait_for_text(page, "#strip", "stopped early: ")
    assert "(asked: 0.8)" in page.inner_text("#strip")


def test_a_search_has_no_slider(app: App, explore: OpenPage) -> None:
    page = explore(f"/?run={app.solved(strategy='best_of_n', n=4)}")
    to_rules(page)
    page.wait_for_selector("#stop-threshold", state="visible")
    choose_strategy(page, "Beam search")
    page.click("#run")
    page.wait_for_selector("#stop-threshold", state="hidden")
    wait_for_text(page, "#rules", "prm_last_vote")
    assert not page.is_visible("#stop-threshold")
