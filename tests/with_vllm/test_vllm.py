"""Searching through the real vLLM, in process and behind a server, against the local back end on the same models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest

import pytest
from support.recorded import PROBLEM, Recorded, make_run, solve_with, until
from support.vllm_server import VllmServer

from engine.domains.builtin.problems import Problem
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Models
from engine.models.policies.openai_server import OpenAIPolicy
from engine.models.policies.vllm import VllmPolicy
from engine.models.servers.prompts import Prompts
from engine.search.domain import Domain
from engine.search.policy import Policy

PROBLEMS = problem_set("builtin-1000")[:20]
#: Of 20 answers, how many fewer right ones chance explains: the draws are others, for each back end has its own dice.
CHANCE = 4
#: Seconds to wait for what takes a moment on a machine that does nothing else.
PATIENCE_S = 300.0


@pytest.fixture(params=["in process", "server"])
def policy(request: pytest.FixtureRequest) -> Policy:
    chosen: Policy = request.getfixturevalue("in_process" if request.param == "in process" else "behind_servers")
    return chosen


async def solve_all(
    policy: Policy, models: Models, maths: Domain, problems: tuple[Problem, ...], **request: object
) -> list[Recorded]:
    """All problems at once, as the app would have it if so many people asked."""
    runs = (
        solve_with(policy, models.scorer, maths, problem=problem.text, reference=problem.answer, **request)
        for problem in problems
    )
    return list(await asyncio.gather(*runs))


def right(runs: list[Recorded]) -> int:
    assert {run.last.status for run in runs} == {"done"}
    return sum(run.last.correct is True for run in runs)


async def test_beam_search_answers_as_well_as_locally(
    policy: Policy, models: Models, maths: Domain, capsys: pytest.CaptureFixture[str]
) -> None:
    beam = {"strategy": "beam_search", "n": 8, "width": 4}
    runs = await solve_all(policy, models, maths, PROBLEMS, **beam)
    local = await solve_all(models.policy, models, maths, PROBLEMS, **beam)
    with capsys.disabled():
        print(f"\n{policy.info.device}: {right(runs)} of {len(runs)} right, local {right(local)}")
    assert right(runs) >= right(local) - CHANCE
    for run in runs:
        nodes = run.tree.nodes[1:]
        assert run.usage.generated_tokens == sum(node.tokens * node.copies for node in nodes)
        assert all(node.token_ids and node.logprob is not None and len(node.token_ids) == node.tokens for node in nodes)
        assert all(node.text.endswith("\n\n") for node in nodes if node.finish == "step")
    assert sum(run.usage.prompt_tokens_reused for run in runs) > 0, "vLLM's prefix cache was not used"


async def test_greedy_texts_are_the_local_ones(
    policy: Policy, models: Models, maths: Domain, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = await solve_all(policy, models, maths, PROBLEMS, strategy="greedy")
    local = await solve_all(models.policy, models, maths, PROBLEMS, strategy="greedy")
    same = 0
    for ours, theirs in zip(runs, local, strict=True):
        pairs = list(zip_longest(ours.tree.nodes[1:], theirs.tree.nodes[1:]))
        if all(mine and other and mine.token_ids == other.token_ids for mine, other in pairs):
            same += 1
            for mine, other in pairs:
                assert (mine.text, mine.finish) == (other.text, other.finish)
                assert mine.logprob == pytest.approx(other.logprob, abs=0.02)
    with capsys.disabled():
        print(f"\n{policy.info.device}: {same} of {len(runs)} greedy solutions token for token the local ones")
    assert same >= 0.8 * len(runs)


async def test_seeds_decide(policy: Policy, models: Models, maths: Domain) -> None:
    async def said(seed: int) -> list[str]:
        run = await solve_with(policy, None, maths, strategy="majority_vote", n=2, temperature=1.5, seed=seed)
        return [node.text for node in run.tree.nodes[1:]]

    assert await said(1) != await said(2)


async def test_a_budget_is_kept(policy: Policy, models: Models, maths: Domain) -> None:
    run = await solve_with(policy, models.scorer, maths, n=8, width=4, max_tokens_total=150)
    assert run.last.stop_reason == "budget"
    assert run.usage.generated_tokens == 150


async def stop_when(running: Callable[[], int], policy: Policy, models: Models, maths: Domain) -> Recorded:
    """Start a large search, and cancel it as soon as vLLM is at work on it."""
    recorded = Recorded()
    run = make_run(policy, models.scorer, recorded, maths, n=64, width=4, temperature=1.5)
    searching = asyncio.create_task(run.execute())
    await until(lambda: running() > 0, timeout=PATIENCE_S)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    return recorded


async def test_stop_aborts_the_requests_of_a_server(
    behind_servers: OpenAIPolicy, servers: list[VllmServer], models: Models, maths: Domain
) -> None:
    def running() -> int:
        return sum(server.running() for server in servers)

    recorded = await stop_when(running, behind_servers, models, maths)
    await until(lambda: running() == 0, timeout=PATIENCE_S)
    assert recorded.last.status == "stopped"


async def test_stop_aborts_the_requests_in_process(in_process: VllmPolicy, models: Models, maths: Domain) -> None:
    running = in_process.engine.get_num_unfinished_requests
    recorded = await stop_when(running, in_process, models, maths)
    await until(lambda: running() == 0, timeout=PATIENCE_S)
    assert recorded.last.status == "stopped"
    run = await solve_with(in_process, models.scorer, maths, strategy="greedy")
    assert run.last.status == "done", "the engine works on after an abort"


async def test_a_real_server_can_do_everything(behind_servers: OpenAIPolicy) -> None:
    assert behind_servers.abilities.missing == ""
    assert (behind_servers.info.name, behind_servers.info.context_window) == ("builtin-xs", 512)


async def test_chat_completions_go_on_with_the_message(
    behind_servers: OpenAIPolicy, models: Models, maths: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What remains for a front end that hides the other addresses."""
    less = replace(behind_servers.abilities, prompts=False, templates=False, token_ids=False, continue_flags=True)
    monkeypatch.setattr(behind_servers, "abilities", less)
    monkeypatch.setattr(behind_servers, "prompts", Prompts("builtin-xs", less, None))
    request = {"strategy": "greedy", "problem": "Compute 18 * 19."}  # asked nowhere else: prompts are kept
    run = await solve_with(behind_servers, None, maths, **request)
    local = await solve_with(models.policy, None, maths, **request)
    assert [node.text for node in run.tree.nodes] == [node.text for node in local.tree.nodes]


