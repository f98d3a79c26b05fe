"""What a search costs: tokens, calls and FLOPs, counted in one place.

Two conventions of FLOPs stand side by side because they disagree: the paper's (arXiv 2502.06703, Table 4) counts only
the tokens the policy generates; the whole cost counts prompts and the PRM too, and the PRM is usually the larger part.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from engine.events import ModelInfo, Usage


@dataclass(slots=True)
class PolicyCost:
    """Counters a policy adds to while it works on a request, so that a cancelled request is charged for what it did."""

    generated_tokens: int = 0
    prompt_tokens: int = 0
    prompt_tokens_reused: int = 0
    calls: int = 0


@dataclass(slots=True)
class ScorerCost:
    """The same for a scorer: positions computed, positions read from its prefix cache."""

    scored_tokens: int = 0
    scored_tokens_reused: int = 0
    calls: int = 0


@dataclass(slots=True)
class Meter:
    """The running account of one search; `usage()` is a snapshot fit to record."""

    policy: ModelInfo
    scorer: ModelInfo | None
    policy_cost: PolicyCost = field(default_factory=PolicyCost)
    scorer_cost: ScorerCost = field(default_factory=ScorerCost)
    started: float = field(default_factory=time.monotonic)

    def usage(self) -> Usage:
        policy, scorer = self.policy_cost, self.scorer_cost
        policy_positions = policy.generated_tokens + policy.prompt_tokens
        scorer_parameters = self.scorer.parameters if self.scorer else 0
        return Usage(
            generated_tokens=policy.generated_tokens,
            prompt_tokens=policy.prompt_tokens,
            prompt_tokens_reused=policy.prompt_tokens_reused,
            scored_tokens=scorer.scored_tokens,
            scored_tokens_reused=scorer.scored_tokens_reused,
            policy_calls=policy.calls,
            scorer_calls=scorer.calls,
            flops_paper=2.0 * self.policy.parameters * policy.generated_tokens,
            flops_all=2.0 * self.policy.parameters * policy_positions + 2.0 * scorer_parameters * scorer.scored_tokens,
            wall_s=time.monotonic() - self.started,
        )
