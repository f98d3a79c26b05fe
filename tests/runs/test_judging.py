"""The truth beside the score: which steps are right, and how a judge's scores stand to that."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domains.maths.domain import Maths
from engine.runs.host import Host
from engine.runs.judging import Judged, found_right, judged_steps, reached_by_wrong_steps, separation
from engine.runs.question import Question
from engine.search.events import Finish, StepSampled
from engine.search.params import RunParams
from engine.search.tree import Node, Tree
from engine.search.truth import Truth
from engine.store import Store
from tts_ui.web.parts.judge_tab import judge_tab

PROBLEM = "What is 17 times 23?"


def tree_of(*steps: tuple[int, str, Finish]) -> Tree:
    """A tree of (parent, text, finish), in the order of their ids from 1."""
    tree = Tree(PROBLEM)
    for place, (parent, text, finish) in enumerate(steps, 1):
        depth = tree[parent].depth + 1
        tree.apply(StepSampled(place, place, parent, depth, text, None, 3, -1.0, finish))
    return tree


def truth_of(tree: Tree) -> Truth:
    checker = Maths().step_checker(PROBLEM)
    assert checker is not None
    truth = Truth(checker)
    truth.take(tree.nodes[1:])
    return truth


def test_a_step_is_right_if_it_and_all_before_it_are() -> None:
    tree = tree_of(
        (0, "## Step 1: 17 * 20 = 340.\n\n", "step"),
        (1, "## Step 2: 17 * 3 = 51.\n\n", "step"),
        (1, "## Step 2: 17 * 3 = 52.\n\n", "step"),
        (3, "## Step 3: 340 + 52 = 392.\n\n", "step"),
        (2, "## Step 3: 340 + 51 = 391. The final answer is: $\\boxed{391}$", "eos"),
        (2, "## Step 3: 340 + 51 = 391. The final answer is: $\\boxed{390}$", "eos"),
        (2, "## Step 3: 340 + 5", "budget"),
        (5, "", "eos"),
    )
    truth = truth_of(tree)
    found = [truth[node.id] for node in tree.nodes]
    assert found == [None, "right", "right", "wrong", "after", "right", "wrong", None, None]
    assert truth.first_wrong(tree.path(tree[4])) is tree[3]
    assert truth.first_wrong(tree.path(tree[5])) is None


def test_nobody_knows_the_steps_of_other_problems() -> None:
    assert Maths().step_checker("Prove that there are infinitely many primes.") is None


@pytest.mark.parametrize(("right", "wrong", "area"), [
    ([0.9, 0.8], [0.1], 1.0), ([0.1], [0.9], 0.0), ([0.5, 0.5], [0.5], 0.5), ([0.2, 0.8], [0.5], 0.5),
    ([0.2], [], None),
])  # fmt: skip
def test_separation_is_the_share_of_pairs_in_order(right: list[float], wrong: list[float], area: float | None) -> None:
    node = Node(1, 0, 1, "")
    steps = [Judged(node, score, "right", None, None, 0) for score in right]
    steps += [Judged(node, score, "wrong", None, None, 0) for score in wrong]
    steps.append(Judged(node, 1.0, "after", None, None, 0))  # says nothing about the judge
    assert separation(steps) == area


def test_what_the_judge_saw_of_a_real_search(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store)
        try:
            running = host.submit(Question(PROBLEM, "391"), RunParams("beam_search", n=32, width=4, temperature=1.2))
            running.future.result(timeout=60)
            store.flush()
            record, events = store.read(running.id)
            tree = Tree.from_events(events)
        finally:
            host.close()
    truth = truth_of(tree)
    assert record.judge is not None
    steps = judged_steps(record, tree, record.judge, truth)
    assert len(steps) == sum(record.judge in node.scores for node in tree.nodes)
    assert [step.surprise for step in steps] == sorted((step.surprise for step in steps), reverse=True)
    kinds = {step.verdict for step in steps}
    assert {"right", "wrong"} <= kinds
    right, ended = found_right(record, tree)
    leaves = list(tree.completions())
    assert ended == sum(leaf.copies for leaf in leaves)
    assert right == sum(leaf.copies for leaf in leaves if leaf.answer == "391")
    for leaf, wrong in reached_by_wrong_steps(record, tree, truth):
        assert leaf.answer == "391" and truth[wrong.id] == "wrong"
    page = judge_tab(record, tree, record.judge, truth)
    assert f"<b>{right}</b> of {ended} finished draws" in page
    assert page.count("<tr class=") == min(200, len(steps))
    assert "Nobody knows" in judge_tab(record, tree, record.judge, None)
    assert "No PRM has scored" in judge_tab(record, tree, None, truth)