async def killed_in_mid_search(
    alive: list[VllmServer], policy: OpenAIPolicy, models: Models, maths: Domain
) -> Recorded:
    """Start a search, and kill the server that it has turned to once the first level is scored."""
    at_work = policy.route(PROBLEM).server.url
    victim = next(server for server in alive if server.url == at_work)
    recorded = Recorded()
    run = make_run(policy, models.scorer, recorded, maths, n=32, width=4, temperature=1.2, reference="262")
    searching = asyncio.create_task(run.execute())
    # Nothing here may hold up the loop, or the search would be over before anybody looked.
    await until(lambda: bool(recorded.scored) or searching.done(), timeout=PATIENCE_S)
    await asyncio.to_thread(victim.kill)
    alive.remove(victim)
    await searching
    return recorded


async def test_a_server_that_is_killed_leaves_its_searches_to_the_other_and_then_to_nobody(
    behind_servers: OpenAIPolicy, servers: list[VllmServer], models: Models, maths: Domain
) -> None:
    alive = list(servers)
    recorded = await killed_in_mid_search(alive, behind_servers, models, maths)
    assert len(alive) == 1
    assert recorded.last.status == "done"
    recorded = await killed_in_mid_search(alive, behind_servers, models, maths)
    assert not alive
    assert recorded.last.status == "failed"
    assert "no server is left" in (recorded.last.error or "")
    assert len(recorded.tree) > 8 and recorded.scored, "what was found is kept"
    assert recorded.tree.root.text == PROBLEM
