"""The local back end computes nothing twice: counts, eviction, several searches at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from support.drawn import policy_of, sample
from support.markov import START, markov_checkpoint
from support.recorded import PROBLEM, Recorded, assert_same_document, make_run, solve, solve_with, texts, until

from engine.models.catalogue.catalogue import Models
from engine.models.local.prefix_cache import PrefixCache
from engine.models.policies.local import LocalPolicy, LocalSession
from engine.search.cost import PolicyCost
from engine.search.domain import Domain
from engine.search.draws import draw_seed
from engine.search.policy import Draw, Sampling, TokenBudget
from engine.search.tree import Node, Tree

# --- counts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["greedy", "majority_vote", "best_of_n", "beam_search"])
async def test_a_prompt_is_computed_once_a_run_and_every_draw_is_counted(
    models: Models, maths: Domain, strategy: str
) -> None:
    run = await solve(models, maths, strategy=strategy, n=8, seed=1)
    assert run.usage.prompt_tokens == models.policy.prompt_tokens(PROBLEM)
    assert run.usage.generated_tokens == sum(node.tokens * node.copies for node in run.tree.nodes[1:])
    assert all(node.token_ids and len(node.token_ids) == node.tokens for node in run.tree.nodes[1:])


class SmallCache:
    """The built-in policy with room for a few positions in its prefix cache."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy
        self.info, self.delimiter, self.prompt_tokens = policy.info, policy.delimiter, policy.prompt_tokens
        self.token_ids = policy.token_ids

    def session(self, problem: str) -> LocalSession:
        session: LocalSession = self.policy.session(problem)
        session.cache = PrefixCache(limit_bytes=1)
        return session

    def close(self) -> None:
        self.policy.close()


@pytest.mark.parametrize("strategy", ["best_of_n", "beam_search"])
async def test_eviction_changes_nothing_but_the_positions_computed(
    models: Models, maths: Domain, strategy: str
) -> None:
    roomy = await solve(models, maths, strategy=strategy, n=8, seed=2)
    tight = await solve_with(SmallCache(models.policy), models.scorer, maths, strategy=strategy, n=8, seed=2)
    assert_same_document(tight, roomy, within=1e-4)  # read at once or token by token: other sums, other last bits
    assert tight.usage.prompt_tokens > roomy.usage.prompt_tokens
    assert tight.usage.generated_tokens == roomy.usage.generated_tokens


# --- several searches ------------------------------------------------------------------------------------------------


@contextmanager
def counted_forwards(policy: Any) -> Iterator[list[int]]:
    """The number of rows of each forward of the policy."""
    rows: list[int] = []
    embedding = policy.model.get_input_embeddings()
    hook = embedding.register_forward_pre_hook(lambda module, args: rows.append(args[0].shape[0]))
    try:
        yield rows
    finally:
        hook.remove()


async def test_searches_at_once_share_batches_and_grow_the_trees_they_grow_alone(models: Models, maths: Domain) -> None:
    requests: list[dict[str, Any]] = [
        {"strategy": "beam_search", "n": 8, "seed": 1},
        {"strategy": "best_of_n", "n": 8, "seed": 2, "problem": "Compute 18 * 19."},
        {"strategy": "majority_vote", "n": 4, "seed": 3, "top_p": 0.9, "problem": "What is 12 + 7?"},
        {"strategy": "greedy", "problem": "Compute 3 * 4 + 2."},
    ]
    with counted_forwards(models.policy) as alone_rows:
        alone = [await solve(models, maths, **request) for request in requests]
    with counted_forwards(models.policy) as shared_rows:
        shared = await asyncio.gather(*(solve(models, maths, **request) for request in requests))
    for one, other in zip(alone, shared, strict=True):
        assert texts(one.tree) == texts(other.tree)
        assert one.usage.generated_tokens == other.usage.generated_tokens
        assert one.usage.prompt_tokens == other.usage.prompt_tokens
    assert len(shared_rows) < len(alone_rows)
    assert max(shared_rows) > max(alone_rows)


