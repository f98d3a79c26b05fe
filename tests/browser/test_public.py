"""A public server in a real browser: the pages work behind the door, and a run is its starter's alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.accessibility import faults, faults_in_every_look
from support.explore_page import (
    PATIENCE_MS,
    TREE,
    attribute,
    begins_to_grow,
    fill,
    grows_beyond,
    is_at_rest,
    start,
    wait_for,
    wait_for_text,
)

from engine.runs.host import Host
from engine.store import Store
from tts_ui.web.app import launch
from tts_ui.web.public.opening import Opening

TOKEN = "the token of the owner"
LONG = {"strategy": "MCTS (extension)", "n": "512"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Store.open(str(tmp_path_factory.mktemp("public") / "runs.db")) as store:
        host = Host(store, unwatched_limit_s=60)
        host.catalogue.load()
        served = launch(host, public=True, opening=Opening(keep_s=7 * 24 * 3600, owner_token=TOKEN))
        yield served.url
        served.close()
        host.close()


@pytest.fixture
def opened(url: str, chromium_page: Callable[..., Any], page_errors: list[str]) -> Callable[[str], Any]:
    """Opens a page of its own browser session; whatever the policy of the page blocks is an error on the console."""

    def open_page(path: str) -> Any:
        page = chromium_page()
        page.on("console", lambda message: page_errors.append(message.text) if message.type == "error" else None)
        page.goto(url + path)
        page.wait_for_selector(TREE)
        return page

    return open_page


def test_a_visitor_runs_stops_and_grades_and_another_only_looks_on(opened: Callable[[str], Any]) -> None:
    page = opened("")
    page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
    fill(page, "problem", "Compute 18 * 20, please.")
    start(page, **LONG)
    nodes = begins_to_grow(page)
    run_id = attribute(page, "run")
    other = opened(f"?run={run_id}")
    begins_to_grow(other)
    assert other.locator("#stop").is_disabled()
    grows_beyond(other, nodes)
    page.reload()  # the session is the browser's, not the page's
    begins_to_grow(page)
    page.wait_for_selector("#stop:not([disabled])")
    page.click("#stop")
    for each in (page, other):
        wait_for(each, status="stopped")
        is_at_rest(each)
        wait_for_text(each, "#strip", "not graded")
    assert not other.locator("#grading").count() or other.locator("#grading").is_hidden()
    page.wait_for_selector("#grading", state="visible")
    page.fill("#grading input, #grading textarea", "360")
    page.keyboard.press("Enter")
    page.wait_for_function("!document.querySelector('#strip').innerText.includes('not graded')")


def test_a_run_of_somebody_else_gives_way_to_ones_own(opened: Callable[[str], Any]) -> None:
    page = opened("")
    page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
    start(page, **LONG)
    begins_to_grow(page)
    first = attribute(page, "run")
    other = opened(f"?run={first}")
    begins_to_grow(other)
    page.click("#stop")
    wait_for(other, status="stopped")
    start(other, n="4", strategy="Best of N")
    wait_for(other, status="done")
    assert attribute(other, "run") != first


def own_rows(page: Any) -> int:
    """Rows of the list of runs that were searched here."""
    page.goto(page.url.partition("?")[0].removesuffix("runs") + "runs?origin=search")
    page.wait_for_selector(".runs[aria-busy=false]")
    return int(page.locator(".runs-list tbody tr").count())


def test_a_visitor_finds_his_runs_again_and_deletes_them_and_another_never_sees_them(
    url: str, opened: Callable[[str], Any], chromium_page: Callable[..., Any]
) -> None:
    page, other = opened(""), opened("")
    page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
    first = attribute(page, "run")
    start(page, n="4")
    page.wait_for_function(f"document.querySelector('{TREE}').dataset.run !== '{first}'")
    wait_for(page, status="done")
    wait_for_text(page, ".kept-until", "Kept until")
    assert own_rows(page) == 1 and own_rows(other) == 0
    again = page.context.new_page()  # another tab, another day
    again.goto(f"{url}runs")
    assert own_rows(again) == 1
    page.goto(f"{url}limits")
    wait_for_text(page, ".mine-says", "started 1 run")
    page.click(".mine-delete")
    page.get_by_role("button", name="No", exact=True).click()
    page.click(".mine-delete")
    page.get_by_role("button", name="Yes", exact=True).click()
    wait_for_text(page, ".mine-says", "1 run deleted")
    assert own_rows(again) == 0


def test_a_visitor_is_forgotten(url: str, chromium_page: Callable[..., Any], page_errors: list[str]) -> None:
    page = chromium_page(f"{url}limits")
    wait_for_text(page, ".mine-says", "started 0 runs")
    (before,) = page.context.cookies()
    assert before["httpOnly"] and before["sameSite"] == "Lax" and page.evaluate("document.cookie") == ""
    page.click(".mine-forget")
    page.get_by_role("button", name="Yes", exact=True).click()
    wait_for_text(page, ".mine-says", "Forgotten")
    assert page.context.cookies() == []
    page.reload()
    wait_for_text(page, ".mine-says", "started 0 runs")
    assert page.context.cookies()[0]["value"] != before["value"]


def test_the_owner_signs_in_steers_and_signs_out(
    url: str, chromium_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = chromium_page(f"{url}owner")
    page.wait_for_selector(".owner-in:not([hidden])")
    page.fill(".owner-in input", "not the token")
    page.keyboard.press("Enter")
    wait_for_text(page, ".owner-error", "not the token of this server")
    page.fill(".owner-in input", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector(".owner-desk:not([hidden])")
    page.get_by_role("button", name="Close for new runs").click()
    wait_for_text(page, ".owner-bar", "Closed for new runs")
    visitor = chromium_page(url)
    visitor.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
    visitor.click("#run")
    wait_for_text(visitor, "#notice", "takes no new runs at the moment")
    page.get_by_role("button", name="Open for new runs").click()
    wait_for_text(page, ".owner-bar", "Open for new runs.")
    page.fill(".owner-limits [name=max_n]", "7")
    page.keyboard.press("Enter")
    wait_for_text(page, ".owner-says", "Largest N: 7")
    limits = chromium_page(f"{url}limits")
    wait_for_text(limits, "#limits", "7 completions")
    page.fill(".owner-limits [name=max_n]", "512")
    page.keyboard.press("Enter")
    wait_for_text(page, ".owner-says", "Largest N: 512")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector(".owner-in:not([hidden])")
    assert page.locator(".owner-desk").is_hidden()


def test_axe_finds_nothing_in_what_a_visitor_and_the_owner_are_told(
    url: str, opened: Callable[[str], Any], chromium_page: Callable[..., Any]
) -> None:
    page = opened("")
    page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
    start(page, n="4")
    wait_for(page, status="done")
    assert faults_in_every_look(page, "#strip .kept-until") == []
    page.goto(f"{url}runs?origin=search")
    assert faults_in_every_look(page, ".runs-list td >> text=kept until 20") == []
    page.goto(f"{url}limits")
    page.click(".mine-delete:not([disabled])")
    assert faults_in_every_look(page, ".mine-do .sure") == []
    page = chromium_page(f"{url}owner")
    page.wait_for_selector(".owner-in:not([hidden])")
    page.fill(".owner-in input", "not the token")
    page.keyboard.press("Enter")
    assert faults_in_every_look(page, ".owner-error:not(:empty)") == []
    page.fill(".owner-in input", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector(".owner-desk:not([hidden])")
    page.fill(".owner-delete [name=run]", "nobody")
    page.keyboard.press("Enter")
    assert faults_in_every_look(page, ".owner-error:not(:empty)") == []


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("dark", [False, True])
def test_the_pages_of_a_public_server_have_no_fault_and_fit(
    url: str, chromium_page: Callable[..., Any], width: int, dark: bool
) -> None:
    page = chromium_page(f"{url}limits", width=width, dark=dark)
    wait_for_text(page, ".mine-says", "started")
    for path in ("limits", "owner", "in"):
        if path == "owner":
            page.goto(f"{url}owner")
            page.wait_for_selector(".owner-in:not([hidden])")
        if path == "in":
            page.fill(".owner-in input", TOKEN)
            page.keyboard.press("Enter")
            page.wait_for_selector(".owner-desk:not([hidden])")
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
