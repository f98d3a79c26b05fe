"""From page to page and back: the history has an entry for each run, titles name it, and links carry it over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.explore_page import PATIENCE_MS, App, OpenPage, attribute, fill, start, wait_for, wait_for_text

TREE_A = "#tree-a .search-tree"


def wait_for_title(page: Any, *parts: str) -> None:
    page.wait_for_function("parts => parts.every((part) => document.title.includes(part))", arg=list(parts))


def test_back_shows_the_run_before_and_forward_the_next(explore: OpenPage) -> None:
    page = explore()
    example = attribute(page, "run")
    start(page, strategy="Best of N", n="4")
    wait_for(page, status="done")
    first = attribute(page, "run")
    fill(page, "problem", "Compute 18 * 20.")
    start(page, strategy="Greedy")
    wait_for(page, status="done")
    second = attribute(page, "run")
    assert f"run={second}" in page.url
    page.keyboard.press("End")
    page.go_back()
    wait_for(page, run=first, status="done")
    assert page.input_value("#strategy input") == "Best of N"
    page.go_back()
    wait_for(page, run=example, status="done")
    page.go_forward()
    wait_for(page, run=first, status="done")
    page.go_forward()
    wait_for(page, run=second, status="done")
    assert page.input_value("#problem textarea") == "Compute 18 * 20."


def test_titles_name_the_problem_and_the_strategy(explore: OpenPage, app: App) -> None:
    page = explore()
    wait_for_title(page, "Reasoning Tree Explorer", " - Beam search - ")
    fill(page, "problem", "Compute 18 * 20.")
    start(page, strategy="Best of N", n="4")
    wait_for_title(page, "Compute 18 * 20. - Best of N - Reasoning Tree Explorer")
    runs = [app.solved(strategy=strategy) for strategy in ("beam_search", "dvts")]
    page.goto(f"{app.url}/compare?runs={','.join(runs)}")
    wait_for_title(page, " - Beam search / DVTS - Reasoning Tree Explorer")


def compare_anew(page: Any) -> str:
    """Press Run on Compare; the first run of what it starts."""
    fill(page, "n", "4")
    before = page.get_attribute(TREE_A, "data-run")
    page.click("#run")
    page.wait_for_selector(f"{TREE_A}[data-status=done]:not([data-run='{before}'])", timeout=PATIENCE_MS)
    return str(page.get_attribute(TREE_A, "data-run"))


def test_a_comparison_is_an_entry_of_the_history(app: App, chromium_page: Callable[..., Any]) -> None:
    page = chromium_page(f"{app.url}/compare")
    page.wait_for_selector("#comparison >> text=Choose two to four strategies", timeout=PATIENCE_MS)
    shown = compare_anew(page)
    page.go_back()
    page.wait_for_selector("#comparison >> text=Choose two to four strategies", timeout=PATIENCE_MS)
    assert "runs=" not in page.url
    page.go_forward()
    page.wait_for_selector(f"{TREE_A}[data-run='{shown}'][data-status=done]", timeout=PATIENCE_MS)


def test_back_shows_the_comparison_before(app: App, chromium_page: Callable[..., Any]) -> None:
    first, second = (app.solved(strategy=strategy) for strategy in ("beam_search", "dvts"))
    page = chromium_page(f"{app.url}/compare?runs={first},{second}")
    page.wait_for_selector("#tree-b .search-tree[data-status=done]", timeout=PATIENCE_MS)
    compare_anew(page)
    page.go_back()
    page.wait_for_selector(f"{TREE_A}[data-run='{first}'][data-status=done]", timeout=PATIENCE_MS)


def test_explore_in_the_header_leads_to_my_run(explore: OpenPage) -> None:
    page = explore()
    start(page, strategy="Best of N", n="4")
    wait_for(page, status="done")
    mine = attribute(page, "run")
    for elsewhere in ("Compare", "Runs"):
        page.click(f"#header nav >> text={elsewhere}")
        page.wait_for_selector("#run:not([disabled]), .runs[aria-busy=false]")
        page.click("#header nav >> text=Explore")
        wait_for(page, run=mine, status="done")


def test_without_a_run_of_mine_explore_leads_to_the_first_of_the_comparison(explore: OpenPage, app: App) -> None:
    runs = [app.solved(strategy=strategy) for strategy in ("beam_search", "dvts")]
    page = explore()  # shows an example, which is nobody's run
    page.goto(f"{app.url}/compare?runs={','.join(runs)}")
    page.wait_for_selector(f"{TREE_A}[data-status=done]", timeout=PATIENCE_MS)
    page.click("#header nav >> text=Explore")
    wait_for(page, run=runs[0], status="done")
    page.click("#header nav >> text=Compare")
    page.wait_for_selector(f"{TREE_A}[data-run='{runs[0]}']", timeout=PATIENCE_MS)


def test_compare_this_carries_the_problem_models_and_settings_over(explore: OpenPage, app: App) -> None:
    run_id = app.solved(strategy="dvts", n=12, width=3, seed=77, temperature=0.5)
    problem = app.host.store.run(run_id).problem
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done")
    page.click("#strip >> text=Compare this")
    page.wait_for_selector("#notice >> text=A is as in your run of DVTS", timeout=PATIENCE_MS)
    values = {name: page.input_value(f"#{name} :is(textarea, input)") for name in
              ("problem", "strategy-a", "strategy-b", "strategy-c", "n", "m", "seed")}  # fmt: skip
    assert values == {"problem": problem, "strategy-a": "DVTS", "strategy-b": "Best of N", "strategy-c": "none",
                      "n": "12", "m": "3", "seed": "77"}  # fmt: skip
    page.click("#run")
    page.wait_for_selector("#tree-b .search-tree[data-status=done]", timeout=PATIENCE_MS)
    assert "like=" not in page.url
    again = app.host.store.run(str(page.get_attribute(TREE_A, "data-run")))
    first = app.host.store.run(run_id)
    assert (again.problem, again.strategy, again.params, again.policy, again.scorer) == (
        first.problem, first.strategy, first.params, first.policy, first.scorer,
    )  # fmt: skip


def test_an_unknown_run_offers_the_list(app: App, chromium_page: Callable[..., Any]) -> None:
    for path in ("/?run=nosuchrun", "/compare?runs=nosuchrun,neither", "/compare?like=nosuchrun"):
        page = chromium_page(app.url + path)
        wait_for_text(page, "#notice", "No run has the id 'nosuchrun'")
        page.click("#notice >> text=See the list of runs")
        page.wait_for_url("**/runs")
        page.wait_for_selector(".runs[aria-busy=false]")
