"""How sure a policy was of each step: the two numbers of every node against plain transformers logits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from support.drawn import policy_of, sample
from support.markov import END, START, builtin_tokenizer, markov_checkpoint
from support.recorded import PROBLEM, solve
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from engine.assets import assets
from engine.models.catalogue.catalogue import Models
from engine.models.local.sureness import largest, sums, sureness
from engine.search.domain import Domain
from engine.search.readings import TOP_K
from engine.search.tree import Tree


class Plain:
    """The whole text through the model at once, and the definitions of the papers in float64."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
        self.exist = sorted(self.tokenizer.get_vocab().values())

    @torch.inference_mode()
    def of_step(self, before: list[int], step: list[int]) -> tuple[float, float]:
        logits = self.model(torch.tensor([before + step]), use_cache=False).logits[0].double().numpy()
        confidences, certainties = [], []
        for place in range(len(before) - 1, len(before) + len(step) - 1):
            raw = np.exp(logits[place, self.exist] - logits[place, self.exist].max())
            p = raw / raw.sum()
            confidences.append(-np.log(np.sort(p)[::-1][:TOP_K]).mean())
            uniform = 1 / len(p)
            certainties.append(float(sum(uniform * math.log(uniform / each) for each in p)))  # KL(uniform || p)
        return float(np.mean(confidences)), float(np.mean(certainties))


def assert_told(tree: Tree, plain: Plain, prompt: list[int]) -> None:
    for node in tree.nodes[1:]:
        before = prompt + [token for step in tree.path(node)[:-1] for token in step.token_ids or ()]
        assert node.token_ids is not None
        expected = plain.of_step(before, list(node.token_ids))
        assert (node.confidence, node.certainty) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("best_of_n", {"n": 6, "seed": 3, "temperature": 1.3}),
        ("beam_search", {"n": 4, "width": 2, "seed": 5}),
        ("mcts", {"n": 4, "width": 2, "top_p": 0.7}),
        ("greedy", {}),
    ],
)
async def test_every_step_tells_what_the_plain_model_would(
    models: Models, maths: Domain, strategy: str, options: dict[str, float]
) -> None:
    """Ragged batches, paths read from the prefix cache, whatever the temperature and the cut."""
    tree = (await solve(models, maths, strategy=strategy, max_steps=4, **options)).tree
    plain = Plain(assets() / "models" / "builtin-xs")
    text = plain.tokenizer.apply_chat_template(
        [{"role": "user", "content": PROBLEM}], add_generation_prompt=True, tokenize=False
    )
    assert len(tree) > 2
    assert_told(tree, plain, list(plain.tokenizer.encode(text, add_special_tokens=False)))


async def test_tokens_that_do_not_exist_do_not_count(tmp_path: Path) -> None:
    """An output layer of more rows than there are tokens."""
    tokenizer = builtin_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer) + 200, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=128, eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
        initializer_range=0.3,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with policy_of(tmp_path, delimiter="\0") as policy:
        steps, _ = await sample(policy, seeds=range(3), max_step_tokens=12)
        prompt = policy.prompt_ids("x")
    plain = Plain(tmp_path)
    for step in steps:
        expected = plain.of_step(prompt, list(step.token_ids or ()))
        assert (step.confidence, step.certainty) == pytest.approx(expected, abs=2e-3)


async def test_what_a_budget_cut_off_is_not_counted(tmp_path: Path) -> None:
    table = {START: {"a": 0.6, "b": 0.4}, "a": {"a": 1.0}, "b": {"a": 0.5, "b": 0.5}}
    with policy_of(markov_checkpoint(tmp_path, table)) as policy:
        whole, _ = await sample(policy, seeds=range(4), max_step_tokens=3)
        cut, _ = await sample(policy, seeds=range(4), limit=12)
    assert [step.tokens for step in cut] == [3, 3, 3, 3]
    assert [step.confidence for step in cut] == pytest.approx([step.confidence for step in whole])
    assert [step.certainty for step in cut] == pytest.approx([step.certainty for step in whole])


async def test_a_step_without_tokens_has_no_numbers(tmp_path: Path) -> None:
    with policy_of(markov_checkpoint(tmp_path, {START: {END: 1.0}})) as policy:
        steps, _ = await sample(policy, seeds=range(2), limit=1)
    assert [step.tokens for step in steps] == [1, 0]
    assert steps[0].confidence is not None
    assert (steps[1].confidence, steps[1].certainty) == (None, None)


@pytest.mark.parametrize("many", [7, 300, 8191, 8192, 20_011])
def test_the_largest_are_found_in_blocks(many: int) -> None:
    torch.manual_seed(many)
    k = min(TOP_K, many)
    ordinary, ties = torch.randn(5, many), torch.randint(0, 3, (5, many)).float()
    crowded = torch.zeros(5, many)
    crowded[:, many - k :] = torch.arange(k).float() + 1  # all in one corner
    for numbers in (ordinary, ties, crowded):
        found = largest(numbers[:, :many], k).sort(descending=True).values
        assert torch.equal(found, numbers.sort(descending=True).values[:, :k])
    wide = torch.randn(5, many + 9)  # a view of something wider
    assert torch.equal(largest(wide[:, :many], k).sort().values, largest(wide[:, :many].clone(), k).sort().values)


def test_holes_in_a_vocabulary_and_numbers_that_are_not_finite() -> None:
    logits = torch.randn(3, 50)
    logits[:, [4, 30]] = -math.inf
    likeliest, whole = sums(torch.log_softmax(logits, -1), 48)
    kept = [index for index in range(50) if index not in (4, 30)]
    alone = sums(torch.log_softmax(logits[:, kept], -1), 48)
    assert torch.allclose(likeliest, alone[0], atol=1e-4) and torch.allclose(whole, alone[1], atol=1e-3)
    assert sureness(-math.inf, -100.0, 48)[0] is None and sureness(-60.0, math.nan, 48) == (3.0, None)
    uniform = sums(torch.log_softmax(torch.zeros(1, 64), -1), 64)
    confidence, certainty = sureness(float(uniform[0]), float(uniform[1]), 64)
    assert confidence == pytest.approx(math.log(64)) and certainty == pytest.approx(0.0, abs=1e-5)
