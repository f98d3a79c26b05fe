"""The local back end: what it samples is what the plain model would, and it computes nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from markov import END, START, builtin_tokenizer, markov_checkpoint
from recorded import PROBLEM, Recorded, assert_same_document, make_run, solve, solve_with, texts, until
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPTNeoXConfig,
    LlamaConfig,
    Qwen3Config,
)

from engine.answers import Checker
from engine.assets import assets
from engine.cost import PolicyCost
from engine.local.prefix_cache import PrefixCache
from engine.models import Models
from engine.policies.local import LocalPolicy, LocalSession
from engine.policies.protocol import Draw, Sampling, Step, TokenBudget
from engine.search import draw_seed
from engine.tree import Node, Tree

MASK = 2**64 - 1


class Reference:
    """The plainest decoder: the whole prefix through the model for every token, one row, no cache."""

    def __init__(self) -> None:
        torch.set_num_threads(1)  # two threads wait for each other longer than such a model takes
        folder = assets() / "models" / "builtin-xs"
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()

    def prompt(self, problem: str) -> list[int]:
        text = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": problem}], add_generation_prompt=True, tokenize=False
        )
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    @torch.inference_mode()
    def step(
        self, prefix: list[int], seed: int, temperature: float, top_p: float
    ) -> tuple[tuple[int, ...], float, str]:
        ids: list[int] = []
        logprob = 0.0
        while True:
            logits = self.model(torch.tensor([prefix + ids]), use_cache=False).logits[0, -1, : len(self.tokenizer)]
            raw = torch.log_softmax(logits.double(), -1)
            token = (
                int(raw.argmax()) if temperature == 0 else self.draw(raw, uniform(seed, len(ids)), temperature, top_p)
            )
            ids.append(token)
            logprob += float(raw[token])
            if token == self.tokenizer.eos_token_id:
                return tuple(ids), logprob, "eos"
            if len(prefix) + len(ids) == self.model.config.max_position_embeddings:
                return tuple(ids), logprob, "length"
            if "\n\n" in self.tokenizer.decode(ids, skip_special_tokens=True).lstrip():
                return tuple(ids), logprob, "step"

    @staticmethod
    def draw(raw: torch.Tensor, number: float, temperature: float, top_p: float) -> int:
        probabilities = torch.softmax(raw / temperature, -1)
        nucleus: set[int] = set()
        mass = 0.0
        for token in probabilities.argsort(descending=True, stable=True).tolist():
            if mass >= top_p:
                break
            nucleus.add(token)
            mass += float(probabilities[token])
        threshold, so_far = number * mass, 0.0
        for token in sorted(nucleus):
            so_far += float(probabilities[token])
            if so_far > threshold:
                return int(token)
        return max(nucleus)


def uniform(seed: int, counter: int) -> float:
    """Number `counter` of the SplitMix64 stream of `seed`: 23 bits of it, the most a float32 below 1 can carry."""
    z = (seed + (counter + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return ((z ^ (z >> 31)) >> 41) * 2.0**-23


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference()


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("best_of_n", {"n": 4, "seed": 3}),
        ("beam_search", {"n": 4, "width": 2, "seed": 5}),
        ("best_of_n", {"n": 2, "seed": 7, "top_p": 0.7, "temperature": 1.2}),
        ("greedy", {}),
    ],
)
async def test_every_draw_of_a_tree_is_what_the_plain_model_would_draw(
    models: Models, checker: Checker, reference: Reference, strategy: str, options: dict[str, Any]
) -> None:
    tree = (await solve(models, checker, strategy=strategy, max_steps=4, **options)).tree
    temperature = 0.0 if strategy == "greedy" else options.get("temperature", 0.8)
    prompt = reference.prompt(PROBLEM)
    assert max(node.depth for node in tree.nodes) >= 2
    for parent in [node for node in tree.nodes if node.children]:
        path = tree.path(parent)
        prefix = prompt + [token for node in path for token in node.token_ids or ()]
        children = tree.children(parent)
        drawn: Counter[tuple[int, ...]] = Counter()
        facts = {}
        for index in range(sum(child.copies for child in children)):
            ids, logprob, finish = reference.step(
                prefix, draw_seed(options.get("seed", 0), path, index), temperature, options.get("top_p", 1.0)
            )
            drawn[ids] += 1
            facts[ids] = (logprob, finish)
        assert {child.token_ids: child.copies for child in children} == dict(drawn)
        for child in children:
            assert child.token_ids is not None
            logprob, finish = facts[child.token_ids]
            assert child.text == reference.tokenizer.decode(child.token_ids, skip_special_tokens=True)
            assert child.finish == finish
            assert child.tokens == len(child.token_ids)
            assert child.logprob == pytest.approx(logprob, abs=1e-3)


# --- how a step ends, on checkpoints that say what they are told -----------------------------------------------------


@contextmanager
def policy_of(folder: Path, **options: Any) -> Iterator[LocalPolicy]:
    policy = LocalPolicy("markov", folder, **options)
    try:
        yield policy
    finally:
        policy.close()


async def sample(policy: LocalPolicy, *, path: tuple[Node, ...] = (), seeds: Any = (1,), limit: int | None = None,
                 **sampling: Any) -> tuple[list[Step], PolicyCost]:  # fmt: skip
    cost = PolicyCost()
    session = policy.session("x")
    steps = await session.extend([Draw(path, seed) for seed in seeds], Sampling(**sampling), TokenBudget(limit), cost)
    session.close()
    return steps, cost


async def test_a_step_ends_with_the_token_that_completes_the_blank_line(tmp_path: Path) -> None:
    table = {START: {"a": 1.0}, "a": {"\n\n": 1.0}, "\n\n": {END: 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        steps, cost = await sample(policy)
        assert [(step.text, step.finish, step.tokens) for step in steps] == [("a\n\n", "step", 2)]
        assert steps[0].logprob == pytest.approx(0.0, abs=1e-4)
        assert cost.generated_tokens == 2


async def test_a_delimiter_of_two_tokens_is_found(tmp_path: Path) -> None:
    table = {START: {"a": 0.5, "\n": 0.5}, "a": {"\n": 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        steps, _ = await sample(policy, seeds=range(1, 41))
        newline = policy.prompt_ids("x")[-1]
        assert len(steps) == 40
        for step in steps:
            assert step.finish == "step"
            assert step.text.lstrip().endswith("\n\n")
            assert step.text.lstrip().count("\n\n") == 1
            assert step.token_ids is not None
            assert step.token_ids[-2:] == (newline, newline)


async def test_a_token_that_merges_the_full_stop_and_the_blank_line_is_kept_whole(tmp_path: Path) -> None:
    table = {START: {"a": 1.0}, "a": {".\n\nb": 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table, extra=[".\n\n", ".\n\nb"])) as policy:
        (step,), _ = await sample(policy)
        assert (step.text, step.finish, step.tokens) == ("a.\n\nb", "step", 2)


async def test_blank_steps_are_continued_not_stored(tmp_path: Path) -> None:
    table = {START: {"\n\n": 1.0}, "\n\n": {"\n\n": 0.5, "a": 0.5}, "a": {"\n\n": 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        steps, _ = await sample(policy, seeds=range(1, 21))
        assert len({step.tokens for step in steps}) > 1
        for step in steps:
            assert step.text.strip() == "a"
            assert step.text.endswith("a\n\n")


async def test_a_special_token_does_not_make_a_blank_step_a_step(tmp_path: Path) -> None:
    table = {START: {"<|im_start|>": 1.0}, "<|im_start|>": {"\n\n": 1.0}, "\n\n": {"a": 1.0}, "a": {"\n\n": 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        (step,), _ = await sample(policy)
        assert step.text == "\n\na\n\n"


async def test_eos_is_counted_and_is_not_text(tmp_path: Path) -> None:
    table = {START: {"a": 1.0}, "a": {END: 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        (step,), cost = await sample(policy)
        assert (step.text, step.finish, step.tokens) == ("a", "eos", 2)
        assert cost.generated_tokens == 2


async def test_a_step_is_cut_at_its_limit_and_at_the_context_window(tmp_path: Path) -> None:
    table = {START: {"a": 1.0}, "a": {"a": 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table, context=40)) as policy:
        (step,), _ = await sample(policy, max_step_tokens=5)
        assert (step.text, step.finish) == ("aaaaa", "length")
        (step,), _ = await sample(policy)
        assert step.finish == "length"
        assert step.tokens == 40 - policy.prompt_tokens("x")


async def test_a_step_that_fills_the_window_to_the_brim_is_cut_not_open(tmp_path: Path) -> None:
    table = {START: {"a": 1.0}, "a": {"\n\n": 1.0}}
    folder = markov_checkpoint(tmp_path, table, context=1000)
    with policy_of(folder) as policy:
        window = policy.prompt_tokens("x") + 2
    with policy_of(markov_checkpoint(tmp_path, table, context=window)) as policy:
        (step,), _ = await sample(policy)
        assert (step.text, step.finish) == ("a\n\n", "length")


async def test_the_budget_is_paid_token_by_token_in_draw_order(tmp_path: Path) -> None:
    table = {START: {"a": 1.0}, "a": {"a": 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        steps, cost = await sample(policy, seeds=range(4), limit=10)
        assert [step.tokens for step in steps] == [3, 3, 2, 2]
        assert {step.finish for step in steps} == {"budget"}
        assert cost.generated_tokens == 10
        steps, _ = await sample(policy, seeds=range(3), limit=2)
        assert [step.tokens for step in steps] == [1, 1, 0]


async def test_no_probability_means_never_drawn(tmp_path: Path) -> None:
    """With top-p the cut tokens carry no mass, however the draw falls; a tiny temperature is greedy, not a NaN."""
    table = {START: {"a": 0.55, "b": 0.45}, "a": {END: 1.0}, "b": {END: 1.0}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        steps, _ = await sample(policy, seeds=range(64), top_p=0.5)
        assert {step.text for step in steps} == {"a"}
        steps, _ = await sample(policy, seeds=range(64), temperature=1e-40)
        assert {step.text for step in steps} == {"a"}
        steps, _ = await sample(policy, seeds=range(64), temperature=1.0)
        assert {step.text for step in steps} == {"a", "b"}
        assert steps[0].logprob == pytest.approx(-0.598 if steps[0].text == "a" else -0.799, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (LlamaConfig, {"num_key_value_heads": 1}),  # two heads share their keys
        (Qwen3Config, {"num_key_value_heads": 2, "head_dim": 24}),
        (GPTNeoXConfig, {"rotary_pct": 0.5}),
    ],
)
async def test_other_architectures_decode_as_their_own_forward_does(
    tmp_path: Path, kind: Any, options: dict[str, Any]
) -> None:
    tokenizer = builtin_tokenizer()
    config = kind(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=128, eos_token_id=tokenizer.eos_token_id, bos_token_id=None, initializer_range=0.3,
        **options,
    )  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with policy_of(tmp_path, delimiter="\0") as policy:
        (step,), _ = await sample(policy, temperature=0, max_step_tokens=20)
        ids = policy.prompt_ids("x")
    for token in step.token_ids or ():
        with torch.inference_mode():
            assert int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()) == token
        ids.append(token)


# --- counts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["greedy", "majority_vote", "best_of_n", "beam_search"])
async def test_a_prompt_is_computed_once_a_run_and_every_draw_is_counted(
    models: Models, checker: Checker, strategy: str
) -> None:
    run = await solve(models, checker, strategy=strategy, n=8, seed=1)
    assert run.usage.prompt_tokens == models.policy.prompt_tokens(PROBLEM)
    assert run.usage.generated_tokens == sum(node.tokens * node.copies for node in run.tree.nodes[1:])
    assert all(node.token_ids and len(node.token_ids) == node.tokens for node in run.tree.nodes[1:])


class SmallCache:
    """The built-in policy with room for a few positions in its prefix cache."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy
        self.info, self.delimiter, self.prompt_tokens = policy.info, policy.delimiter, policy.prompt_tokens

    def session(self, problem: str) -> LocalSession:
        session: LocalSession = self.policy.session(problem)
        session.cache = PrefixCache(limit_bytes=1)
        return session


