"""MCTS on hand-made trees: every recorded term can be worked out again from the log, and no visit is wasted."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from support.recorded import Recorded, solve, solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain
from engine.search.events import Decision, Finish
from engine.search.tree import Node, Tree


def letters(path: str, index: int) -> tuple[str, Finish]:
    """Draw i says the i-th letter; the third step is an answer."""
    letter = "abcdefgh"[index]
    return (rf"\boxed{{{letter}}}", "eos") if path.count("\n\n") == 2 else (f"{letter}\n\n", "step")


def by_path(tree: Tree) -> dict[str, Node]:
    return {"".join(step.text for step in tree.path(node)).replace("\n\n", "/"): node for node in tree.nodes[1:]}


def check_by_replay(run: Recorded, policy: str, c: float, scorer: str) -> None:
    """Work every recorded term out again from what the log says happened before it."""
    tree, visits, totals = run.tree, Counter[int](), Counter[int]()
    born = {node.id: node.seq for node in tree.nodes}

    def mean(node: Node) -> float:
        scored = [step.scores[scorer] for step in tree.path(node) if scorer in step.scores]
        return totals[node.id] / visits[node.id] if visits[node.id] else scored[-1]

    for event in run.events:
        if isinstance(event, Decision) and event.reason == "upper_bound":
            n, node = event.numbers, tree[event.node]
            parent = tree[node.parent or 0]
            siblings = [child for child in tree.children(parent) if born[child.id] < event.seq]
            likelihood = sum(math.exp(child.mean_logprob) for child in siblings)
            assert n["total"] == pytest.approx(n["value"] + n["exploration"])
            assert n["value"] == pytest.approx(mean(node))
            assert (n["visits"], n["parent_visits"]) == (visits[node.id], visits[parent.id])
            assert n["prior"] == pytest.approx(math.exp(node.mean_logprob) / likelihood)
            assert n["of"] == len(siblings)
            if policy == "uct":
                term = c * math.sqrt(math.log(1 + visits[parent.id]) / (1 + visits[node.id]))
            else:
                term = c * n["prior"] * math.sqrt(visits[parent.id]) / (1 + visits[node.id])
            assert n["exploration"] == pytest.approx(term)
        if isinstance(event, Decision) and event.reason == "mean":
            n = event.numbers
            visits[event.node] += 1
            totals[event.node] += n["value"]  # type: ignore[assignment]
            assert n["visits"] == visits[event.node]
            assert n["mean"] == pytest.approx(totals[event.node] / visits[event.node])
            assert n["value"] == pytest.approx(mean_score(tree, int(n["from"]), scorer))
    assert visits[0]


def mean_score(tree: Tree, node: int, scorer: str) -> float:
    return [step.scores[scorer] for step in tree.path(tree[node]) if scorer in step.scores][-1]


@pytest.mark.parametrize("policy", ["uct", "puct"])
@pytest.mark.parametrize("c", [0.0, 0.5, 3.0])
async def test_the_recorded_terms_add_up(models: Models, maths: Domain, policy: str, c: float) -> None:
    run = await solve(models, maths, strategy="mcts", n=12, width=4, tree_policy=policy, exploration=c)
    check_by_replay(run, policy, c, models.scorer.info.name)  # type: ignore[union-attr]


async def test_three_iterations_by_hand(maths: Domain) -> None:
    values = {"a/": 0.4, "b/": 0.6, "b/a/": 0.7, r"b/a/\boxed{a}": 0.3, "b/b/": 0.2, "a/a/": 0.1, "a/b/": 0.25}
    scorer = ScriptedScorer(lambda path: values.get(path.replace("\n\n", "/"), 0.15))
    run = await solve_with(
        ScriptedPolicy(letters), scorer, maths, strategy="mcts", n=2, width=2, exploration=0.5, problem="p"
    )
    nodes, tree = by_path(run.tree), run.tree
    # 1: the root's children a and b; b, the better, is rolled out to an answer of 0.3. Best new value: 0.6, that of b.
    # 2: b, whose rollout b/a is one of its two children; b/b is the other and the only new node: 0.2.
    # 3: a, for b is worth 0.2 + 0.5 sqrt(ln 3 / 2) by now. Children a/a and a/b; a/b leads to the second answer.
    numbers = [d.numbers for d in tree.root.decisions if d.action == "backup"]
    assert numbers[0] == {"iteration": 1, "value": 0.6, "from": nodes["b/"].id, "visits": 1, "mean": 0.6}
    assert (numbers[1]["value"], numbers[1]["from"]) == (0.2, nodes["b/b/"].id)
    assert (numbers[2]["value"], numbers[2]["from"]) == (0.25, nodes["a/b/"].id)
    assert numbers[2]["mean"] == pytest.approx((0.6 + 0.2 + 0.25) / 3)
    entered = [(d.node, d.numbers["total"]) for node in tree.nodes for d in node.decisions if d.action == "descend"]
    assert entered == [  # type: ignore[comparison-overlap]
        (nodes["a/"].id, pytest.approx(0.4 + 0.5 * math.sqrt(math.log(3)))),
        (nodes["b/"].id, pytest.approx(0.6 + 0.5 * math.sqrt(math.log(2)))),
    ]
    assert [child.text for child in tree.children(nodes["b/"])] == ["a\n\n", "b\n\n"]
    assert {leaf.origin for leaf in tree.completions()} == {"rollout"}


async def test_nothing_terminal_or_exhausted_is_entered_and_nothing_expanded_twice(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        if not path:
            return f"{'ab'[index % 2]}\n\n", "step"
        return (rf"\boxed{{{index % 2}}}", "eos") if path.startswith("a") else letters(path, index % 2)

    policy = ScriptedPolicy(script)
    run = await solve_with(
        policy, ScriptedScorer(lambda path: 0.9 if path[0] == "a" else 0.5), maths, strategy="mcts", n=6, width=2,
        problem="p",
    )  # fmt: skip
    tree = run.tree
    entered: list[Decision] = []
    for event in run.events:
        if isinstance(event, Decision) and event.action == "descend":
            entered.append(event)
            assert not tree[event.node].terminal
    for node in tree.nodes:
        assert sum(child.copies for child in tree.children(node)) in (0, 2)
    # All that two draws a node lead to: a with its two answers, b, its two children and their four answers.
    assert sum(leaf.copies for leaf in tree.completions()) == 6
    assert (run.last.status, run.last.stop_reason) == ("done", None)
    assert max(Counter(d.node for d in entered).values()) <= 3  # b itself and its two children, once each


async def test_an_exhausted_tree_is_widened_from_the_root_down(maths: Domain) -> None:
    """Two draws a node lead to eight answers; twenty are asked for, so every node in turn may have two draws more."""
    run = await solve_with(
        ScriptedPolicy(lambda path, i: letters(path, i % 4)), ScriptedScorer(lambda path: 0.5), maths,
        strategy="mcts", n=20, width=2, problem="p",
    )  # fmt: skip
    tree = run.tree
    assert sum(leaf.copies for leaf in tree.completions()) >= 20
    assert (run.last.status, run.last.stop_reason) == ("done", None)
    assert sum(child.copies for child in tree.children(tree.root)) == 4
    drawn = {sum(child.copies for child in tree.children(node)) for node in tree.nodes if tree.children(node)}
    assert drawn <= {1, 2, 4}, "a rollout, one expansion, two: never more than the root"


async def test_n_completions_end_it(models: Models, maths: Domain) -> None:
    run = await solve(models, maths, strategy="mcts", n=8, width=4)
    found = sum(leaf.copies for leaf in run.tree.completions())
    assert 8 <= found < 8 + 4 + 1
    left = [d for node in run.tree.nodes for d in node.decisions if d.reason == "width_reached"]
    assert {(d.numbers["n"], d.numbers["finished"]) for d in left} <= {(8, found)}


async def test_without_new_completions_it_gives_up(maths: Domain) -> None:
    policy = ScriptedPolicy(lambda path, index: (f"{index}\n\n", "step"))
    run = await solve_with(
        policy, ScriptedScorer(lambda path: 0.5), maths, strategy="mcts", n=4, width=2, max_steps=6, problem="p"
    )
    iterations = [d for d in run.tree.root.decisions if d.action == "backup"]
    assert len(iterations) == 4
    assert {d.reason for node in run.tree.nodes for d in node.decisions if d.action == "prune"} == {"fruitless"}


@pytest.mark.parametrize("policy", ["uct", "puct"])
async def test_c_buys_breadth(maths: Domain, policy: str) -> None:
    async def tried(c: float) -> Any:
        run = await solve_with(
            ScriptedPolicy(lambda path, i: letters(path, i % 4)),
            ScriptedScorer(lambda path: 0.9 if path[0] == "a" else 0.1),
            maths, strategy="mcts", n=16, width=4, tree_policy=policy, exploration=c, problem="p",
        )  # fmt: skip
        return {d.node for d in (d for n in run.tree.nodes for d in n.decisions) if d.action == "descend"} & {
            child.id for child in run.tree.children(run.tree.root)
        }

    assert len(await tried(0.0)) == 1
    assert len(await tried(50.0)) == 4
