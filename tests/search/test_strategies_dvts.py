"""DVTS on hand-made trees: the dealing of first steps, the greedy subtrees, what votes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from support.recorded import solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.search.domain import Domain
from engine.search.events import Finish
from engine.search.tree import Node, Tree


def letters(path: str, index: int) -> tuple[str, Finish]:
    """Draw i says the i-th letter; the third step is an answer."""
    letter = "abcdefgh"[index]
    return (rf"\boxed{{{letter}}}", "eos") if path.count("\n\n") == 2 else (f"{letter}\n\n", "step")


def by_path(tree: Tree) -> dict[str, Node]:
    return {"".join(step.text for step in tree.path(node)).replace("\n\n", "/"): node for node in tree.nodes[1:]}


def ranks(node: Node) -> list[tuple[str, Any]]:
    return [(d.action, dict(d.numbers)) for d in node.decisions if d.reason == "subtree_rank"]


async def test_each_subtree_keeps_its_own_best(maths: Domain) -> None:
    values = {"a/": 0.2, "b/": 0.6, "c/": 0.9, "d/": 0.8, "b/b/": 0.7, r"b/b/\boxed{b}": 0.3, r"c/a/\boxed{a}": 0.4}
    scorer = ScriptedScorer(lambda path: values.get(path.replace("\n\n", "/"), 0.1))
    policy = ScriptedPolicy(letters)
    run = await solve_with(policy, scorer, maths, strategy="dvts", n=4, width=2, problem="p")
    nodes = by_path(run.tree)
    assert ranks(nodes["a/"]) == [
        ("prune", {"subtree": 0, "rank": 2, "of": 2, "k": 1, "cut_off": 0.6, "score": 0.2}),
    ]
    assert ranks(nodes["b/"]) == [("keep", {"subtree": 0, "rank": 1, "of": 2, "k": 1, "cut_off": 0.6, "score": 0.6})]
    assert ranks(nodes["d/"])[0][0] == "prune"  # better than b, which beam search would have dropped
    assert {path for path, node in nodes.items() if node.status == "kept"} == {"b/", "c/", "b/b/", "c/a/"}
    assert {path for path, node in nodes.items() if node.status == "finished"} == {
        r"b/b/\boxed{b}", r"c/a/\boxed{a}",
    }  # fmt: skip
    assert len(policy.draws) == 4 + 2 * 2 + 2 * 2
    assert sum(node.copies for node in run.tree.completions()) == 2  # N / M answers


async def test_subtrees_that_share_a_step_stay_independent(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return ("same\n\n", "step") if not path else letters(path + "\n\n", index)

    policy = ScriptedPolicy(script)
    run = await solve_with(policy, ScriptedScorer(lambda path: 0.5), maths, strategy="dvts", n=4, width=2, problem="p")
    (first,) = run.tree.children(run.tree.root)
    assert (first.copies, first.status) == (4, "kept")
    assert [numbers["subtree"] for _, numbers in ranks(first)] == [0, 1]
    assert sum(node.copies for node in run.tree.children(first)) == 4  # M draws for either subtree
    assert [leaf.answer for leaf in run.tree.completions()] == ["a", "c"]  # the first pair, the second pair


async def test_a_step_kept_by_one_subtree_and_pruned_by_another_is_kept(maths: Domain) -> None:
    first = ["x", "y", "x", "z"]
    values = {"x/": 0.5, "y/": 0.4, "z/": 0.9}

    def script(path: str, index: int) -> tuple[str, Finish]:
        return (f"{first[index]}\n\n", "step") if not path else letters(path + "\n\n", index)

    scorer = ScriptedScorer(lambda path: values.get(path.replace("\n\n", "/"), 0.1))
    run = await solve_with(ScriptedPolicy(script), scorer, maths, strategy="dvts", n=4, width=2, problem="p")
    nodes = by_path(run.tree)
    assert nodes["x/"].status == "kept"
    assert sorted((action, numbers["subtree"]) for action, numbers in ranks(nodes["x/"])) == [("keep", 0), ("prune", 1)]
    assert nodes["z/"].status == "kept"


async def test_a_subtree_that_dies_answers_with_what_it_passed_by(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        depth = path.count("\n\n")
        if depth and index == 0:
            return rf"\boxed{{{depth}}}", "eos"
        return f"{'abcdefgh'[index]}\n\n", "step"

    scorer = ScriptedScorer(lambda path: (0.3 if "{2}" in path else 0.2) if "boxed" in path else 0.8)
    run = await solve_with(
        ScriptedPolicy(script), scorer, maths, strategy="dvts", n=4, width=2, max_steps=4, problem="p"
    )
    leaves = list(run.tree.completions())
    assert [leaf.answer for leaf in leaves] == ["2", "2"]  # the best that was passed by, in each subtree
    assert all([d.action for d in leaf.decisions][:2] == ["prune", "finish"] for leaf in leaves)


async def test_a_finished_best_ends_its_subtree_alone(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        if path == "a\n\n":
            return rf"\boxed{{{index}}}", "eos"
        return letters(path, index)

    run = await solve_with(
        ScriptedPolicy(script), ScriptedScorer(lambda path: 0.5), maths, strategy="dvts", n=4, width=2, problem="p"
    )
    assert Counter(leaf.depth for leaf in run.tree.completions()) == {2: 1, 3: 1}
