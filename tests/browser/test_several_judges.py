"""Several judges on one tree: colours, whose scores are shown, where they differ, one more judge, and the lab's tab."""

from __future__ import annotations

from typing import Any

import pytest
from support.accessibility import faults_in_every_look
from support.explore_page import PATIENCE_MS, TREE, App, OpenPage, attribute, wait_for, wait_for_text

from engine.runs.lab.agreement import compared
from engine.runs.lab.rescoring import rescore

OWN, WEAK, SHORT = "builtin-prm", "builtin-prm-weak", "builtin-prm-short"


@pytest.fixture(scope="module")
def judged(app: App) -> str:
    """A run with the scores of its own judge and of another."""
    run_id = app.solved(n=16, temperature=1.2)
    app.host.judging(WEAK, lambda judge: rescore(app.host.store, [run_id], judge)).result(timeout=60)
    return run_id


def at(page: Any, node: int) -> Any:
    """What the tree's colour says of a node, and where it lies on the scale."""
    return page.evaluate(
        f"""node => {{
          const view = document.querySelector('{TREE}').searchTree.view, index = view.shown.indexOf.get(node);
          return [view.shown.nodes[index].score, view.scale.values[index], view.scale.shares[index]];
        }}""",
        node,
    )


def of_weak(page: Any, node: int, score: float) -> None:
    page.wait_for_function(
        f"""([node, score]) => {{
          const {{ shown }} = document.querySelector('{TREE}').searchTree.view;
          return Math.abs(shown.nodes[shown.indexOf.get(node)].score - score) < 1e-5;
        }}""",
        arg=[node, score],
    )


def test_the_address_names_the_judges_and_the_colour(explore: OpenPage, app: App, judged: str) -> None:
    step = max(compared(app.host.store.tree(judged), WEAK, OWN), key=lambda step: abs(step.apart))
    page = explore(f"/?run={judged}&node={step.node.id}&judges={WEAK},{OWN}&color=gap")
    wait_for(page, run=judged, status="done", colour="gap", selected=step.node.id)
    score, apart, share = at(page, step.node.id)
    assert score == pytest.approx(step.a, abs=1e-5) and apart == pytest.approx(step.apart, abs=1e-5)
    assert share == pytest.approx(0.5 + step.apart / 2, abs=1e-5)
    legend = page.inner_text(f"{TREE} .st-scale")
    assert f"{OWN} higher" in legend and f"{WEAK} higher" in legend
    wait_for_text(page, "#detail-head", WEAK)
    wait_for_text(page, "#strip", f"scores by {WEAK}; decided on {OWN}")
    page.select_option(f"{TREE} .st-colour", "rankgap")
    wait_for(page, colour="rankgap")
    assert at(page, step.node.id)[1] == pytest.approx(step.ranks_apart, abs=1e-5)


def test_the_judge_is_chosen_beside_the_tree_and_everything_follows(explore: OpenPage, app: App, judged: str) -> None:
    tree = app.host.store.tree(judged)
    node = next(node for node in tree.nodes[1:] if WEAK in node.scores)
    page = explore(f"/?run={judged}&node={node.id}")
    wait_for(page, run=judged, status="done", selected=node.id)
    wait_for_text(page, "#detail-head", "PRM")
    in_frame = f"""id => {{
      const {{ view }} = document.querySelector('{TREE}').searchTree;
      return view.pixel(view.shown.indexOf.get(id));
    }}"""
    place = page.evaluate(in_frame, node.id)
    page.select_option(f"{TREE} .st-judge", WEAK)
    of_weak(page, node.id, node.scores[WEAK])
    wait_for_text(page, "#detail-head", f"{WEAK} {node.scores[WEAK]:.2f}")
    wait_for_text(page, "#strip", f"scores by {WEAK}")
    assert f"judges={WEAK},{OWN}" in page.url
    assert page.inner_text(f"{TREE} .st-scale").startswith(WEAK)
    assert page.evaluate(in_frame, node.id) == place  # another judge moves nothing
    # At an earlier moment the steps that were there have this judge's scores, too.
    page.click("#tree .rp-start")
    page.click("#tree .rp-next")
    page.wait_for_function(f"document.querySelector('{TREE}').dataset.seq !== ''")
    first = next(step for step in tree.nodes if step.depth == 1 and WEAK in step.scores)
    of_weak(page, first.id, first.scores[WEAK])
    page.click("#tree .rp-end")
    page.select_option(f"{TREE} .st-judge", OWN)
    wait_for_text(page, "#detail-head", "PRM")
    page.wait_for_function("!document.querySelector('#strip').innerText.includes('scores by')")


