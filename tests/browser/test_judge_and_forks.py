"""The truth beside the score, and going on from a step: the Judge tab and what can be tried below a step's detail."""

from __future__ import annotations

from typing import Any

from support.explore_page import (
    PATIENCE_MS,
    TREE,
    App,
    OpenPage,
    attribute,
    fill,
    is_at_rest,
    start,
    wait_for,
    wait_for_text,
)

PROBLEM = "What is 34 times 56?"  # of a family, with numbers that no example has
ANSWER = "1904"


def searched(page: Any, **numbers: str) -> str:
    fill(page, "problem", PROBLEM)
    start(page, **numbers)
    wait_for(page, status="done")
    is_at_rest(page)
    return attribute(page, "run")


def pick(page: Any, node: int) -> None:
    page.evaluate(f"id => document.querySelector('{TREE}').searchTree.select(id)", node)
    wait_for(page, selected=node)
    page.wait_for_function(
        "id => document.querySelector('#picked textarea, #picked input').value === id", arg=str(node)
    )


def another_run(page: Any, before: str) -> str:
    page.wait_for_function(
        f"before => document.querySelector('{TREE}').dataset.run !== before", arg=before, timeout=PATIENCE_MS
    )
    wait_for(page, status="done")
    is_at_rest(page)
    return attribute(page, "run")


def test_the_judge_tab_shows_where_the_prm_was_wrong(explore: OpenPage, app: App) -> None:
    page = explore()
    run_id = searched(page, n="32")
    assert app.host.store.run(run_id).reference_answer == ANSWER
    page.get_by_role("tab", name="Judge").click()
    wait_for_text(page, "#judging", "finished draws")
    wait_for_text(page, "#judging", "false highs")
    rows = page.locator("#judging tbody tr")
    assert rows.count() == sum(bool(node.scores) for node in app.host.store.tree(run_id).nodes)
    page.click("#judging th:nth-child(2) button")
    assert page.get_attribute("#judging th:nth-child(2)", "aria-sort") == "descending"
    scores = [float(text) for text in page.locator("#judging tbody td:nth-child(2)").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    page.click("#judging th:nth-child(2) button")
    last = rows.last.locator("button")
    node = last.get_attribute("data-pick")
    last.click()
    wait_for(page, selected=node)
    wait_for_text(page, "#detail-head", "right" if "right" in rows.last.inner_text() else "wrong")


def test_more_draws_below_a_step_are_a_run_of_their_own(explore: OpenPage, app: App) -> None:
    page = explore()
    source = searched(page, n="8")
    before = app.host.store.tree(source)
    node = next(node for node in before.nodes[1:] if not node.terminal)
    pick(page, node.id)
    page.click("#intervene button")
    fill(page, "draws", "4")
    page.click("#draw-more")
    run_id = another_run(page, source)
    record, tree = app.host.store.run(run_id), app.host.store.tree(run_id)
    assert (record.origin, record.parent_run, record.fork_node) == ("fork", source, node.id)
    assert sum(leaf.copies for leaf in tree.completions()) == 4
    assert tree[1].text == node.text
    wait_for_text(page, "#strip", "goes on from another run")
    assert len(app.host.store.tree(source)) == len(before)
    page.click("#strip a")
    wait_for(page, run=source, status="done")


def test_a_step_of_ones_own_gets_a_rollout_value(explore: OpenPage, app: App) -> None:
    page = explore()
    source = searched(page, n="4")
    pick(page, 1)
    page.click("#intervene button")
    page.click("#try-step")
    wait_for_text(page, "#notice", "write what the step should say")
    fill(page, "own-step", "## Step 1: 30 * 56 = 1680.")
    page.click("#try-step")
    run_id = another_run(page, source)
    own = app.host.store.tree(run_id)[1]
    assert (own.origin, own.parent, own.text) == ("human", 0, "## Step 1: 30 * 56 = 1680.\n\n")
    wait_for_text(page, "#strip", "rollout value of step 1")
    wait_for_text(page, "#strip", "of 8 draws right")


def test_another_strategy_goes_on_from_here(explore: OpenPage, app: App) -> None:
    page = explore()
    source = searched(page, n="4")
    node = next(node for node in app.host.store.tree(source).nodes[1:] if not node.terminal)
    page.click("#strategy input")
    page.get_by_role("option", name="MCTS (extension)").click()
    pick(page, node.id)
    page.click("#intervene button")
    page.click("#search-here")
    record = app.host.store.run(another_run(page, source))
    assert (record.strategy, record.parent_run, record.problem) == ("mcts", source, PROBLEM)


def test_enter_runs_and_shift_enter_is_a_new_line(explore: OpenPage, app: App) -> None:
    page = explore()
    box = page.locator("#problem textarea")
    before = attribute(page, "run")
    box.fill("What is 21")
    box.press("Shift+Enter")
    box.type("times 12?")
    box.press("Enter")
    record = app.host.store.run(another_run(page, before))
    assert (record.problem, record.reference_answer) == ("What is 21\ntimes 12?", "252")


def test_a_budget_that_ends_too_early_says_where_it_went(explore: OpenPage) -> None:
    page = explore()
    page.click("#more button")
    fill(page, "budget", "40")
    searched(page, n="16")
    wait_for_text(page, "#strip", "the budget of 40 tokens went into")


def test_a_replay_takes_nothing_from_the_strip(explore: OpenPage) -> None:
    page = explore()
    searched(page, n="8")
    before = page.inner_text("#strip .strip")
    page.click("#tree .rp-start")
    page.wait_for_selector("#strip .then")
    assert page.locator("#strip .share").count() == 1
    page.click("#tree .rp-end")
    page.wait_for_selector("#strip:not(:has(.then)) .strip")
    assert page.locator("#strip .share").count() == 1
    assert page.inner_text("#strip .strip") == before
