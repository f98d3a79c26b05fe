"""The manners of the Compare page: mistakes at their fields, phones, colours; stopping and closing."""

from __future__ import annotations

from support.compare_page import Comparisons, choose, opened, tree
from support.explore_page import OpenPage, fill, wait_for_text


def test_mistakes_are_told_at_their_fields(compare: OpenPage, comparisons: Comparisons) -> None:
    page = compare()
    before = len(comparisons.host.store.runs(limit=1000))

    def refused(field: str, message: str) -> None:
        page.click("#run")
        page.wait_for_function(
            "([id, text]) => document.querySelector(`#${id} .validation-error`)?.innerText.includes(text)",
            arg=[field, message],
        )
        assert page.locator("div.validation-error").count() == 1

    choose(page, "c", "Best of N")
    refused("strategy-c", "same as B")
    choose(page, "c", "none")
    choose(page, "b", "none")
    refused("strategy-b", "two strategies")
    choose(page, "b", "Beam search")
    fill(page, "budget", "-1")
    refused("budget", "tokens")
    fill(page, "budget", "0")
    page.click("#more button")
    page.wait_for_selector("#own-b", state="visible")
    fill(page, "own-b", "M=3")
    page.locator("#more button").first.click()
    page.wait_for_selector("#own-b", state="hidden")
    refused("own-b", "does not divide")
    page.wait_for_selector("#own-b", state="visible")  # the fold has opened itself
    assert len(comparisons.host.store.runs(limit=1000)) == before


def test_a_phone_needs_no_sideways_scrolling(compare: OpenPage, comparisons: Comparisons) -> None:
    page = opened(compare, comparisons, comparisons.three(), width=390, height=844, touch=True)
    page.wait_for_selector("#charts figure")
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(fits)
    for place in "abc":
        page.click(f"#card-{place} summary")
    page.click("#more button")
    page.wait_for_selector("#temperature", state="visible")
    assert page.evaluate(fits)
    page.locator("[data-do=large]").click()
    page.wait_for_selector("html.large")
    assert page.evaluate(fits)


def test_one_run_has_one_colour_everywhere(compare: OpenPage, comparisons: Comparisons) -> None:
    page = opened(compare, comparisons, comparisons.three())
    page.wait_for_selector("#charts path", state="attached")
    colour = "selector => getComputedStyle(document.querySelector(selector)).backgroundColor"
    stroke = "selector => getComputedStyle(document.querySelector(selector)).stroke"
    for dark in (False, True):
        if dark:
            page.locator("[data-do=dark]").click()
            page.wait_for_selector("body.dark")
        seen = {page.evaluate(colour, f"#head-{place} .badge") for place in "abc"}
        assert len(seen) == 3
        for place in "abc":
            of_run = page.evaluate(colour, f"#head-{place} .badge")
            assert page.evaluate(colour, f"#comparison .badge.run-{place}") == of_run
            assert page.evaluate(stroke, f"#charts .run-{place} path") == of_run


def test_closing_the_tab_stops_nothing_and_stop_stops_all(compare: OpenPage, comparisons: Comparisons) -> None:
    page = compare()
    page.click("#models input")
    page.get_by_role("option", name="built-in L + PRM").click()
    page.wait_for_selector("[role=option]", state="detached")
    fill(page, "n", "1024")
    choose(page, "a", "MCTS (extension)")
    choose(page, "c", "none")
    page.click("#run")
    page.wait_for_selector(f"{tree('a')}[data-status=running]:not([data-nodes='1'])")
    page.wait_for_function("location.search.includes('runs=')")
    ids = page.evaluate("new URLSearchParams(location.search).get('runs')").split(",")
    page.close()
    page = compare(f"?runs={','.join(ids)}")
    for place, run_id in zip("ab", ids, strict=True):
        page.wait_for_selector(f"{tree(place)}[data-run='{run_id}']")
    page.wait_for_selector("#stop:not([disabled])")
    page.locator("#header h1").click()
    page.keyboard.press("s")
    for place in "ab":
        page.wait_for_selector(f"{tree(place)}:is([data-status=stopped], [data-status=done])")
    page.wait_for_selector("#run:not([disabled])")
    assert "stopped" in {comparisons.host.store.run(run_id).status for run_id in ids}
    wait_for_text(page, "#comparison", "(stopped)")
