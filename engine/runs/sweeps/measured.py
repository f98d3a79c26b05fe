"""What a sweep measured: one row for each problem under one configuration, as the store gives it back.

Everything that is said about sweeps (curves, tests, difficulty, the compute-optimal choice) is computed from these rows
alone; no tree is read again.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from engine.runs.run import UNGUIDED
from engine.search.params import PARAMETERS
from engine.search.selection import RULES
from engine.store import Store

#: The rules that are read of a run besides its own, unless others are asked for.
USUAL_RULES = ("majority_vote", "prm_last_max", "prm_last_vote")


@dataclass(frozen=True, slots=True, order=True)
class Configuration:
    """What is compared with what: everything of a run but its problem and its seed.

    `strategy` and `rule` are names of `STRATEGIES` and `RULES`. `settings` are the other recorded parameters that set
    configurations of one sweep apart (M, temperature, ...), sorted by name, as text. `scorer` is None where no judge
    was asked.
    """

    policy: str
    scorer: str | None
    strategy: str
    rule: str
    n: int
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """One problem under one configuration and one seed.

    `right` is 1.0 or 0.0. Where the rule's answer is read from more samples than the configuration's N (best-of-N and
    votes at smaller N, from the largest run), it is the unbiased estimate over all subsets of N draws: the share that
    elects a right answer. `pass_any` is the unbiased pass@N of the same draws (None for searches, whose completions are
    not independent), `drawn_right` of `drawn` independent draws are right: the policy's Pass@1 on this problem.

    Costs are those of N draws: a run's own bill or, for a subset, its share of the larger run's: of generated tokens
    and seconds N of `drawn`, of the prompt all, of scored tokens what a judge reads of N draws on average. FLOPs are
    `policy` (the paper's convention: 2 x parameters x generated tokens) and `all` (prefill and judge as well).
    """

    sweep: str
    run_id: str
    problem: str
    configuration: Configuration
    seed: int
    right: float
    pass_any: float | None
    drawn_right: int | None
    drawn: int | None
    policy_parameters: int
    generated_tokens: float
    prefilled_tokens: float
    scored_tokens: float
    flops_policy: float
    flops_all: float
    wall_s: float
    judge_score: float | None = None
    agreement: float | None = None
    level: str | None = None


def measured(
    store: Store,
    sweeps: Collection[str] | None = None,
    rules: Collection[str] | None = USUAL_RULES,
    *,
    policy: str | None = None,
    own: bool = False,
) -> list[Measured]:
    """What the sweeps of these names or ids (None: all) measured, under `rules` (None: all that were read) and each
    run's own: one query, no tree.

    A vote that asks no judge is a majority vote without one, whichever strategy drew the samples. What was read from
    several runs is given as the largest of them says; with `own`, each run tells of its own N alone, so that
    `agreement` and `judge_score` are those of so many draws. `policy` asks for one policy's. `settings` are the
    recorded parameters that differ from their defaults. Runs of older versions are only there after
    `engine.runs.sweeps.outcomes.fill_in`.
    """
    found: list[Measured] = []
    best: dict[tuple[str, str, Configuration, int], tuple[int, tuple[int, bool]]] = {}
    for row in store.outcomes(sweeps, rules, policy):
        if own and row.n != _asked(row.params).n:
            continue
        one = _measured(row)
        if row.strategy in UNGUIDED:  # of these alone there are smaller N, which other runs may have, too
            key = (one.sweep, one.problem, one.configuration, one.seed)
            standing = (one.drawn or 0, row.strategy == one.configuration.strategy)
            if key in best:
                place, before = best[key]
                if standing >= before:
                    found[place], best[key] = one, (place, standing)
                continue
            best[key] = len(found), standing
        found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a run's parameters say of its configuration."""

    n: int
    seed: int
    settings: tuple[tuple[str, str], ...]


@lru_cache(maxsize=4096)
def _asked(params: str) -> _Asked:
    given = json.loads(params)
    apart = {
        name: str(value)
        for name, value in given.items()
        if name not in ("n", "seed", "select") and name in PARAMETERS and value != PARAMETERS[name].default
    }
    return _Asked(given.get("n", 1), given.get("seed", 0), tuple(sorted(apart.items())))


@lru_cache(maxsize=65536)
def _configuration(
    policy: str, scorer: str | None, strategy: str, rule: str, n: int, settings: tuple[tuple[str, str], ...]
) -> Configuration:
    """The same object for the same configuration: there are few of them, and many rows."""
    return Configuration(policy, scorer, strategy, rule, n, settings)


def _measured(row: Row[*tuple[Any, ...]]) -> Measured:
    (
        run_id, rule, n, sweep, level, right, pass_any, drawn_right, drawn, subset_scored, judge_score, agreement,
        problem, policy, parameters, scorer, strategy, generated, prompt, scored_tokens, flops_paper, flops_all, wall_s,
        params,
    ) = row  # fmt: skip
    asked = _asked(params)
    share = n / drawn if drawn else 1.0
    flops_policy = 2.0 * parameters * (generated * share + prompt)
    if strategy in UNGUIDED and not RULES[rule].reducer:
        strategy, scorer, scored, judge_score, flops_all = "majority_vote", None, 0.0, None, flops_policy
    else:
        scored = float(scored_tokens) if subset_scored is None else subset_scored
        if flops_all and drawn:
            judged = flops_all - 2.0 * parameters * (generated + prompt)
            flops_all = flops_policy + (judged * scored / scored_tokens if scored_tokens else judged)
    return Measured(
        sweep, run_id, problem, _configuration(policy, scorer, strategy, rule, n, asked.settings), asked.seed, right,
        pass_any, drawn_right, drawn, parameters, generated * share, prompt, scored, flops_paper * share, flops_all,
        wall_s * share, judge_score, agreement, level,
    )  # fmt: skip
