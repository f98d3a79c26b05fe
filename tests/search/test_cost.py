"""What a run is said to cost, by both conventions."""

from __future__ import annotations

import pytest
from support.recorded import solve

from engine.models.catalogue.catalogue import Models
from engine.models.policies.local import LocalPolicy
from engine.search.cost import LARGE_MODELS, Meter, tokens_for
from engine.search.domain import Domain
from engine.search.events import ModelInfo


def test_flops_by_the_paper_and_in_all() -> None:
    meter = Meter(ModelInfo("p", 1000, 10), ModelInfo("s", 7000, 10))
    meter.policy_cost.generated_tokens, meter.policy_cost.prompt_tokens = 50, 20
    meter.policy_cost.prompt_tokens_reused = meter.scorer_cost.scored_tokens_reused = 999
    meter.scorer_cost.scored_tokens = 60
    usage = meter.usage()
    assert usage.flops_paper == 2 * 1000 * 50
    assert usage.flops_all == 2 * 1000 * (50 + 20) + 2 * 7000 * 60
    assert Meter(ModelInfo("p", 1000, 10), None).usage().flops_all == 0


def llama_parameters(layers: int, width: int, heads: int, feed_forward: int) -> int:
    """Counted from the shape: 8 key and value heads, a gated feed-forward, two norms a layer, two embeddings."""
    keys_and_values = 2 * width * 8 * (width // heads)
    layer = 2 * width * width + keys_and_values + 3 * width * feed_forward + 2 * width
    return layers * layer + 2 * 128_256 * width + width


def test_large_models_are_counted_from_their_shapes() -> None:
    assert {
        "Llama-3.1-405B": llama_parameters(126, 16_384, 128, 53_248),
        "Llama-3.1-70B": llama_parameters(80, 8_192, 64, 28_672),
    } == LARGE_MODELS


def test_what_the_same_flops_buy_of_a_large_model() -> None:
    size = LARGE_MODELS["Llama-3.1-405B"]
    meter = Meter(ModelInfo("same size", size, 10), None)
    meter.policy_cost.generated_tokens = 120
    assert tokens_for(meter.usage().flops_paper, size) == 120
    assert tokens_for(meter.usage().flops_paper, size // 4) == pytest.approx(480)


async def test_a_run_s_flops_follow_from_its_counts(models: Models, maths: Domain) -> None:
    assert models.scorer is not None
    policy, scorer = models.policy.info.parameters, models.scorer.info.parameters
    usage = (await solve(models, maths, n=8, width=4)).usage
    assert usage.flops_paper == 2 * policy * usage.generated_tokens
    assert (
        usage.flops_all
        == 2 * policy * (usage.generated_tokens + usage.prompt_tokens) + 2 * scorer * usage.scored_tokens
    )
    assert usage.wall_s > 0
    unscored = (await solve(models, maths, strategy="majority_vote", n=8)).usage
    assert (unscored.scored_tokens, unscored.scorer_calls) == (0, 0)


def test_parameters_are_counted_once_though_tied(models: Models) -> None:
    assert isinstance(models.policy, LocalPolicy)
    weights = models.policy.model.state_dict()
    distinct = {weight.data_ptr(): weight.numel() for name, weight in weights.items()}
    assert models.policy.info.parameters == sum(distinct.values())
