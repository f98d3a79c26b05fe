"""The Explore page beside other runs and pages, by keyboard, in the dark, on a phone."""

from __future__ import annotations

import subprocess
import sys

from support.explore_page import (
    LONG,
    PATIENCE_MS,
    TREE,
    App,
    OpenPage,
    attribute,
    begins_to_grow,
    choose_strategy,
    fill,
    grows_beyond,
    no_horizontal_scroll,
    start,
    wait_for,
    wait_for_text,
)

from engine.store.ids import new_run_id

# --- runs of others -------------------------------------------------------------------------------------------------


def test_two_pages_search_at_once(explore: OpenPage, app: App) -> None:
    pages = [explore(), explore()]
    for seed, page in enumerate(pages, start=20):
        start(page, seed=str(seed), n="16")
    for page in pages:
        wait_for(page, status="done")
    ids = [attribute(page, "run") for page in pages]
    assert len(set(ids)) == 2
    assert [app.host.store.run(run_id).params["seed"] for run_id in ids] == [20, 21]


def test_closing_the_tab_stops_nothing(explore: OpenPage, app: App) -> None:
    page = explore()
    start(page, **LONG)
    seen = begins_to_grow(page)
    run_id = attribute(page, "run")
    page.close()
    # Opened again it has grown on.
    page = explore(f"/?run={run_id}")
    grows_beyond(page, seen)
    app.host.stop(run_id)
    page.wait_for_selector(f"{TREE}:is([data-status=stopped], [data-status=done])", timeout=PATIENCE_MS)


OTHER_PROCESS = """
import sys, time
from engine.search.events import Decision, ModelInfo, RunStarted, StepSampled, StepScored, Usage
from engine.store import Store

url, run_id = sys.argv[1:]
store = Store.open(url)
policy = ModelInfo("built-in", 520_000, 512)
store.record([RunStarted(run_id, "2026-01-02T03:04:05.678Z", "What is 3 + 4?", None, "majority_vote",
                         {"n": 4, "select": "majority_vote"}, policy, None)], Usage(), run_id)
node = 0
for line in sys.stdin:                      # one more step for each line
    node += 1
    store.record([StepSampled(node, node, node - 1, node, f"step {node}", None, 5, -1.0, "step")], Usage(), run_id)
    store.flush()
    print(node, flush=True)
"""


def test_a_run_of_another_process_grows_and_its_death_is_told(explore: OpenPage, app: App) -> None:
    run_id = new_run_id()
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, app.host.store.url, run_id],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdin and other.stdout
    try:

        def grow() -> None:
            assert other.stdin and other.stdout
            other.stdin.write("\n")
            other.stdin.flush()
            other.stdout.readline()

        grow()
        page = explore(f"/?run={run_id}")
        wait_for(page, nodes=2, status="running")
        grow()
        wait_for(page, nodes=3, status="running")
        page.wait_for_selector("#run:not([disabled])")  # it is not ours to wait for, nor to stop
        assert page.locator("#stop").is_disabled()
    finally:
        other.kill()
        other.communicate(timeout=20)
    page.reload()
    wait_for(page, nodes=3, status="interrupted")
    wait_for_text(page, "#strip", "interrupted")


# --- manners --------------------------------------------------------------------------------------------------------


def test_keys(explore: OpenPage, app: App) -> None:
    page = explore()
    fill(page, "n", "512")
    choose_strategy(page, "Best of N")
    page.locator("#header h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.closest('#problem') !== null")
    page.keyboard.press("End")
    page.keyboard.type(" rs?/")  # typed, not obeyed
    assert page.input_value("#problem textarea").endswith(" rs?/")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    before = app.runs()
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    page.wait_for_selector("#help", state="hidden")
    assert app.runs() == before
    page.keyboard.press("r")
    begins_to_grow(page)
    page.keyboard.press("s")
    wait_for(page, status="stopped")


def test_dark_is_remembered(explore: OpenPage) -> None:
    page = explore()
    button = page.locator("[data-do=dark]")
    assert not page.evaluate("document.body.classList.contains('dark')")
    button.click()
    page.wait_for_selector("body.dark")
    assert button.get_attribute("aria-pressed") == "true"
    page.reload()
    page.wait_for_selector("#run")
    page.wait_for_selector("body.dark")
    page.locator("[data-do=dark]").click()
    page.wait_for_selector("body:not(.dark)")


def test_a_phone_needs_no_sideways_scrolling(explore: OpenPage) -> None:
    page = explore(width=390, height=844, touch=True)
    no_horizontal_scroll(page)
    page.click("#more button")
    page.wait_for_selector("#temperature", state="visible")
    no_horizontal_scroll(page)
    start(page)
    wait_for(page, status="done")
    wait_for_text(page, "#detail-head", "Step")
    no_horizontal_scroll(page)
    page.get_by_role("tab", name="Cost").click()
    no_horizontal_scroll(page)
    page.locator("[data-do=large]").click()
    page.wait_for_selector("html.large")
    no_horizontal_scroll(page)


def test_the_page_moves_as_little_as_it_can_while_a_search_runs(explore: OpenPage) -> None:
    page = explore()
    top = "document.querySelector('#tree').getBoundingClientRect().top"
    start(page, **LONG)
    page.wait_for_selector("#strip .strip")
    begins_to_grow(page)
    page.evaluate(
        f"""() => {{ window.tops = new Set(); const look = () => {{ window.tops.add(Math.round({top}));
        requestAnimationFrame(look); }}; look(); }}"""
    )
    page.wait_for_selector("#ticker .ticker")
    page.click("#stop")
    wait_for(page, status="stopped")
    page.wait_for_selector("#ticker .ticker", state="detached")
    assert page.evaluate("[...window.tops].length") == 1