def test_a_run_of_one_judge_offers_none(explore: OpenPage, app: App) -> None:
    run_id = app.solved(n=4, seed=5)
    page = explore(f"/?run={run_id}")
    wait_for(page, run=run_id, status="done")
    assert page.locator(f"{TREE} .st-judge").is_hidden() and page.locator(f"{TREE} .st-against").is_hidden()


def test_the_steps_that_judges_differ_on_are_listed_and_lead_into_the_tree(
    explore: OpenPage, app: App, judged: str
) -> None:
    steps = sorted(compared(app.host.store.tree(judged), OWN, WEAK), key=lambda step: (-abs(step.apart), step.node.id))
    page = explore(f"/?run={judged}")
    wait_for(page, run=judged, status="done")
    page.get_by_role("tab", name="Second opinions").click()
    wait_for_text(page, "#several", "Spearman's rho")
    rows = page.locator("#several .apart tbody tr button[data-pick]")
    assert rows.first.get_attribute("data-pick") == str(steps[0].node.id)
    rows.first.click()
    wait_for(page, selected=steps[0].node.id)
    page.click("#several .apart th:nth-child(5) button")
    top = max(abs(step.ranks_apart) for step in steps)
    first = page.locator("#several .apart tbody tr td:nth-child(5)").first.get_attribute("data-value")
    assert float(first or 0) == pytest.approx(top)
    for judge in (WEAK, "a constant", "shorter is better", "the exact check"):
        assert page.locator("#several .what-if tbody tr", has_text=judge).count() == 1
    page.focus("#several .what-if [data-mark]")
    page.wait_for_function(f"document.querySelector('{TREE}').dataset.marked !== undefined")


def test_a_tree_is_scored_by_one_more_judge_which_is_then_shown(explore: OpenPage, app: App) -> None:
    run_id = app.solved(n=8, seed=9)
    page = explore(f"/?run={run_id}")
    wait_for(page, run=run_id, status="done")
    page.get_by_role("tab", name="Second opinions").click()
    page.click("#other-judge input")
    page.get_by_role("option", name="PRM biased to short").click()
    wait_for_text(page, "#other-cost", "positions to read")
    page.click("#other-score:not([disabled])")
    wait_for_text(page, "#other-cost", f"{SHORT} scored")
    wait_for_text(page, "#strip", f"scores by {SHORT}; decided on {OWN}")
    tree = app.host.store.tree(run_id)
    node = next(node for node in tree.nodes if SHORT in node.scores)
    of_weak(page, node.id, node.scores[SHORT])
    assert attribute(page, "run") == run_id
    page.click("#other-score:not([disabled])")  # again: there is nothing to add
    wait_for_text(page, "#other-cost", "has scored its steps already")


def test_the_lab_compares_judges_and_its_numbers_lead_to_trees_in_two_clicks(
    explore: OpenPage, app: App, judged: str
) -> None:
    page = explore()
    page.goto(f"{app.url}/lab?tab=judges&run={judged}")
    page.click("#judges-compare")
    page.wait_for_selector("#judges-agree table", timeout=PATIENCE_MS)
    page.click("#judges-steer")
    page.wait_for_selector("#judges-steered table", timeout=PATIENCE_MS)
    assert {"a constant", "shorter is better", WEAK} <= set(
        page.locator("#judges-steered tbody tr td:first-child").all_inner_texts()
    )
    page.locator("#judges-agree summary").first.click()
    assert faults_in_every_look(page, "#judges-agree .places a") == []
    page.locator("#judges-agree .places a").first.click()
    step = max(compared(app.host.store.tree(judged), OWN, WEAK), key=lambda step: (abs(step.apart), -step.node.id))
    wait_for(page, run=judged, selected=step.node.id, colour="gap")
