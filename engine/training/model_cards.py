"""Model cards of the built-in models, written from measurements; nothing is typed by hand."""

from __future__ import annotations

from engine.domains.builtin.problems import FAMILIES
from engine.training.evaluate import PolicyAccuracy, PrmQuality
from engine.training.policy import ANY_ORDER, PolicyPlan
from engine.training.prm import PrmPlan

_HEAD = "---\nlicense: apache-2.0\nlibrary_name: transformers\ntags: [math, test-time-scaling]\n---\n\n"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def policy_card(plan: PolicyPlan, parameters: int, accuracy: PolicyAccuracy) -> str:
    draws = ", ".join(f"pass@{k} {percent(share)}" for k, share in accuracy.pass_at_k.items())
    families = "\n".join(f"| {FAMILIES[f]} | {percent(share)} |" for f, share in accuracy.by_family.items())
    levels = "\n".join(f"| {d} | {percent(share)} |" for d, share in accuracy.by_difficulty.items())
    return f"""{_HEAD}# {plan.name}

A Qwen2-shaped policy of {parameters:,} parameters that solves {len(FAMILIES)} families of short maths problems step by
step. It knows nothing else. Its purpose is to show search guided by a process reward model on a laptop.

**Provenance.** Trained from random weights on generated problems only (`make train`, seed {plan.seed}):
{plan.tokens:,} tokens of worked solutions, {percent(ANY_ORDER)} of them with their steps in a random valid order.
Problems are split by family and numbers, so no held-out problem was trained on in any wording.

**Format.** Steps `## Step k: ...` separated by a blank line; the last one ends with
`The final answer is: $\\boxed{{...}}$`. A system message is ignored. Stored in bf16; compute in fp32.

**Accuracy** on {accuracy.problems} held-out problems (`builtin-validation`), {accuracy.copies} draws each at
temperature 0.8: greedy {percent(accuracy.greedy)}, sampled {percent(accuracy.sampled)}, majority@{accuracy.copies}
{percent(accuracy.majority)}, {draws}.

| difficulty | sampled |
|---|---|
{levels}

| family | sampled |
|---|---|
{families}
"""


def prm_card(
    plan: PrmPlan, parameters: int, samples: dict[str, int], trunk: float, qualities: dict[str, PrmQuality]
) -> str:
    """`samples` counts the solutions of each policy that it learned from; `trunk` is its trunk's greedy accuracy."""
    lines = "\n".join(
        f"| {policy} | {q.solutions} | {q.auc:.3f} | {q.first_error_f1:.3f} | {q.calibration_error:.3f} |"
        for policy, q in qualities.items()
    )
    drawn = ", ".join(f"{number:,} of {name}" for name, number in samples.items())
    slips = f" and up to {max(plan.slips):,} worked solutions with one wrong number" if plan.slips else ""
    learned = f"{sum(samples.values()):,} sampled solutions ({drawn}){slips}"
    return f"""{_HEAD}# {plan.name}

A process reward model of {parameters:,} parameters for the built-in policies. {plan.note}

**Layout.** As in Qwen2.5-Math-PRM: Qwen2 names `model.*`, a head `score.0` (linear), ReLU, `score.2` (two labels). Each
step's text is followed by `<extra_0>` in place of the blank line; a step's score is the second label's probability
there: the chance that this step and everything before it is right.

**Provenance.** The frozen layers of `{plan.trunk}`, which by itself solves {percent(trunk)} of the problems below
greedily, with {plan.new_layers} new layers on top. Trained on {plan.tokens:,} tokens (seed {plan.seed}) of
{learned}, of problems that the policies never saw.

**Quality** on held-out problems (`builtin-validation`), samples at temperature 0.8, against the exact step checker.
Step AUC counts steps up to and including the first wrong one; F1 is ProcessBench's at threshold 0.5; ECE has 10 bins.

| policy | solutions | step AUC | first-error F1 | ECE |
|---|---|---|---|---|
{lines}
"""