@pytest.mark.parametrize("strategy", ["best_of_n", "beam_search"])
async def test_eviction_changes_nothing_but_the_positions_computed(
    models: Models, checker: Checker, strategy: str
) -> None:
    roomy = await solve(models, checker, strategy=strategy, n=8, seed=2)
    tight = await solve_with(SmallCache(models.policy), models.scorer, checker, strategy=strategy, n=8, seed=2)
    assert_same_document(tight, roomy)
    assert tight.usage.prompt_tokens > roomy.usage.prompt_tokens
    assert tight.usage.generated_tokens == roomy.usage.generated_tokens


# --- several searches ------------------------------------------------------------------------------------------------


@contextmanager
def counted_forwards(policy: Any) -> Iterator[list[int]]:
    """The number of rows of each forward of the policy."""
    rows: list[int] = []
    embedding = policy._decoder._model.get_input_embeddings()
    hook = embedding.register_forward_pre_hook(lambda module, args: rows.append(args[0].shape[0]))
    try:
        yield rows
    finally:
        hook.remove()


async def test_searches_at_once_share_batches_and_grow_the_trees_they_grow_alone(
    models: Models, checker: Checker
) -> None:
    requests: list[dict[str, Any]] = [
        {"strategy": "beam_search", "n": 8, "seed": 1},
        {"strategy": "best_of_n", "n": 8, "seed": 2, "problem": "Compute 18 * 19."},
        {"strategy": "majority_vote", "n": 4, "seed": 3, "top_p": 0.9, "problem": "What is 12 + 7?"},
        {"strategy": "greedy", "problem": "Compute 3 * 4 + 2."},
    ]
    with counted_forwards(models.policy) as alone_rows:
        alone = [await solve(models, checker, **request) for request in requests]
    with counted_forwards(models.policy) as shared_rows:
        shared = await asyncio.gather(*(solve(models, checker, **request) for request in requests))
    for one, other in zip(alone, shared, strict=True):
        assert texts(one.tree) == texts(other.tree)
        assert one.usage.generated_tokens == other.usage.generated_tokens
        assert one.usage.prompt_tokens == other.usage.prompt_tokens
    assert len(shared_rows) < len(alone_rows)
    assert max(shared_rows) > max(alone_rows)


