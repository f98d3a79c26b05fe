"""What a search decides and promises: seeds, merging, survivors, budget, and an orderly end however it ends."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markov import END, START, markov_checkpoint
from recorded import PROBLEM, Recorded, assert_same_document, make_run, solve, solve_with, texts, until
from scripted import ScriptedPolicy, ScriptedScorer

from engine.answers import Checker
from engine.errors import InvalidInput, ModelError
from engine.events import Decision, Event, Finish, RunStarted, StepSampled, StepScored
from engine.models import Models
from engine.params import RunParams
from engine.policies.local import LocalPolicy
from engine.run import Question
from engine.tree import Node, Tree

STRATEGIES = ["greedy", "majority_vote", "best_of_n", "beam_search"]


def decisions(log: list[Event], action: str) -> list[Decision]:
    return [event for event in log if isinstance(event, Decision) and event.action == action]


# --- seeds and merging ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_same_seed_same_document(models: Models, checker: Checker, strategy: str) -> None:
    one, other = [await solve(models, checker, strategy=strategy, seed=11, reference="262") for _ in range(2)]
    assert_same_document(one, other)
    assert replace(one.usage, wall_s=0) == replace(other.usage, wall_s=0)
    if strategy != "greedy":
        third = await solve(models, checker, strategy=strategy, seed=12)
        assert texts(third.tree) != texts(one.tree)


async def test_strategies_of_one_seed_share_their_first_steps(models: Models, checker: Checker) -> None:
    def first_steps(run: Recorded) -> list[tuple[Any, ...]]:
        tree = run.tree
        return [(node.id, node.token_ids, node.copies) for node in tree.children(tree.root)]

    runs = [await solve(models, checker, strategy=name, seed=3) for name in ("best_of_n", "beam_search")]
    assert first_steps(runs[0]) == first_steps(runs[1])


async def test_draws_that_share_a_first_step_go_on_to_differ(tmp_path: Path, checker: Checker) -> None:
    letters = "bcdefghijk"
    table = {
        START: {"a": 1.0},
        "a": {"\n\n": 1.0},
        "\n\n": dict.fromkeys(letters, 0.1),
        **{letter: {END: 1.0} for letter in letters},
    }
    policy = LocalPolicy("markov", markov_checkpoint(tmp_path, table))
    try:
        tree = (await solve_with(policy, None, checker, strategy="majority_vote", n=32)).tree
    finally:
        policy.close()
    (first,) = tree.children(tree.root)
    assert (first.text, first.copies) == ("a\n\n", 32)
    assert sum(node.copies for node in tree.children(first)) == 32
    assert len(tree.children(first)) >= 7


@pytest.mark.parametrize("strategy", ["majority_vote", "best_of_n", "beam_search"])
async def test_identical_draws_are_one_node_and_none_is_lost(models: Models, checker: Checker, strategy: str) -> None:
    tree = (await solve(models, checker, strategy=strategy, n=32, width=4, temperature=0.6)).tree
    assert sum(node.copies for node in tree.children(tree.root)) == 32
    for node in tree.nodes:
        identities = [(child.token_ids, child.finish) for child in tree.children(node)]
        assert len(set(identities)) == len(identities)
        below = sum(child.copies for child in tree.children(node))
        if strategy == "beam_search" and node.id:
            assert below in (0, 4)
        else:
            assert below in ((0, node.copies) if node.id else (32,))


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_the_log_folds_into_the_tree_the_search_saw(models: Models, checker: Checker, strategy: str) -> None:
    run = await solve(models, checker, strategy=strategy, n=8)
    assert isinstance(run.events[0], RunStarted)
    assert run.last is run.finished or run.last == run.finished
    assert [event.seq for event in run.events[:-1]] == list(range(len(run.events) - 1))  # type: ignore[union-attr]
    for node in run.tree.nodes[1:]:
        assert node.depth == len(run.tree.path(node))
        assert node.children or node.status != "open"
    if run.last.answer is not None:
        assert run.tree.chosen is not None
        assert run.tree[run.tree.chosen].status == "finished"


async def test_the_search_s_own_tree_equals_the_fold_of_its_events(models: Models, checker: Checker) -> None:
    from engine import run as run_module

    searches: list[Any] = []

    class Spied(run_module.Search):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            searches.append(self)

    original, run_module.Search = run_module.Search, Spied  # type: ignore[misc]
    try:
        recorded = await solve(models, checker, strategy="beam_search", n=8, temperature=0.6)
    finally:
        run_module.Search = original  # type: ignore[misc]
    (search,) = searches
    assert [_plain(node) for node in search.tree.nodes] == [_plain(node) for node in recorded.tree.nodes]
    assert search.tree.chosen == recorded.tree.chosen


def _plain(node: Node) -> dict[str, Any]:
    return {name: getattr(node, name) for name in Node.__slots__}


# --- survivors -----------------------------------------------------------------------------------------------------


async def test_beam_search_keeps_exactly_k_and_says_why(models: Models, checker: Checker) -> None:
    run = await solve(models, checker, strategy="beam_search", n=16, width=4, seed=2)
    tree, scorer = run.tree, models.scorer.info.name  # type: ignore[union-attr]
    levels: dict[int, list[tuple[Decision, Node]]] = {}
    for decision in [event for event in run.events if isinstance(event, Decision) and event.reason == "rank"]:
        levels.setdefault(tree[decision.node].depth, []).append((decision, tree[decision.node]))
    assert levels
    for ranked in levels.values():
        kept = [(decision, node) for decision, node in ranked if decision.action == "keep"]
        assert len(kept) == min(4, len(ranked))
        best_first = sorted((node.scores[scorer] for _, node in ranked), reverse=True)
        cut_off = min(node.scores[scorer] for _, node in kept)
        for rank, (decision, node) in enumerate(ranked, start=1):
            assert decision.numbers == {
                "rank": rank, "of": len(ranked), "k": 4, "cut_off": cut_off, "score": node.scores[scorer],
            }  # fmt: skip
            assert node.scores[scorer] == best_first[rank - 1]
            assert (decision.action == "keep") == (rank <= 4)
            assert node.scores[scorer] >= cut_off or decision.action == "prune"


def letters(finish_at: int = 3) -> Any:
    """Draw i below a path says the i-th letter; at depth `finish_at` the answer is boxed and the chain ends."""

    def script(path: str, index: int) -> tuple[str, Finish]:
        letter = chr(ord("a") + index)
        if path.count("\n\n") == finish_at - 1:
            return rf"\boxed{{{letter}}}", "eos"
        return f"{letter}\n\n", "step"

    return script


def value_of(table: dict[str, float], default: float = 0.5) -> Any:
    return lambda path: table.get(path, default)


async def test_beam_search_step_by_step_on_known_scores(checker: Checker) -> None:
    scores = {
        "c\n\n": 0.9,
        "a\n\n": 0.8,
        "b\n\n": 0.1,
        "d\n\n": 0.2,
        "c\n\na\n\n": 0.3,
        "a\n\nb\n\n": 0.7,
        "c\n\nb\n\n": 0.6,
    }
    scorer = ScriptedScorer(value_of(scores, default=0.05))
    run = await solve_with(
        ScriptedPolicy(letters()), scorer, checker, strategy="beam_search", n=4, width=2, problem="p", max_steps=10
    )
    tree = run.tree
    paths = {"".join(step.text for step in tree.path(node)): node for node in tree.nodes[1:]}
    assert {path for path, node in paths.items() if node.status == "kept"} == {
        "c\n\n", "a\n\n", "a\n\nb\n\n", "c\n\nb\n\n",
    }  # fmt: skip
    assert {path for path, node in paths.items() if node.status == "finished"} == {
        r"a" + "\n\nb\n\n" + r"\boxed{a}", "a\n\nb\n\n" + r"\boxed{b}",
        "c\n\nb\n\n" + r"\boxed{a}", "c\n\nb\n\n" + r"\boxed{b}",
    }  # fmt: skip
    assert len(scorer.asked) == len(set(scorer.asked)) == len(tree) - 1


def early_finisher(path: str, index: int) -> tuple[str, Finish]:
    """At every level draw 0 ends with an answer and the others go on."""
    if index == 0 and path:
        return rf"\boxed{{{path.count(chr(10)) // 2}}}", "eos"
    return f"{'abcdefgh'[index]}\n\n", "step"


async def test_banked_completions_take_no_slot_and_n_of_them_end_the_search(checker: Checker) -> None:
    scorer = ScriptedScorer(lambda path: 0.9 if path.endswith("}") else 0.4)
    run = await solve_with(
        ScriptedPolicy(early_finisher),
        scorer,
        checker,
        strategy="beam_search",
        n=4,
        width=2,
        finished="bank",
        problem="p",
    )
    tree = run.tree
    assert Counter(node.depth for node in tree.completions()) == {2: 2, 3: 2}
    assert Counter(node.depth for node in tree.nodes if node.status == "kept") == {1: 2, 2: 2}
    ended = [decision for decision in decisions(run.events, "prune") if decision.reason == "width_reached"]
    assert [decision.numbers for decision in ended] == [{"n": 4, "finished": 4}] * 2


async def test_competing_completions_take_slots_for_good(checker: Checker) -> None:
    scorer = ScriptedScorer(lambda path: 0.9 if path.endswith("}") else 0.4)
    policy = ScriptedPolicy(early_finisher)
    run = await solve_with(
        policy, scorer, checker, strategy="beam_search", n=4, width=2, finished="compete", problem="p"
    )
    assert Counter(node.depth for node in run.tree.completions()) == {2: 2}
    assert len(policy.draws) == 4 + 2 * 2

    policy = ScriptedPolicy(early_finisher)
    scorer = ScriptedScorer(lambda path: 0.1 if path.endswith("}") else 0.4)  # an answer that ranks low is dropped
    run = await solve_with(
        policy, scorer, checker, strategy="beam_search", n=4, width=2, finished="compete", problem="p", max_steps=4
    )
    assert not list(run.tree.completions())
    assert run.last.answer is None
    assert run.last.status == "done"


async def test_one_slot_left_keeps_one(checker: Checker) -> None:
    scorer = ScriptedScorer(lambda path: 0.9 if path == "a\n\n\\boxed{1}" else 0.1 if path.endswith("}") else 0.2)
    run = await solve_with(
        ScriptedPolicy(early_finisher), scorer, checker, strategy="beam_search", n=4, width=2, finished="compete",
        problem="p", max_steps=3,
    )  # fmt: skip
    ranked = [event for event in run.events if isinstance(event, Decision) and event.reason == "rank"]
    assert {run.tree[event.node].depth: event.numbers["k"] for event in ranked} == {1: 2, 2: 2, 3: 1}


async def test_the_search_ends_at_max_steps(models: Models, checker: Checker) -> None:
    for strategy in ("beam_search", "majority_vote"):
        run = await solve_with(
            ScriptedPolicy(letters(finish_at=99)), ScriptedScorer(value_of({})), checker,
            strategy=strategy, n=4, width=2, max_steps=3, problem="p",
        )  # fmt: skip
        assert max(node.depth for node in run.tree.nodes) == 3
        assert (run.last.status, run.last.answer) == ("done", None)
        deepest = [node for node in run.tree.nodes if node.depth == 3]
        assert {node.status for node in deepest} == {"pruned"}
        assert {d.reason for node in deepest for d in node.decisions if d.action == "prune"} <= {"max_steps", "rank"}
    run = await solve(models, checker, strategy="beam_search", max_steps=2)
    assert max(node.depth for node in run.tree.nodes) <= 2


async def test_a_truncated_step_is_terminal_and_answers_only_from_a_box(checker: Checker) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return (r"so \boxed{7}. And" if index else "so it is 7", "length")

    run = await solve_with(ScriptedPolicy(script), None, checker, strategy="majority_vote", n=2, problem="p")
    assert [(node.finish, node.answer) for node in run.tree.completions()] == [("length", None), ("length", "7")]
    assert run.last.answer == "7"


async def test_copies_vote_and_beams_do_not_count_copies(checker: Checker) -> None:
    """Eight identical first steps take one of the two slots and get M draws, not eight times M."""

    def script(path: str, index: int) -> tuple[str, Finish]:
        if not path:
            return ("same\n\n" if index else "other\n\n"), "step"
        return rf"\boxed{{{index}}}", "eos"

    policy = ScriptedPolicy(script)
    run = await solve_with(
        policy, ScriptedScorer(value_of({})), checker, strategy="beam_search", n=8, width=4, problem="p"
    )
    first = run.tree.children(run.tree.root)
    assert [(node.text, node.copies) for node in first] == [("other\n\n", 1), ("same\n\n", 7)]
    assert len(policy.draws) == 8 + 2 * 4


# --- parameters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ({"n": 2, "width": 4}, "width"),
        ({"n": 10, "width": 4}, "width"),
        ({"n": 0}, "n"),
        ({"n": -1, "strategy": "majority_vote"}, "n"),
        ({"width": 0}, "width"),
        ({"strategy": "magic"}, "strategy"),
        ({"select": "prm_best"}, "select"),
        ({"select": "prm_last_max", "strategy": "majority_vote"}, "select"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"seed": -1}, "seed"),
        ({"finished": "drop"}, "finished"),
        ({"max_steps": 0}, "max_steps"),
        ({"max_tokens_total": 0}, "max_tokens_total"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_its_argument(asked: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        RunParams(**asked)
    assert refusal.value.argument == argument
    assert str(refusal.value).startswith(f"{argument}: ")
    assert "\n" not in str(refusal.value)


def test_width_says_what_would_do() -> None:
    with pytest.raises(InvalidInput, match=r"choose .*2.*5"):
        RunParams(n=10, width=4)
    assert RunParams(n=10, width=4, strategy="best_of_n").n == 10  # M means nothing there


def test_problems_that_cannot_be_are_refused_before_any_work(models: Models) -> None:
    for problem in ("", "  \n"):
        with pytest.raises(InvalidInput, match="problem"):
            Question(problem)
    with pytest.raises(InvalidInput, match="reference"):
        Question("1 + 1", " ")
    with pytest.raises(InvalidInput, match="context window") as refusal:
        make_run(models.policy, models.scorer, Recorded(), problem="7 + " * 2000)
    assert refusal.value.argument == "problem"
    with pytest.raises(InvalidInput, match="PRM"):
        make_run(models.policy, None, Recorded(), strategy="beam_search")


# --- budget --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("budget", [1, 7, 64, 333, 100_000])
async def test_the_token_budget_is_never_exceeded_and_a_cut_run_spends_it_all(
    models: Models, checker: Checker, strategy: str, budget: int
) -> None:
    run = await solve(models, checker, strategy=strategy, max_tokens_total=budget)
    generated = run.usage.generated_tokens
    assert generated == sum(node.tokens * node.copies for node in run.tree.nodes[1:]) <= budget
    assert run.last.status == "done"
    cut = [node for node in run.tree.nodes if node.finish == "budget"]
    if cut or run.last.stop_reason:
        assert (run.last.stop_reason, generated) == ("budget", budget)
    for node in cut:
        assert node.status == "pruned"
        assert node.decisions[-1].reason == "budget"
    if budget == 100_000:
        assert run.last.stop_reason is None
    if budget == 1:
        assert run.last.stop_reason == "budget"


@pytest.mark.parametrize("strategy", ["majority_vote", "best_of_n"])
@pytest.mark.parametrize("seed", range(3))
async def test_sampling_answers_when_the_budget_fits_one_chain(
    models: Models, checker: Checker, strategy: str, seed: int
) -> None:
    single = await solve(models, checker, strategy=strategy, n=1, seed=seed)
    (completion,) = single.tree.completions()
    run = await solve(models, checker, strategy=strategy, seed=seed, max_tokens_total=single.usage.generated_tokens)
    (first, *_) = run.tree.completions()
    assert first.answer == completion.answer
    assert run.last.answer == single.last.answer
    assert run.usage.generated_tokens == single.usage.generated_tokens


async def test_a_budget_buys_whole_draws_before_parts_of_many(checker: Checker) -> None:
    policy = ScriptedPolicy(letters(finish_at=2))  # 3 tokens, then "\\boxed{?}" and its EOS: 13 a chain
    run = await solve_with(policy, None, checker, strategy="majority_vote", n=16, max_tokens_total=50, problem="p")
    assert len(list(run.tree.completions())) == 3
    assert run.usage.generated_tokens == 50
    assert run.last.stop_reason == "budget"


async def test_wasted_draws_do_not_become_nodes(checker: Checker) -> None:
    policy = ScriptedPolicy(lambda path, index: (f"{index:03}\n\n", "step"))
    run = await solve_with(
        policy,
        ScriptedScorer(value_of({})),
        checker,
        strategy="beam_search",
        n=8,
        width=2,
        max_tokens_total=3,
        problem="p",
    )
    assert [(node.text, node.finish, node.copies) for node in run.tree.nodes[1:]] == [("0", "budget", 3)]


# --- ends ----------------------------------------------------------------------------------------------------------


async def test_stopping_keeps_what_was_found_and_says_stopped(models: Models, checker: Checker) -> None:
    recorded = Recorded()
    run = make_run(models.policy, models.scorer, recorded, n=64, width=4, temperature=1.5, seed=1)
    task = asyncio.ensure_future(run.execute(checker))
    await until(lambda: any(isinstance(event, StepScored) for event in recorded.events))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorded.last.status == "stopped"
    assert recorded.last.stop_reason is None
    assert len(recorded.tree) > 1
    assert recorded.usage.generated_tokens >= sum(node.tokens * node.copies for node in recorded.tree.nodes)


async def test_stopping_twice_still_ends_the_log(checker: Checker) -> None:
    slow = threading.Event()

    class SlowChecker(Checker):
        def grades(self, answers: Any, reference: Any) -> Any:
            slow.wait(10)
            return super().grades(answers, reference)

    recorded = Recorded()
    task = asyncio.ensure_future(
        make_run(ScriptedPolicy(letters()), None, recorded, strategy="majority_vote", n=2).execute(SlowChecker())
    )
    await until(lambda: any(isinstance(e, Decision) and e.action == "finish" for e in recorded.events))
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.02)
    slow.set()
    await asyncio.wait([task], timeout=10)
    assert task.done()
    assert recorded.last.status in ("done", "stopped")
    assert recorded.last.answer == "a"


class Failing(ScriptedScorer):
    def __init__(self, error: Exception) -> None:
        super().__init__(lambda path: 0.5)
        self.error = error

    async def score(self, paths: Any, cost: Any) -> list[float]:
        if len(paths[0]) > 1:
            raise self.error
        return await super().score(paths, cost)


@pytest.mark.parametrize("strategy", ["best_of_n", "beam_search"])
@pytest.mark.parametrize("error", [ModelError("the judge is out of order"), RuntimeError("shape\n  mismatch")])
async def test_a_scorer_that_fails_ends_the_run_with_the_tree_kept(
    models: Models, checker: Checker, strategy: str, error: Exception
) -> None:
    recorded = Recorded()
    run = make_run(models.policy, Failing(error), recorded, strategy=strategy, n=4, width=2)
    if isinstance(error, ModelError):
        await run.execute(checker)
    else:
        with pytest.raises(RuntimeError):  # nobody foresaw it: the caller hears of it, too
            await run.execute(checker)
    assert recorded.last.status == "failed"
    assert recorded.last.error is not None
    assert "\n" not in recorded.last.error
    assert recorded.last.error.endswith(("out of order", "shape mismatch"))
    assert any(node.depth == 2 for node in recorded.tree.nodes)
    assert any(isinstance(event, StepScored) for event in recorded.events)


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.5])
async def test_a_score_that_is_none_is_an_error_not_a_number(checker: Checker, value: float) -> None:
    run = await solve_with(
        ScriptedPolicy(letters()), ScriptedScorer(lambda path: value), checker, strategy="best_of_n", n=2, problem="p"
    )
    assert run.last.status == "failed"
    assert "0 to 1" in (run.last.error or "")


async def test_an_election_that_fails_is_an_end_too(models: Models) -> None:
    class Broken(Checker):
        def grades(self, answers: Any, reference: Any) -> Any:
            raise ValueError("no\njudgement")

    recorded = Recorded()
    await make_run(ScriptedPolicy(letters()), None, recorded, strategy="majority_vote", n=2).execute(Broken())
    assert (recorded.last.status, recorded.last.error) == ("failed", "ValueError: no judgement")
    assert len(recorded.tree) > 1


async def test_grading(checker: Checker) -> None:
    policy = ScriptedPolicy(lambda path, index: (r"\boxed{1/2}" if index < 2 else r"\boxed{0.5} ", "eos"))
    run = await solve_with(policy, None, checker, strategy="majority_vote", n=4, reference=r"\frac{1}{2}", problem="p")
    assert (run.last.answer, run.last.correct, run.last.graded_by) == ("1/2", True, "number")
    run = await solve_with(policy, None, checker, strategy="majority_vote", n=4, reference="2", problem="p")
    assert run.last.correct is False
    run = await solve_with(policy, None, checker, strategy="majority_vote", n=4, problem="p")
    assert (run.last.correct, run.last.graded_by) == (None, None)
    answerless = ScriptedPolicy(lambda path, index: ("no idea", "eos"))
    run = await solve_with(answerless, None, checker, strategy="majority_vote", n=4, reference="2", problem="p")
    assert (run.last.answer, run.last.correct, run.last.status) == (None, False, "done")


def test_a_log_must_begin_at_the_beginning_and_miss_nothing() -> None:
    with pytest.raises(ValueError, match="RunStarted"):
        Tree.from_events([])
    tree = Tree(PROBLEM)
    with pytest.raises(ValueError, match="node 2 arrived"):
        tree.apply(StepSampled(1, 2, 0, 1, "a", None, 1, None, "step"))
