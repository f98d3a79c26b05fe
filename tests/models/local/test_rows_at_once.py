"""However few rows memory holds at once, a run is the same, token for token; and the memory holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.recorded import PROBLEM, Recorded, assert_same_document, make_run, solve_with

from engine.assets import assets
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Models
from engine.models.local import prefix_cache
from engine.models.policies.local import LocalPolicy
from engine.search.cost import PolicyCost
from engine.search.domain import Domain
from engine.search.policy import Draw, Sampling, Step, TokenBudget


@pytest.fixture
def policy() -> Iterator[LocalPolicy]:
    opened = LocalPolicy("small", assets() / "models" / "builtin-xs")
    yield opened
    opened.close()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> prefix_cache.Room:
    """Keys and values that share memory with those of no other test."""
    room = prefix_cache.Room()
    monkeypatch.setattr(prefix_cache, "room", room)
    return room


@contextmanager
def watched(policy: LocalPolicy, room: prefix_cache.Room) -> Iterator[list[tuple[int, int]]]:
    """Of each forward of the policy its rows, and the bytes of all keys and values."""
    seen: list[tuple[int, int]] = []

    def note(_: Any, args: Any) -> None:
        store = room.on(policy.model.device)
        seen.append((args[0].shape[0], store.bytes + sum(store.running.values())))

    hook = policy.model.get_input_embeddings().register_forward_pre_hook(note)
    try:
        yield seen
    finally:
        hook.remove()


async def drawn(policy: LocalPolicy, left: int | None, draws: int = 24) -> tuple[list[Step], int | None, PolicyCost]:
    session, budget, cost = policy.session(PROBLEM), TokenBudget(left), PolicyCost()
    steps = await session.extend([Draw((), seed) for seed in range(draws)], Sampling(1.2), budget, cost)
    session.close()
    return steps, budget.left, cost


def exact(steps: list[Step]) -> list[tuple[Any, ...]]:
    return [(step.text, step.token_ids, step.finish, round(step.logprob or 0.0, 3)) for step in steps]


@pytest.mark.parametrize("left", [None, 0, 5, 40, 200, 10_000])
async def test_a_budget_cuts_the_same_draws_at_the_same_tokens(policy: LocalPolicy, left: int | None) -> None:
    at_once = await drawn(policy, left)
    for most in (1, 3, 7):
        policy.decoder.most_rows = most
        in_turns = await drawn(policy, left)
        assert exact(in_turns[0]) == exact(at_once[0])
        assert in_turns[1:] == at_once[1:]


@pytest.mark.parametrize("request_", [
    {"strategy": "best_of_n", "n": 16, "temperature": 1.5}, {"strategy": "beam_search", "n": 16},
    {"strategy": "best_of_n", "n": 16, "max_tokens_total": 300}, {"strategy": "mcts", "n": 4, "max_tokens_total": 200},
])  # fmt: skip
async def test_a_run_is_the_same_whatever_the_cap(
    policy: LocalPolicy, models: Models, maths: Domain, request_: dict[str, Any]
) -> None:
    at_once = await solve_with(policy, models.scorer, maths, **request_)
    policy.decoder.most_rows = 3
    in_turns = await solve_with(policy, models.scorer, maths, **request_)
    assert_same_document(in_turns, at_once, within=1e-3)


async def test_beside_a_small_run_a_large_one_takes_few_rows(policy: LocalPolicy, alone: prefix_cache.Room) -> None:
    """Passes over few rows are short, so the small run does not wait for the large one's."""
    policy.decoder.most_rows, policy.decoder.shared_rows = 40, 6
    by_itself = await drawn(policy, None, 4)
    with watched(policy, alone) as seen:
        large = asyncio.ensure_future(drawn(policy, None, 200))
        while not any(rows == 40 for rows, _ in seen):
            await asyncio.sleep(0)
        begun = len(seen)
        small = await drawn(policy, None, 4)
        passes = [rows for rows, _ in seen[begun:]]
        large.cancel()
    assert exact(small[0]) == exact(by_itself[0])
    assert max(passes[-8:]) <= 6


async def test_rows_wait_for_memory_and_the_run_is_the_same(
    policy: LocalPolicy, models: Models, maths: Domain, alone: prefix_cache.Room
) -> None:
    """Long rows at a high temperature: some give way to others as all of them grow."""
    asked = {"strategy": "majority_vote", "n": 96, "temperature": 4.0, "max_steps": 2, "seed": 5}
    with watched(policy, alone) as seen:
        roomy = await solve_with(policy, None, maths, **asked)
    needed, rows = max(size for _, size in seen), max(rows for rows, _ in seen)
    alone.fit_anew(needed // 4)
    with watched(policy, alone) as seen:
        tight = await solve_with(policy, None, maths, **asked)
    assert max(size for _, size in seen) <= needed // 4
    assert max(rows for rows, _ in seen) < rows
    assert [node.text for node in tight.tree.nodes] == [node.text for node in roomy.tree.nodes]
    assert tight.usage.generated_tokens == roomy.usage.generated_tokens
    assert not alone.on(policy.model.device).running


async def test_a_path_for_which_there_is_no_memory_ends_its_run_with_a_line(
    policy: LocalPolicy, maths: Domain, alone: prefix_cache.Room
) -> None:
    room_for = policy.prompt_tokens(PROBLEM) + 100
    alone.fit_anew(3 * policy.decoder.position * room_for)
    run = await solve_with(policy, None, maths, strategy="majority_vote", n=4, temperature=5.0)
    assert run.last.status == "failed" and run.last.error
    assert f"a path of more than {room_for} tokens needs more memory" in run.last.error and "\n" not in run.last.error
    alone.decided = None
    alone.fit_anew(None)
    assert (await solve_with(policy, None, maths, strategy="greedy")).last.status == "done"


async def test_a_problem_for_which_there_is_no_memory_is_refused_before_its_run(
    policy: LocalPolicy, maths: Domain, alone: prefix_cache.Room
) -> None:
    alone.fit_anew(3 * policy.decoder.position * 10)
    with pytest.raises(InvalidInput, match=r"problem: \d+ tokens do not fit the memory for keys and values of small"):
        make_run(policy, None, Recorded(), maths, strategy="greedy")


async def test_few_rows_of_a_newcomer_do_not_wait_for_all_of_anothers(models: Models, maths: Domain) -> None:
    """One draw beside a thousand: it is over while most of the others still wait."""
    policy = models.policy
    assert isinstance(policy, LocalPolicy)
    hog, other = policy.session(PROBLEM), policy.session(PROBLEM)
    cost = PolicyCost()
    many = asyncio.ensure_future(
        hog.extend([Draw((), seed) for seed in range(1500)], Sampling(1.5), TokenBudget(), cost)
    )
    while not cost.generated_tokens:
        await asyncio.sleep(0)
    await other.extend([Draw((), 1)], Sampling(), TokenBudget(), PolicyCost())
    assert not many.done()
    done_by_then = cost.generated_tokens
    await many
    assert done_by_then < cost.generated_tokens / 2
    hog.close()
    other.close()
