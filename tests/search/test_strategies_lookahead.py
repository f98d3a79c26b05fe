"""Lookahead on hand-made trees: what ranks a candidate, and that a rollout is never paid for twice."""

from __future__ import annotations

from support.recorded import solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.search.domain import Domain
from engine.search.events import Finish
from engine.search.tree import Node, Tree


def letters(finish_at: int):  # type: ignore[no-untyped-def]
    def script(path: str, index: int) -> tuple[str, Finish]:
        letter = "abcdefgh"[index]
        if path.count("\n\n") == finish_at - 1:
            return rf"\boxed{{{letter}}}", "eos"
        return f"{letter}\n\n", "step"

    return script


def by_path(tree: Tree) -> dict[str, Node]:
    return {"".join(step.text for step in tree.path(node)).replace("\n\n", "/"): node for node in tree.nodes[1:]}


async def test_a_candidate_is_worth_what_its_rollout_leads_to(maths: Domain) -> None:
    values = {"a/": 0.9, "b/": 0.1, "a/a/": 0.2, "b/a/": 0.8}
    scorer = ScriptedScorer(lambda path: values.get(path.replace("\n\n", "/"), 0.05))
    policy = ScriptedPolicy(letters(4))
    run = await solve_with(policy, scorer, maths, strategy="lookahead", n=2, width=2, lookahead=1, problem="p")
    nodes = by_path(run.tree)
    assert (nodes["a/"].status, nodes["b/"].status) == ("pruned", "kept")
    (kept,) = nodes["b/"].decisions
    assert kept.numbers == {
        "rank": 1, "of": 2, "k": 1, "cut_off": 0.8, "score": 0.8, "end": nodes["b/a/"].id, "steps_ahead": 1,
    }  # fmt: skip
    assert nodes["b/a/"].origin == "rollout"
    assert (nodes["a/a/"].status, nodes["a/a/"].decisions[-1].reason) == ("pruned", "rollout_dropped")


async def test_the_rollout_of_a_survivor_is_one_of_its_m_children(maths: Domain) -> None:
    policy, scorer = ScriptedPolicy(letters(4)), ScriptedScorer(lambda path: 0.5)
    run = await solve_with(policy, scorer, maths, strategy="lookahead", n=4, width=2, lookahead=1, problem="p")
    tree = run.tree
    for node in tree.nodes:
        below = sum(child.copies for child in tree.children(node))
        if node.status == "kept":
            assert below == 2
            assert [child.origin for child in tree.children(node)] == ["rollout", "policy"]
    # A level: N candidates of which K came as rollouts, and a rollout below each that has none yet.
    first, second, third = 4 + 4, 2 + 4, 2 + 4
    assert len(policy.draws) == first + second + third + 2  # the last level: K answers came as rollouts
    assert run.usage.generated_tokens == sum(node.tokens * node.copies for node in tree.nodes[1:])
    assert len(scorer.asked) == len(set(scorer.asked)) == len(tree) - 1


async def test_a_longer_rollout_is_gone_on_with_where_it_ended(maths: Domain) -> None:
    policy = ScriptedPolicy(letters(8))
    run = await solve_with(
        policy, ScriptedScorer(lambda path: 0.5), maths, strategy="lookahead", n=2, width=2, lookahead=3, max_steps=5,
        problem="p",
    )  # fmt: skip
    nodes = by_path(run.tree)
    assert nodes["a/"].decisions[0].numbers["steps_ahead"] == 3
    assert nodes["a/a/"].decisions[0].numbers["end"] == nodes["a/a/a/a/a/"].id
    # 2 + 2 x 3, then per level: one sampled child with a rollout of its own, one more step below the reused one.
    assert len(policy.draws) == (2 + 6) + (1 + 3 + 1) + (1 + 2) + (1 + 1) + 1


async def test_an_answer_that_a_rollout_reached_counts_once_its_beam_survives(maths: Domain) -> None:
    values = {"a/": 0.1, "b/": 0.1, r"a/\boxed{a}": 0.9, r"b/\boxed{a}": 0.2}
    scorer = ScriptedScorer(lambda path: values.get(path.replace("\n\n", "/"), 0.05))
    run = await solve_with(ScriptedPolicy(letters(2)), scorer, maths, strategy="lookahead", n=2, width=2, problem="p")
    assert {leaf.answer for leaf in run.tree.completions()} == {"a", "b"}
    assert by_path(run.tree)[r"b/\boxed{a}"].status == "pruned"
    assert {run.tree[leaf.parent or 0].text for leaf in run.tree.completions()} == {"a\n\n"}


async def test_rollouts_paid_for_before_the_cut_still_answer(maths: Domain) -> None:
    values = {"a/": 0.9, r"a/\boxed{a}": 0.9}
    scorer = ScriptedScorer(lambda path: values.get(path.replace("\n\n", "/"), 0.05))
    budget = 2 * 3 + 2 * 10  # both first steps and both rollouts, and nothing more
    run = await solve_with(
        ScriptedPolicy(letters(2)), scorer, maths, strategy="lookahead", n=2, width=2, problem="p",
        max_tokens_total=budget,
    )  # fmt: skip
    assert (run.last.stop_reason, run.usage.generated_tokens, run.last.answer) == ("budget", budget, "a")
