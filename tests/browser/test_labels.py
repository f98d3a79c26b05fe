"""Labels by keys in the tree, rollouts below its steps, and the way to the first wrong step."""

from __future__ import annotations

from typing import Any

from support.explore_page import TREE, App, OpenPage, wait_for, wait_for_text

SAYS = "#tree .st-says"


def opened(explore: OpenPage, run_id: str, node: int, **options: Any) -> Any:
    page = explore(f"/?run={run_id}&node={node}", **options)
    wait_for(page, status="done", selected=node)
    page.focus("#tree .st-plot")
    return page


def named(page: Any, name: str = "Ann") -> None:
    page.wait_for_selector("#tree .st-labeller", state="visible")
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def labels(app: App, run_id: str, name: str = "Ann") -> dict[int, float]:
    judge = f"labels: {name}"
    return {node.id: node.scores[judge] for node in app.host.store.tree(run_id).nodes if judge in node.scores}


def kept(page: Any, app: App, run_id: str, expected: dict[int, float], name: str = "Ann") -> None:
    """Waits until the store says so."""
    for _ in range(100):
        if labels(app, run_id, name) == expected:
            return
        page.wait_for_timeout(50)
    assert labels(app, run_id, name) == expected


def test_labels_by_keys_are_kept_revised_and_taken_back(explore: OpenPage, app: App) -> None:
    run_id = app.solved(strategy="best_of_n", n=4, seed=11)
    tree = app.host.store.tree(run_id)
    assert tree.chosen is not None
    path = tree.path(tree[tree.chosen])
    page = opened(explore, run_id, path[0].id)
    page.keyboard.press("3")
    wait_for_text(page, SAYS, "Whose labels are these?")
    named(page)
    wait_for_text(page, SAYS, "Step 1 right (+1).")
    kept(page, app, run_id, {path[0].id: 1.0})
    page.keyboard.press("2")
    wait_for_text(page, SAYS, "Step 1 neutral (0).")
    kept(page, app, run_id, {path[0].id: 0.5})
    wait_for_text(page, "#detail-facts .truths", "neutral (0)")
    page.keyboard.press("u")
    kept(page, app, run_id, {path[0].id: 1.0})
    page.keyboard.press("u")
    kept(page, app, run_id, {})
    page.keyboard.press("u")
    wait_for_text(page, SAYS, "Nothing to take back")

    page.evaluate(f"id => document.querySelector('{TREE}').searchTree.select(id)", path[1].id)
    page.keyboard.press("e")
    wait_for_text(page, SAYS, "Step 2 is the first error of its path.")
    kept(page, app, run_id, {path[0].id: 1.0, path[1].id: 0.0})
    page.keyboard.press("m")
    page.wait_for_function(
        "id => document.querySelector('#tree .search-tree').dataset.selected !== id", arg=str(path[1].id)
    )
    wait_for_text(page, SAYS, "2 of ")
    assert app.host.store.whole_run(run_id).answer == app.host.store.read(run_id)[0].answer


def test_labels_are_there_again_and_another_labeller_s_are_apart(explore: OpenPage, app: App) -> None:
    run_id = app.solved(strategy="best_of_n", n=4, seed=12)
    app.host.store.label(run_id, "Bob", {1: -1})
    page = opened(explore, run_id, 1)
    wait_for_text(page, "#detail-facts .truths", "labels: Bob (a person's labels): ✗ wrong (-1)")
    wait_for_text(page, "#detail-facts .truths", "exact check:")
    assert page.locator("#tree .st-truth option").all_inner_texts() == ["truth: exact check", "truth: labels: Bob"]
    page.select_option("#tree .st-truth", "labels: Bob")
    wait_for_text(page, SAYS, "Right and wrong by labels: Bob")
    page.focus("#tree .st-plot")
    page.keyboard.press("Enter")
    wait_for_text(page, SAYS, "a wrong step (labels: Bob)")
    page.keyboard.press("3")
    named(page)
    kept(page, app, run_id, {1: 1.0})
    assert labels(app, run_id, "Bob") == {1: 0.0}


def test_steps_are_estimated_by_rollouts(explore: OpenPage, app: App) -> None:
    run_id = app.solved(strategy="best_of_n", n=4, seed=13)
    page = opened(explore, run_id, 1)
    page.wait_for_function("() => document.querySelector('#picked textarea, #picked input').value === '1'")
    page.click("#rollouts button")
    page.click("#rollouts-go")
    wait_for_text(page, "#notice", "They are charged apart.")
    wait_for_text(page, "#notice", "8 rollouts below 1 step:")
    wait_for_text(page, "#detail-facts .truths", "rollouts (by the run's own policy):")
    wait_for_text(page, "#detail-facts .truths", "of 8 right")
    (scoring,) = app.host.store.scorings(run_id)
    assert scoring.kind == "estimated" and scoring.usage.generated_tokens > 0
    page.click("#rollouts-go")
    wait_for_text(page, "#notice", "This step has its estimate already")
