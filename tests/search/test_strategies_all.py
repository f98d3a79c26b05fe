"""What holds for every strategy: its budget, its determinism, its log, its options."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.recorded import Recorded, assert_same_document, solve, solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain
from engine.search.events import REASONS, Decision, Finish
from engine.search.params import RunParams
from engine.search.selection import answer_groups
from engine.search.strategies import STRATEGIES

NAMES = list(STRATEGIES)
SCORED = [name for name, strategy in STRATEGIES.items() if strategy.scored]
SAMPLING = ["greedy", "majority_vote", "best_of_n"]


def bushy(path: str, index: int) -> tuple[str, Finish]:
    """Chains of three steps; half of them have their EOS as a step of its own, which says nothing."""
    depth = path.count("\n\n")
    if depth == 3:
        return "", "eos"
    if depth == 2:
        return (rf"so \boxed{{{index}}}", "eos") if ord(path[0]) % 2 else (f"so \\boxed{{{index}}}\n\n", "step")
    return f"{'abcdefghijklmnopqrstuvwxyz'[index % 26]}\n\n", "step"


def judge(path: str) -> float:
    return (sum(map(ord, path)) % 97) / 97


@pytest.mark.parametrize("strategy", NAMES)
@pytest.mark.parametrize("n", [4, 16, 64])
@pytest.mark.parametrize("budget", [1, 7, 64, 333, 900])
async def test_no_strategy_exceeds_its_budget_and_a_cut_run_has_spent_it(
    models: Models, maths: Domain, strategy: str, n: int, budget: int
) -> None:
    run = await solve(models, maths, strategy=strategy, n=n, max_tokens_total=budget)
    generated = run.usage.generated_tokens
    assert generated == sum(node.tokens * node.copies for node in run.tree.nodes[1:]) <= budget
    assert run.last.status == "done"
    cut = [node for node in run.tree.nodes if node.finish == "budget"]
    assert {node.status for node in cut} <= {"pruned"}
    if cut or run.last.stop_reason:
        assert (run.last.stop_reason, generated) == ("budget", budget)
    assert run.last.answer is None or any(leaf.answer for leaf in run.tree.completions())
    if any(leaf.answer for leaf in run.tree.completions()):  # what was banked before the cut still elects
        assert run.last.answer is not None


@pytest.mark.parametrize("strategy", ["best_of_n", "mcts"])
async def test_a_budget_of_one_chain_or_two_buys_an_answer(models: Models, maths: Domain, strategy: str) -> None:
    run = await solve(models, maths, strategy=strategy, n=64, max_tokens_total=400)
    assert run.last.stop_reason == "budget"
    assert run.last.answer is not None


@pytest.mark.parametrize("strategy", NAMES)
async def test_same_seed_same_document(models: Models, maths: Domain, strategy: str) -> None:
    one, other = [await solve(models, maths, strategy=strategy, n=8, width=4, seed=11) for _ in range(2)]
    assert_same_document(one, other)
    assert replace(one.usage, wall_s=0) == replace(other.usage, wall_s=0)


@pytest.mark.parametrize("strategy", [name for name in NAMES if name != "greedy"])
async def test_strategies_of_one_seed_share_their_first_steps(models: Models, maths: Domain, strategy: str) -> None:
    def first_steps(run: Recorded) -> list[tuple[Any, ...]]:
        return [(node.token_ids, node.copies) for node in run.tree.children(run.tree.root)]

    run = await solve(models, maths, strategy=strategy, n=4, width=4, seed=3)
    assert first_steps(run) == first_steps(await solve(models, maths, strategy="best_of_n", n=4, seed=3))


@pytest.mark.parametrize("strategy", NAMES)
async def test_the_log_is_complete(models: Models, maths: Domain, strategy: str) -> None:
    run = await solve(models, maths, strategy=strategy, n=8, temperature=1.2)
    assert [event.seq for event in run.events[:-1]] == list(range(len(run.events) - 1))  # type: ignore[union-attr]
    for node in run.tree.nodes[1:]:
        assert node.children or node.status != "open"
        assert node.finish != "step" or node.status != "finished"
    for event in run.events:
        if isinstance(event, Decision):
            assert set(event.numbers) <= set(REASONS[event.reason]), event


@pytest.mark.parametrize("strategy", SCORED)
async def test_no_empty_step_is_scored_and_none_twice(maths: Domain, strategy: str) -> None:
    scorer = ScriptedScorer(judge)
    run = await solve_with(ScriptedPolicy(bushy), scorer, maths, strategy=strategy, n=8, width=4, problem="p")
    assert run.last.status == "done"
    assert any(node.finish == "eos" and not node.text for node in run.tree.nodes)
    assert all(run.tree[event.node].text.strip() for event in run.scored)
    assert len(run.scored) == len({event.node for event in run.scored})
    for leaf in run.tree.completions():
        assert all(step.scores for step in run.tree.path(leaf) if step.text)


@pytest.mark.parametrize("strategy", SCORED)
async def test_a_cut_step_is_not_scored(maths: Domain, strategy: str) -> None:
    for budget in range(1, 120, 7):
        run = await solve_with(
            ScriptedPolicy(bushy), ScriptedScorer(judge), maths, strategy=strategy, n=8, width=4, problem="p",
            max_tokens_total=budget,
        )  # fmt: skip
        assert run.usage.generated_tokens <= budget
        assert all(run.tree[event.node].finish != "budget" for event in run.scored)


@pytest.mark.parametrize("strategy", NAMES)
async def test_truncation_is_not_the_end_of_an_answer(maths: Domain, strategy: str) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return ("and so on 7", "length") if path else (f"{index}\n\n", "step")

    policy = ScriptedPolicy(script)
    run = await solve_with(policy, ScriptedScorer(judge), maths, strategy=strategy, n=4, width=2, problem="p")
    leaves = list(run.tree.completions())
    assert leaves
    assert {decision.reason for leaf in leaves for decision in leaf.decisions if decision.action == "finish"} == {
        "length"
    }
    assert run.last.answer is None  # nothing is boxed
    assert all(draw.path == () or draw.path[-1].finish == "step" for draw in policy.draws)


@pytest.mark.parametrize("strategy", NAMES)
async def test_a_policy_that_never_ends_is_ended(maths: Domain, strategy: str) -> None:
    policy = ScriptedPolicy(lambda path, index: (f"{index}\n\n", "step"))
    run = await solve_with(
        policy, ScriptedScorer(judge), maths, strategy=strategy, n=8, width=2, max_steps=4, problem="p"
    )
    assert (run.last.status, run.last.answer) == ("done", None)
    assert max(node.depth for node in run.tree.nodes) <= 4
    assert len(policy.draws) <= 8 * 4 * 4


async def test_draws_vote_and_distinct_completions_are_an_option(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return (r"\boxed{1}" if index < 3 else rf"{index} \boxed{{2}}"), "eos"

    policy = ScriptedPolicy(script)
    answers = {
        votes: (await solve_with(policy, None, maths, strategy="majority_vote", n=5, votes=votes, problem="p")).last
        for votes in ("draws", "distinct")
    }
    assert answers["draws"].answer == "1"  # three draws of one completion against two
    assert answers["distinct"].answer == "2"  # one completion against two
    run = await solve_with(policy, ScriptedScorer(lambda path: 0.5), maths, strategy="best_of_n", n=5, problem="p")
    groups = answer_groups(run.tree, run.last.grades, "prm_last_vote", "judge", votes="distinct")
    assert [(group.answer, group.votes, group.weight) for group in groups] == [("2", 2, 1.0), ("1", 1, 0.5)]


@pytest.mark.parametrize("strategy", SCORED)
@pytest.mark.parametrize("lost", [1, -1])
async def test_scores_that_do_not_match_the_steps_end_the_run_and_are_no_zeros(
    maths: Domain, strategy: str, lost: int
) -> None:
    class Miscounts(ScriptedScorer):
        async def score(self, paths: Any, cost: Any) -> list[float | None]:
            scores = await super().score(paths, cost)
            return scores[lost:] if lost > 0 else [*scores, 0.9]

    policy = ScriptedPolicy(bushy)
    run = await solve_with(policy, Miscounts(judge), maths, strategy=strategy, n=8, width=4, problem="p")
    assert run.last.status == "failed"
    assert "scores for" in (run.last.error or "")
    assert run.scored == []


@pytest.mark.parametrize("strategy", NAMES)
async def test_draws_that_are_all_alike_are_searched_to_their_end(maths: Domain, strategy: str) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return (r"so \boxed{1}", "eos") if path else ("same\n\n", "step")

    policy = ScriptedPolicy(script)
    run = await solve_with(policy, ScriptedScorer(judge), maths, strategy=strategy, n=8, width=4, problem="p")
    assert (run.last.status, run.last.answer) == ("done", "1")
    assert [node.depth for node in run.tree.nodes[1:]] == [1, 2]
    (leaf,) = run.tree.completions()
    assert leaf.copies <= 8  # a beam is never copied to fill a slot, so its draws are all that votes


def test_every_entry_of_the_registry_has_its_function_and_its_options() -> None:
    for name, strategy in STRATEGIES.items():
        assert strategy.run.__name__ == name == strategy.name
        assert (strategy.run.__module__).endswith(f".{name}")
        params = RunParams(name)
        assert all(hasattr(params, option) for option in strategy.options)
        recorded = params.recorded()
        special = {
            "n", "width", "finished", "beams", "lookahead", "granularity", "tree_policy", "exploration", "probe",
            "knowledge",
        }  # fmt: skip
        assert special & set(recorded) == set(strategy.options) - {"stop"}  # unset, so not recorded
        assert "votes" not in recorded
    assert RunParams(votes="distinct").recorded()["votes"] == "distinct"


@pytest.mark.parametrize("strategy", ["dvts", "lookahead", "compute_optimal", "mcts"])
@pytest.mark.parametrize("asked", [{"n": 2, "width": 4}, {"n": 10, "width": 4}, {"n": 4, "width": 0}])
def test_m_must_divide_n(strategy: str, asked: dict[str, int]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        RunParams(strategy, **asked)  # type: ignore[arg-type]
    assert refusal.value.argument == "width"


@pytest.mark.parametrize(
    ("strategy", "asked"),
    [
        ("lookahead", {"lookahead": 0}),
        ("lookahead", {"lookahead": 41}),
        ("vg_search", {"granularity": 0}),
        ("vg_search", {"granularity": 41}),
        ("mcts", {"tree_policy": "ucb2"}),
        ("mcts", {"exploration": -0.1}),
        ("mcts", {"exploration": float("nan")}),
        ("mcts", {"exploration": float("inf")}),
        ("compute_optimal", {"probe": 0}),
        ("compute_optimal", {"probe": 17}),
        ("best_of_n", {"votes": "copies"}),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(strategy: str, asked: dict[str, Any]) -> None:
    (argument,) = asked
    with pytest.raises(InvalidInput) as refusal:
        RunParams(strategy, **asked)
    assert refusal.value.argument == argument
    if argument != "votes":
        assert RunParams("greedy", **asked)  # it means nothing there
