"""What a parameter on a strategy's card rings: the nodes of a real search, found in its events."""

from __future__ import annotations

import json

import pytest
from support.finished_runs import Finished, Solve

from engine.search.strategies import STRATEGIES
from engine.search.tree import Node, Tree
from tts_ui.web.strategy_cards import card, marks
from tts_ui.web.strategy_cards.card import card_texts
from tts_ui.web.strategy_cards.marks import MARKINGS


def nodes_of(run: Finished, mark: str, selected: Node | None = None) -> list[Node]:
    return [run.tree[node] for node in marks(run.record, run.tree, selected)[mark]["nodes"]]


def says(run: Finished, mark: str, selected: Node | None = None) -> str:
    return marks(run.record, run.tree, selected)[mark]["says"]


def kept(tree: Tree, depth: int) -> set[Node]:
    return {node for node in tree.nodes if node.depth == depth and any(d.action == "keep" for d in node.decisions)}


def test_n_first_draws_are_n_draws(solved: Solve) -> None:
    run = solved("beam_search")
    assert sum(node.copies for node in nodes_of(run, "first_draws")) == 16
    assert says(run, "first_draws").startswith("16 first draws, ")


def test_survivors_are_those_of_the_selected_level(solved: Solve) -> None:
    run = solved("beam_search")
    assert set(nodes_of(run, "survivors")) == kept(run.tree, 1)
    deeper = next(node for node in run.tree.nodes if node.depth == 3)
    survivors = nodes_of(run, "survivors", deeper)
    assert set(survivors) == kept(run.tree, 3) and 1 <= len(survivors) <= 4
    ranks = [node.decisions[0].numbers["rank"] for node in survivors]
    assert ranks == sorted(ranks)
    assert "K = 4" in says(run, "survivors", deeper) and "at step 3" in says(run, "survivors", deeper)


def test_a_level_without_survivors_shows_the_last_that_had_some(solved: Solve) -> None:
    run = solved("beam_search")
    deepest = max(node.depth for node in run.tree.nodes)
    last = max(depth for depth in range(deepest + 1) if kept(run.tree, depth))
    leaf = next(node for node in run.tree.nodes if node.depth == deepest)
    assert set(nodes_of(run, "survivors", leaf)) == kept(run.tree, last)


def test_m_children_are_those_of_the_selected_step_or_its_family(solved: Solve) -> None:
    run = solved("beam_search")
    parent = next(node for node in run.tree.nodes[1:] if node.children)
    assert nodes_of(run, "children", parent) == run.tree.children(parent)
    slots = next(decision.numbers["slots"] for decision in parent.decisions if decision.reason == "rank")
    assert sum(child.copies for child in run.tree.children(parent)) == 4 * slots
    leaf = next(node for node in run.tree.nodes if node.depth > 1 and not node.children)
    assert leaf in nodes_of(run, "children", leaf)
    assert nodes_of(run, "children")[0].depth == 2


def test_each_subtree_of_dvts_has_one_head(solved: Solve) -> None:
    run = solved("dvts")
    assert says(run, "subtrees").startswith("4 subtrees at step 1")
    assert all(any(d.reason == "subtree_rank" for d in node.decisions) for node in nodes_of(run, "subtrees"))


def test_looking_ahead_is_the_rollout_that_judged_the_step(solved: Solve) -> None:
    run = solved("lookahead", lookahead=2)
    step = next(node for node in run.tree.nodes if any("end" in d.numbers for d in node.decisions))
    rollout = nodes_of(run, "ahead", step)
    assert [node.depth for node in rollout] == [step.depth + 1, step.depth + 2]
    assert all(step in run.tree.path(node) for node in rollout)
    assert rollout[-1].id == step.decisions[0].numbers["end"]


def test_exploration_is_the_way_of_one_iteration(solved: Solve) -> None:
    run = solved("mcts")
    way = nodes_of(run, "entered")
    assert [node.depth for node in way] == list(range(1, len(way) + 1))
    assert way == run.tree.path(way[-1])
    first = nodes_of(run, "entered", way[0])
    assert way[0] in first


def test_the_probe_is_what_was_sampled_before_the_choice(solved: Solve) -> None:
    run = solved("compute_optimal")
    samples = nodes_of(run, "probe")
    assert 0 < len(samples) <= 4
    assert {node.id for node in samples} < {node.id for node in nodes_of(run, "completions")}


def test_shares_add_up_to_the_draws_below(solved: Solve) -> None:
    run = solved("rebase")
    assert says(run, "shares").split(": ")[1] == ", ".join(
        str(sum(child.copies for child in run.tree.children(node))) for node in nodes_of(run, "shares")
    )


def test_voters_gave_the_answer(solved: Solve) -> None:
    run = solved("best_of_n")
    voters = nodes_of(run, "voters")
    assert {run.record.grades[str(node.answer)].group for node in voters} == {run.record.answer}
    assert sum(node.copies for node in voters) == int(says(run, "voters").split()[0])


def test_a_search_that_has_not_begun_has_nothing_to_ring(solved: Solve) -> None:
    run = solved("beam_search")
    empty = marks(run.record, Tree(run.record.problem), None)
    assert not any(mark["nodes"] for mark in empty.values())
    assert all(mark["says"] for mark in empty.values())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_has_a_card_whose_parameters_ring_something(solved: Solve, strategy: str) -> None:
    run = solved(strategy)
    found = marks(run.record, run.tree, None)
    text = card_texts()[strategy]
    assert text.what and text.source and text.parameters
    assert all(found[parameter.mark]["nodes"] for parameter in text.parameters)
    html = card(run.record, "tree")
    assert "{" not in html and html.count("data-mark") == len(text.parameters)
    json.dumps(found)


def test_no_card_text_names_a_mark_that_is_none() -> None:
    assert {parameter.mark for text in card_texts().values() for parameter in text.parameters} == set(MARKINGS)
    assert set(card_texts()) == set(STRATEGIES)


def test_a_card_shows_the_settings_of_the_run(solved: Solve) -> None:
    html = card(solved("beam_search", n=8, width=2).record, "tree-b")
    assert "K = 4" in html and "M = 2" in html and "N = 8" in html and 'data-tree="tree-b"' in html
