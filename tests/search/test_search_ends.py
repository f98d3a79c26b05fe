"""What a search refuses, what it spends, and an orderly end however it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.endless import ENDLESS
from support.recorded import PROBLEM, Recorded, make_run, solve, solve_with, until
from support.scripted import ScriptedPolicy, ScriptedScorer, ScriptedSession, letters, value_of

from engine.domains.maths.domain import Maths
from engine.errors import InvalidInput, ModelError, StoreError
from engine.models.catalogue.catalogue import Models
from engine.runs.question import Question
from engine.search.domain import Domain
from engine.search.events import Decision, StepSampled, StepScored
from engine.search.params import RunParams
from engine.search.tree import Tree

STRATEGIES = ["greedy", "majority_vote", "best_of_n", "beam_search"]


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
    models: Models, maths: Domain, strategy: str, budget: int
) -> None:
    run = await solve(models, maths, strategy=strategy, max_tokens_total=budget)
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
    models: Models, maths: Domain, strategy: str, seed: int
) -> None:
    single = await solve(models, maths, strategy=strategy, n=1, seed=seed)
    (completion,) = single.tree.completions()
    run = await solve(models, maths, strategy=strategy, seed=seed, max_tokens_total=single.usage.generated_tokens)
    (first, *_) = run.tree.completions()
    assert first.answer == completion.answer
    assert run.last.answer == single.last.answer
    assert run.usage.generated_tokens == single.usage.generated_tokens


async def test_a_budget_buys_whole_draws_before_parts_of_many(maths: Domain) -> None:
    policy = ScriptedPolicy(letters(finish_at=2))  # 3 tokens, then "\\boxed{?}" and its EOS: 13 a chain
    run = await solve_with(policy, None, maths, strategy="majority_vote", n=16, max_tokens_total=50, problem="p")
    assert len(list(run.tree.completions())) == 3
    assert run.usage.generated_tokens == 50
    assert run.last.stop_reason == "budget"


async def test_wasted_draws_do_not_become_nodes(maths: Domain) -> None:
    policy = ScriptedPolicy(lambda path, index: (f"{index:03}\n\n", "step"))
    run = await solve_with(
        policy,
        ScriptedScorer(value_of({})),
        maths,
        strategy="beam_search",
        n=8,
        width=2,
        max_tokens_total=3,
        problem="p",
    )
    assert [(node.text, node.finish, node.copies) for node in run.tree.nodes[1:]] == [("0", "budget", 3)]


# --- ends ----------------------------------------------------------------------------------------------------------


async def test_stopping_keeps_what_was_found_and_says_stopped(models: Models, maths: Domain) -> None:
    recorded = Recorded()
    run = make_run(models.policy, models.scorer, recorded, maths, n=64, width=4, temperature=1.5, seed=1)
    task = asyncio.ensure_future(run.execute())
    await until(lambda: any(isinstance(event, StepScored) for event in recorded.events))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorded.last.status == "stopped"
    assert recorded.last.stop_reason is None
    assert len(recorded.tree) > 1
    assert recorded.usage.generated_tokens >= sum(node.tokens * node.copies for node in recorded.tree.nodes)


async def test_stop_cuts_grading_short_and_the_log_still_ends() -> None:
    """An answer that takes long to compare; Stop comes while it is being compared."""
    policy = ScriptedPolicy(lambda path, index: (rf"\boxed{{{ENDLESS} + {index}}}", "eos"))
    recorded = Recorded()
    domain = Maths()
    run = make_run(policy, None, recorded, domain, strategy="majority_vote", n=2, reference="x")
    task = asyncio.ensure_future(run.execute())
    await until(lambda: any(isinstance(e, Decision) and e.action == "finish" for e in recorded.events))
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([task], timeout=20)
    assert task.done()
    assert (recorded.last.status, recorded.last.correct) == ("done", None)
    assert {(grade.correct, grade.rule) for grade in recorded.last.grades.values()} == {(None, "undecided")}
    domain.close()


class Failing(ScriptedScorer):
    def __init__(self, error: Exception) -> None:
        super().__init__(lambda path: 0.5)
        self.error = error

    async def score(self, paths: Any, cost: Any) -> list[float | None]:
        if len(paths[0]) > 1:
            raise self.error
        return await super().score(paths, cost)


@pytest.mark.parametrize("strategy", ["best_of_n", "beam_search"])
@pytest.mark.parametrize("error", [ModelError("the judge is out of order"), RuntimeError("shape\n  mismatch")])
async def test_a_scorer_that_fails_ends_the_run_with_the_tree_kept(
    models: Models, maths: Domain, strategy: str, error: Exception
) -> None:
    recorded = Recorded()
    run = make_run(models.policy, Failing(error), recorded, maths, strategy=strategy, n=4, width=2)
    if isinstance(error, ModelError):
        await run.execute()
    else:
        with pytest.raises(RuntimeError):  # nobody foresaw it: the caller hears of it, too
            await run.execute()
    assert recorded.last.status == "failed"
    assert recorded.last.error is not None
    assert "\n" not in recorded.last.error
    assert recorded.last.error.endswith(("out of order", "shape mismatch"))
    assert any(node.depth == 2 for node in recorded.tree.nodes)
    assert any(isinstance(event, StepScored) for event in recorded.events)


class Unopened(ScriptedPolicy):
    """A policy whose server is gone by the time the run begins."""

    def __init__(self, error: Exception) -> None:
        super().__init__(letters())
        self.error = error

    def session(self, problem: str) -> ScriptedSession:
        raise self.error


class UnopenedScorer(ScriptedScorer):
    def session(self, problem: str) -> ScriptedScorer:
        raise ModelError("the PRM is gone")


async def test_a_run_whose_sessions_cannot_be_opened_ends_once(maths: Domain) -> None:
    scorer = ScriptedScorer(value_of({}))
    recorded = await solve_with(Unopened(ModelError("the server is gone")), scorer, maths, n=4, width=2)
    assert (recorded.last.status, recorded.last.error) == ("failed", "the server is gone")
    recorded = await solve_with(ScriptedPolicy(letters()), UnopenedScorer(value_of({})), maths, n=4, width=2)
    assert (recorded.last.status, recorded.last.error) == ("failed", "the PRM is gone")
    broken = Recorded()
    with pytest.raises(RuntimeError):
        await make_run(Unopened(RuntimeError("x" * 10_000)), scorer, broken, maths, n=4, width=2).execute()
    assert broken.last.status == "failed" and len(broken.last.error or "") < 1000


class Refusing(Recorded):
    """A record that takes no scores."""

    def sink(self, events: Any, usage: Any) -> None:
        if any(isinstance(event, StepScored) for event in events):
            raise StoreError("the disk is full")
        super().sink(events, usage)


async def test_a_run_that_cannot_be_recorded_stops_and_keeps_its_answer(maths: Domain) -> None:
    recorded = Refusing()
    policy, scorer = ScriptedPolicy(letters(1)), ScriptedScorer(value_of({}))
    finished = await make_run(policy, scorer, recorded, maths, strategy="best_of_n", n=4).execute()
    assert (finished.status, finished.error, finished.answer) == ("failed", "the disk is full", "a")
    assert recorded.last == finished


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.5])
async def test_a_score_that_is_none_is_an_error_not_a_number(maths: Domain, value: float) -> None:
    run = await solve_with(
        ScriptedPolicy(letters()), ScriptedScorer(lambda path: value), maths, strategy="best_of_n", n=2, problem="p"
    )
    assert run.last.status == "failed"
    assert "0 to 1" in (run.last.error or "")


async def test_an_election_that_fails_is_an_end_too(models: Models) -> None:
    class Broken(Maths):
        async def grades(self, answers: Any, reference: Any) -> Any:
            raise ValueError("no\njudgement")

    recorded = Recorded()
    await make_run(ScriptedPolicy(letters()), None, recorded, Broken(), strategy="majority_vote", n=2).execute()
    assert (recorded.last.status, recorded.last.error) == ("failed", "ValueError: no judgement")
    assert len(recorded.tree) > 1


async def test_grading(maths: Domain) -> None:
    policy = ScriptedPolicy(lambda path, index: (r"\boxed{1/2}" if index < 2 else r"\boxed{0.5} ", "eos"))
    run = await solve_with(policy, None, maths, strategy="majority_vote", n=4, reference=r"\frac{1}{2}", problem="p")
    assert (run.last.answer, run.last.correct, run.last.graded_by) == ("0.5", True, "number")
    run = await solve_with(policy, None, maths, strategy="majority_vote", n=4, reference="2", problem="p")
    assert run.last.correct is False
    run = await solve_with(policy, None, maths, strategy="majority_vote", n=4, problem="p")
    assert (run.last.correct, run.last.graded_by) == (None, None)
    answerless = ScriptedPolicy(lambda path, index: ("no idea", "eos"))
    run = await solve_with(answerless, None, maths, strategy="majority_vote", n=4, reference="2", problem="p")
    assert (run.last.answer, run.last.correct, run.last.status) == (None, False, "done")


def test_a_log_must_begin_at_the_beginning_and_miss_nothing() -> None:
    with pytest.raises(ValueError, match="RunStarted"):
        Tree.from_events([])
    tree = Tree(PROBLEM)
    with pytest.raises(ValueError, match="node 2 arrived"):
        tree.apply(StepSampled(1, 2, 0, 1, "a", None, 1, None, "step"))
