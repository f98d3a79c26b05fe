"""One step in every tree of the Compare page, and the cards that ring what a parameter means there."""

from __future__ import annotations

from support.compare_page import Comparisons, click_node, counterpart, opened, path_of, tree, wait_for
from support.explore_page import OpenPage, wait_for_text

from tts_ui.words.texts import without_number


def test_a_step_selected_in_one_tree_is_selected_in_the_others(compare: OpenPage, comparisons: Comparisons) -> None:
    ids = comparisons.three()
    samples, beam, votes = (comparisons.tree(run_id) for run_id in ids)
    page = opened(compare, comparisons, ids)
    shared = next(node for node in beam.nodes[1:] if node.depth == 2 and counterpart(samples, path_of(beam, node)))
    click_node(page, "b", shared.id)
    for place, there in (("a", samples), ("c", votes)):
        twin = counterpart(there, path_of(beam, shared))
        assert twin
        wait_for(page, place, selected=twin.id)
    wait_for_text(page, "#detail-text", without_number(shared.text, shared.depth).split()[0])
    wait_for_text(page, "#detail-facts", "Beam search")
    sections = page.locator("#detail-facts section")
    assert sections.count() == 3
    score = next(iter(shared.scores.values()))
    assert f"PRM {score:.2f}" in sections.nth(1).inner_text() and "kept" in sections.nth(1).inner_text()
    assert "no PRM was used" in sections.nth(2).inner_text()
    page.wait_for_function("node => location.search.endsWith(`node=${node}`)", arg=f"2.{shared.id}")
    # Keys walk one tree and the others follow; the problem is the problem everywhere.
    page.focus("#tree-b .st-plot")
    page.keyboard.press("Home")
    for place in "abc":
        wait_for(page, place, selected=0)
    wait_for_text(page, "#detail-head", "Problem")
    for _ in range(3):  # faster than Python answers: what is explained is where the walk ends
        page.keyboard.press("ArrowDown")
    wait_for_text(page, "#detail-head", "Step 3")


def test_a_step_that_occurs_in_one_tree_only_is_said_to(compare: OpenPage, comparisons: Comparisons) -> None:
    ids = [
        comparisons.solved("best_of_n"),
        comparisons.solved("beam_search", temperature=2.0, seed=1),
        comparisons.solved("majority_vote"),
    ]
    samples, beam, votes = (comparisons.tree(run_id) for run_id in ids)
    elsewhere = {(node.depth, node.text.strip()) for there in (samples, votes) for node in there.nodes}
    alone = next((n for n in beam.nodes[1:] if (n.depth, n.text.strip()) not in elsewhere), None)
    assert alone
    page = opened(compare, comparisons, ids, f"&node=2.{alone.id}")
    wait_for(page, "b", selected=alone.id)
    for place in "ac":
        wait_for(page, place, selected="")
    page.wait_for_function("document.querySelectorAll('#detail-facts .hint').length === 2")
    assert page.inner_text("#detail-facts").count("does not occur here") == 2


def test_a_card_rings_what_a_parameter_means(compare: OpenPage, comparisons: Comparisons) -> None:
    ids = comparisons.three()
    beam = comparisons.tree(ids[1])
    page = opened(compare, comparisons, ids)
    page.focus("#tree-b .st-plot")
    page.keyboard.press("Home")
    wait_for_text(page, "#detail-head", "Problem")
    page.click("#card-b summary")
    card = page.locator("#card-b .card")
    wait_for_text(page, "#card-b", "K = 2")
    card.locator("[data-mark=survivors]").hover()
    level = [node.id for node in beam.nodes if node.depth == 1 and node.status == "kept"]
    page.wait_for_selector(f"{tree('b')}[data-marked]:not([data-marked=''])")
    ringed = str(page.get_attribute(tree("b"), "data-marked")).split()
    assert sorted(map(int, ringed)) == sorted(level)
    assert page.get_attribute(tree("a"), "data-marked") in (None, "")
    wait_for_text(page, f"{tree('b')} .st-says", "K = 2")
    before = page.evaluate(f'document.querySelector("{tree("b")}").searchTree.position(1)')
    page.mouse.move(1, 1)
    page.wait_for_selector(f"{tree('b')}[data-marked='']")
    assert page.evaluate(f'document.querySelector("{tree("b")}").searchTree.position(1)') == before
    # By keys, and for the selected step's own children.
    parent = next(node for node in beam.nodes[1:] if node.children)
    click_node(page, "b", parent.id)
    wait_for_text(page, "#detail-facts", "Beam search")
    page.focus("#card-b [data-mark=children]")
    page.wait_for_selector(f"{tree('b')}[data-marked='{' '.join(map(str, parent.children))}']")
