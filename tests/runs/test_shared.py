"""Runs that share their samples: each is what it would have been alone, and what they have in common is done once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.recorded import PROBLEM, Recorded, assert_same_document, make_run, solve, until
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.errors import ModelError
from engine.models.catalogue.catalogue import Models
from engine.runs.shared import SharedPolicy, SharedScorer
from engine.search.domain import Domain
from engine.search.events import Finish, StepSampled
from engine.search.policy import Policy
from engine.search.scorer import Scorer
from engine.search.strategies import STRATEGIES

NAMES = list(STRATEGIES)
Request = dict[str, Any]


class Together:
    """Runs of one problem that share their samples."""

    def __init__(self, policy: Policy, scorer: Scorer, requests: Sequence[Request], problem: str = PROBLEM) -> None:
        self.policy = SharedPolicy(policy, problem, len(requests))
        scored = sum(STRATEGIES[request["strategy"]].scored for request in requests)
        self.scorer = SharedScorer(scorer, problem, scored)
        self.records = [Recorded() for _ in requests]
        self.runs = [
            make_run(self.policy, self.scorer, recorded, problem=problem, **request)
            for recorded, request in zip(self.records, requests, strict=True)
        ]

    async def execute(self) -> list[Recorded]:
        ends = await asyncio.gather(*(run.execute() for run in self.runs), return_exceptions=True)
        assert [end for end in ends if isinstance(end, BaseException)] == []
        return self.records


#: What another batch may change of a number: products of 32-bit floats are summed in another order.
ROUNDING = 1e-4


def assert_as_if_alone(together: Recorded, alone: Recorded) -> None:
    assert_same_document(together, alone, ROUNDING)
    assert replace(together.usage, wall_s=0) == replace(alone.usage, wall_s=0)


@pytest.mark.parametrize(("budget", "seed"), [(None, 0), (1, 5), (64, 1), (333, 2), (900, 0)])
async def test_every_run_is_what_it_is_alone(models: Models, maths: Domain, budget: int | None, seed: int) -> None:
    assert models.scorer is not None
    requests = [{"strategy": name, "n": 16, "width": 4, "seed": seed, "max_tokens_total": budget} for name in NAMES]
    together = Together(models.policy, models.scorer, requests)
    records = await together.execute()
    for recorded, request in zip(records, requests, strict=True):
        assert_as_if_alone(recorded, await solve(models, maths, **request))
    usages = [recorded.usage for recorded in records]
    real = together.policy.cost
    assert real.generated_tokens < sum(usage.generated_tokens for usage in usages)
    assert real.prompt_tokens < sum(usage.prompt_tokens for usage in usages)
    if budget is None or budget > 64:
        assert together.scorer.cost.scored_tokens < sum(usage.scored_tokens for usage in usages)


@pytest.mark.parametrize("request_", [{"temperature": 0.0}, {"temperature": 0.0, "max_tokens_total": 400}, {"n": 4}])
async def test_odd_requests_are_as_alone_too(models: Models, maths: Domain, request_: Request) -> None:
    assert models.scorer is not None
    requests = [{"strategy": name, "n": 8} | request_ for name in ("best_of_n", "beam_search", "mcts", "greedy")]
    for recorded, request in zip(
        await Together(models.policy, models.scorer, requests).execute(), requests, strict=True
    ):
        assert_as_if_alone(recorded, await solve(models, maths, **request))


@pytest.mark.parametrize("prm_window", ["skip", "left"])
async def test_paths_too_long_for_the_prm_cost_nothing(models: Models, maths: Domain, prm_window: str) -> None:
    assert models.scorer is not None
    window = models.scorer.info.context_window
    problem = "Compute 1" + " + 1" * ((window - models.scorer.prompt_tokens("Compute 1") - 24) // 2) + "."
    assert window - 40 < models.scorer.prompt_tokens(problem) < window - 4
    asked = {"n": 4, "temperature": 1.5, "prm_window": prm_window}
    requests = [asked | {"strategy": name} for name in ("best_of_n", "beam_search")]
    records = await Together(models.policy, models.scorer, requests, problem).execute()
    for recorded, request in zip(records, requests, strict=True):
        assert any(not node.scores and node.text for node in recorded.tree.nodes[1:])
        assert_as_if_alone(recorded, await solve(models, maths, problem=problem, **request))


async def test_one_set_of_samples_serves_every_vote(models: Models, maths: Domain) -> None:
    assert models.scorer is not None
    requests = [{"strategy": "best_of_n", "n": 32}, {"strategy": "majority_vote", "n": 32}]
    requests += [{"strategy": "best_of_n", "n": 32, "select": rule} for rule in ("prm_min_max", "prm_avg_vote")]
    together = Together(models.policy, models.scorer, requests)
    usages = [recorded.usage for recorded in await together.execute()]
    assert {usage.generated_tokens for usage in usages} == {together.policy.cost.generated_tokens}
    assert usages[0].scored_tokens == usages[2].scored_tokens == together.scorer.cost.scored_tokens
    assert together.scorer.cost.calls == usages[0].scorer_calls


def letters(path: str, index: int) -> tuple[str, Finish]:
    """Chains of three steps that end with an answer."""
    letter = "abcdefghijklmnopqrstuvwxyz"[index % 26]
    return (rf"\boxed{{{letter}}}", "eos") if path.count("\n\n") == 2 else (f"{letter}\n\n", "step")


async def test_no_draw_is_made_and_no_step_judged_twice(maths: Domain) -> None:
    policy, scorer = ScriptedPolicy(letters), ScriptedScorer(lambda path: sum(map(ord, path)) % 97 / 97)
    sampled = ("majority_vote", "best_of_n", "beam_search", "dvts", "compute_optimal", "rebase")  # nothing greedy
    requests = [{"strategy": name, "n": 8, "width": 4} for name in sampled]
    records = await Together(policy, scorer, requests, "p").execute()
    made = Counter(("".join(node.text for node in draw.path), draw.seed) for draw in policy.draws)
    assert made and set(made.values()) == {1}
    assert scorer.asked and len(scorer.asked) == len(set(scorer.asked))
    assert len({tuple(node.text for node in run.tree.children(run.tree.root)) for run in records}) == 1


async def test_a_stopped_run_takes_nothing_from_the_others(models: Models, maths: Domain) -> None:
    assert models.scorer is not None
    requests = [{"strategy": name, "n": 24, "temperature": 1.2} for name in ("majority_vote", "best_of_n", "dvts")]
    together = Together(models.policy, models.scorer, requests)
    tasks = [asyncio.ensure_future(run.execute()) for run in together.runs]
    await until(lambda: together.runs[0].writing() and together.policy.cost.generated_tokens)
    tasks[0].cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    stopped, *others = together.records
    assert isinstance(ends[0], asyncio.CancelledError)
    assert stopped.last.status == "stopped"
    assert 0 < stopped.usage.generated_tokens < others[0].usage.generated_tokens
    for recorded, request in zip(others, requests[1:], strict=True):
        assert_as_if_alone(recorded, await solve(models, maths, **request))


async def test_what_nobody_waits_for_is_not_made(models: Models, maths: Domain) -> None:
    assert models.scorer is not None
    requests = [{"strategy": name, "n": 256, "temperature": 1.2} for name in ("majority_vote", "best_of_n")]
    together = Together(models.policy, models.scorer, requests)
    tasks = [asyncio.ensure_future(run.execute()) for run in together.runs]
    await until(lambda: together.policy.cost.generated_tokens)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    assert [recorded.last.status for recorded in together.records] == ["stopped", "stopped"]
    spent = []
    for _ in range(2):  # while the model works for another, nothing is added to what was stopped
        await solve(models, maths, strategy="greedy")
        spent.append(together.policy.cost)
    assert spent[0] == spent[1]


class FailsOnce(ScriptedScorer):
    """The first time it is asked it breaks down."""

    failed = False

    async def score(self, paths: Any, cost: Any) -> list[float | None]:
        if not self.failed:
            self.failed = True
            raise ModelError("out of order")
        return await super().score(paths, cost)


async def test_a_run_that_fails_ends_no_other(maths: Domain) -> None:
    requests = [{"strategy": name, "n": 8, "width": 4} for name in ("best_of_n", "beam_search", "majority_vote")]
    records = await Together(ScriptedPolicy(letters), FailsOnce(lambda path: 0.5), requests, "p").execute()
    assert sorted(recorded.last.status for recorded in records) == ["done", "done", "failed"]


async def test_runs_of_other_seeds_or_settings_share_nothing_but_the_prompt(models: Models, maths: Domain) -> None:
    assert models.scorer is not None
    requests: list[Request] = [{"seed": 1}, {"seed": 2}, {"seed": 1, "temperature": 0.9}, {"seed": 1, "top_p": 0.9}]
    requests = [{"strategy": "best_of_n", "n": 8} | request for request in requests]
    together = Together(models.policy, models.scorer, requests)
    records = await together.execute()
    for recorded, request in zip(records, requests, strict=True):
        assert_as_if_alone(recorded, await solve(models, maths, **request))
    real = together.policy.cost
    assert real.generated_tokens == sum(recorded.usage.generated_tokens for recorded in records)
    assert real.prompt_tokens < sum(recorded.usage.prompt_tokens for recorded in records)
    assert any(isinstance(event, StepSampled) for event in records[0].events)


async def test_a_comparison_is_of_one_problem(models: Models) -> None:
    assert models.scorer is not None
    for shared in (SharedPolicy(models.policy, "1 + 1", 2), SharedScorer(models.scorer, "1 + 1", 2)):
        with pytest.raises(ValueError, match="one problem"):
            shared.session("2 + 2")
