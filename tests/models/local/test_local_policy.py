"""The local back end: what it samples is what the plain model would, and it computes nothing twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from support.drawn import policy_of, sample
from support.markov import END, START, builtin_tokenizer, markov_checkpoint
from support.recorded import PROBLEM, solve
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPTNeoXConfig,
    LlamaConfig,
    Qwen3Config,
)

from engine.assets import assets
from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain
from engine.search.draws import draw_seed

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
            if "\n\n" in str(self.tokenizer.decode(ids, skip_special_tokens=True)).lstrip():
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
    models: Models, maths: Domain, reference: Reference, strategy: str, options: dict[str, Any]
) -> None:
    tree = (await solve(models, maths, strategy=strategy, max_steps=4, **options)).tree
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
            assert child.text == reference.tokenizer.decode(list(child.token_ids), skip_special_tokens=True)
            assert child.finish == finish
            assert child.tokens == len(child.token_ids)
            assert child.logprob == pytest.approx(logprob, abs=1e-3)


# --- how a step ends, on checkpoints that say what they are told -----------------------------------------------------


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