async def test_a_prompt_is_not_padded_onto_rows_that_miss_a_token(models: Models) -> None:
    policy = models.policy
    assert isinstance(policy, LocalPolicy)
    read: list[tuple[int, ...]] = []
    embedding = policy.model.get_input_embeddings()
    hook = embedding.register_forward_pre_hook(lambda module, args: read.append(tuple(args[0].shape)))
    try:
        for round_ in range(10):
            known, new = policy.session(PROBLEM), policy.session(f"{round_} + 1? " * 30)
            draws = [Draw((), seed) for seed in range(8)]
            await known.extend(draws, Sampling(max_step_tokens=2), TokenBudget(), PolicyCost())
            read.clear()
            await asyncio.gather(
                *(each.extend(draws, Sampling(max_step_tokens=2), TokenBudget(), PolicyCost()) for each in (known, new))
            )
            assert [shape[0] for shape in read if shape[1] == len(new.prompt)] == [1]
    finally:
        hook.remove()


async def test_cancelling_stops_at_the_next_token_and_the_others_go_on(
    tmp_path: Path, models: Models, maths: Domain
) -> None:
    table = {START: {"a": 1.0}, "a": {"a": 0.9, "b": 0.1}, "b": {"a": 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table, context=100_000)) as policy:
        costs = [PolicyCost(), PolicyCost()]
        sampling = Sampling(max_step_tokens=600)
        sessions = [policy.session("x"), policy.session("x")]
        endless, other = (
            asyncio.ensure_future(session.extend([Draw((), seed) for seed in range(8)], sampling, TokenBudget(), cost))
            for session, cost in zip(sessions, costs, strict=True)
        )
        await until(lambda: costs[0].generated_tokens > 80)
        writing = sessions[0].writing()
        assert writing is not None and writing.text.startswith("a")
        assert (writing.level, writing.ended, writing.draws) == (1, 0, 8)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        sessions[0].close()
        stopped_at = costs[0].generated_tokens
        progress = costs[1].generated_tokens
        await until(lambda: costs[1].generated_tokens > progress + 8 * 20)
        assert costs[0].generated_tokens <= stopped_at + 8  # the token that was under way
        assert len(policy.decoder.rows) == 8
        assert sessions[0].writing() is None
        together = await other
        assert [step.finish for step in together] == ["length"] * 8
        alone, _ = await sample(policy, seeds=range(8), max_step_tokens=600)
        assert [step.text for step in together] == [step.text for step in alone]
        assert not policy.decoder.rows


async def test_a_stopped_search_does_not_disturb_its_neighbour(models: Models, maths: Domain) -> None:
    alone = await solve(models, maths, strategy="beam_search", n=16, seed=4)
    doomed = Recorded()
    task = asyncio.ensure_future(
        make_run(models.policy, models.scorer, doomed, maths, strategy="best_of_n", n=64, seed=9).execute()
    )
    neighbour = asyncio.ensure_future(solve(models, maths, strategy="beam_search", n=16, seed=4))
    await until(lambda: len(doomed.events) > 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert doomed.last.status == "stopped"
    assert texts((await neighbour).tree) == texts(alone.tree)


async def test_a_closed_policy_fails_what_still_waits(tmp_path: Path) -> None:
    table = {START: {"a": 1.0}, "a": {"a": 1.0}}
    policy = LocalPolicy("markov", markov_checkpoint(tmp_path, table, context=100_000))
    session = policy.session("x")
    waiting = [
        asyncio.ensure_future(session.extend([Draw((), 1)], Sampling(), TokenBudget(), PolicyCost())) for _ in range(2)
    ]
    await until(session.writing)
    policy.close()
    late = asyncio.ensure_future(session.extend([Draw((), 1)], Sampling(), TokenBudget(), PolicyCost()))
    results = await asyncio.wait_for(asyncio.gather(*waiting, late, return_exceptions=True), 10)
    assert all("closed" in str(result) for result in results)


def test_the_prefix_cache_keeps_its_limit_and_the_newest() -> None:
    segment = torch.zeros(1, 2, 1, 4, 2)
    cache = PrefixCache(limit_bytes=segment.nbytes * 2)
    for key in "abc":
        cache.put(key, segment)
    assert not cache.longest(["a"])
    assert len(cache.longest(["b", "c"])) == 2
    cache.longest(["b"])
    cache.put("d", segment)
    assert cache.longest(["b"]) and not cache.longest(["c"])
    cache.clear()
    assert not cache.longest(["d"])


def test_trees_of_texts_only_are_told_apart_by_text() -> None:
    tree = Tree("x")
    one, other = (Node(1, 0, 1, text) for text in ("a", "b"))
    assert draw_seed(0, [one], 0) != draw_seed(0, [other], 0) != draw_seed(0, [other], 1)
    assert draw_seed(0, tree.path(tree.root), 0) != draw_seed(1, tree.path(tree.root), 0)
