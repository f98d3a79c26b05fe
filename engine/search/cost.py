"""What a search costs: tokens, calls and FLOPs, counted in one place.

FLOPs are counted by two conventions, which disagree: the paper's (arXiv 2502.06703, Table 4) counts only
the tokens the policy generates; the whole cost counts prompts and the PRM too, and the PRM is usually the larger part.
For comparison, both can be given as the number of tokens that a large model of the study would generate.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TypeVar

from engine.search.events import ModelInfo, Usage

#: Parameters of the large models that the study compares with, counted from the shapes in "The Llama 3 Herd of Models"
#: (arXiv 2407.21783, table 3; vocabulary 128,256, embeddings not tied). GPT-4o is left out: its size is not public.
LARGE_MODELS: Mapping[str, int] = {"Llama-3.1-405B": 405_853_388_800, "Llama-3.1-70B": 70_553_706_496}


def tokens_for(flops: float, parameters: int) -> float:
    """How many tokens a model of that size would generate for `flops`, at 2 FLOPs per parameter per token."""
    return flops / (2.0 * parameters)


@dataclass(slots=True)
class PolicyCost:
    """Counters a policy adds to while it works on a request, so that a cancelled request is charged for what it did."""

    generated_tokens: int = 0
    prompt_tokens: int = 0
    prompt_tokens_reused: int = 0
    calls: int = 0


@dataclass(slots=True)
class ScorerCost:
    """The same for a scorer: positions computed, positions read from its prefix cache.

    `flops` is given by a scorer of several models of different size; else it is 0, and follows from the positions.
    """

    scored_tokens: int = 0
    scored_tokens_reused: int = 0
    calls: int = 0
    flops: float = 0.0


C = TypeVar("C", PolicyCost, ScorerCost)


def total(kind: type[C], bills: Sequence[C]) -> C:
    return kind(**{field.name: sum(getattr(bill, field.name) for bill in bills) for field in fields(kind)})


@dataclass(slots=True)
class Meter:
    """The running account of one search; `usage()` is a snapshot for the record."""

    policy: ModelInfo
    scorer: ModelInfo | None
    policy_cost: PolicyCost = field(default_factory=PolicyCost)
    scorer_cost: ScorerCost = field(default_factory=ScorerCost)
    started: float = field(default_factory=time.monotonic)

    def usage(self) -> Usage:
        policy, scorer = self.policy_cost, self.scorer_cost
        policy_positions = policy.generated_tokens + policy.prompt_tokens
        scorer_parameters = self.scorer.parameters if self.scorer else 0
        unknown = (policy_positions and not self.policy.parameters) or (scorer.scored_tokens and not scorer_parameters)
        scored = scorer.flops or 2.0 * scorer_parameters * scorer.scored_tokens
        whole = 2.0 * self.policy.parameters * policy_positions + scored
        return Usage(
            generated_tokens=policy.generated_tokens,
            prompt_tokens=policy.prompt_tokens,
            prompt_tokens_reused=policy.prompt_tokens_reused,
            scored_tokens=scorer.scored_tokens,
            scored_tokens_reused=scorer.scored_tokens_reused,
            policy_calls=policy.calls,
            scorer_calls=scorer.calls,
            flops_paper=2.0 * self.policy.parameters * policy.generated_tokens,
            flops_all=0.0 if unknown else whole,
            wall_s=time.monotonic() - self.started,
        )