async def test_cancelling_stops_at_the_next_token_and_the_others_go_on(
    tmp_path: Path, models: Models, checker: Checker
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
        assert sessions[0].writing().startswith("a")
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        sessions[0].close()
        stopped_at = costs[0].generated_tokens
        progress = costs[1].generated_tokens
        await until(lambda: costs[1].generated_tokens > progress + 8 * 20)
        assert costs[0].generated_tokens <= stopped_at + 8  # the token that was under way
        assert len(policy._decoder._rows) == 8
        assert sessions[0].writing() == ""
        together = await other
        assert [step.finish for step in together] == ["length"] * 8
        alone, _ = await sample(policy, seeds=range(8), max_step_tokens=600)
        assert [step.text for step in together] == [step.text for step in alone]
        assert not policy._decoder._rows


async def test_a_stopped_search_does_not_disturb_its_neighbour(models: Models, checker: Checker) -> None:
    alone = await solve(models, checker, strategy="beam_search", n=16, seed=4)
    doomed = Recorded()
    task = asyncio.ensure_future(
        make_run(models.policy, models.scorer, doomed, strategy="best_of_n", n=64, seed=9).execute(checker)
    )
    neighbour = asyncio.ensure_future(solve(models, checker, strategy="beam_search", n=16, seed=4))
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
    await asyncio.sleep(0.05)
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
