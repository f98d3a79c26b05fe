"""How good policies and PRMs are on held-out problems: accuracy, pass@k, majority, step AUC, first-error F1, ECE.

Everything is measured against the exact checker. Nothing here trains, and nothing is chosen by looking at test sets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from engine.domains.builtin.problems import DIFFICULTIES, FAMILIES, Problem
from engine.domains.builtin.step_checker import boxed_answer, is_correct, same_answer
from engine.runs.statistics.subsets import pass_at_k
from engine.training.solutions import Sample, sample


@dataclass(frozen=True)
class PolicyAccuracy:
    """Shares of problems solved; `sampled` is pass@1 at the temperature, `majority` the vote over `copies` draws."""

    problems: int
    greedy: float
    sampled: float
    pass_at_k: dict[int, float]
    majority: float
    copies: int
    by_family: dict[str, float]
    by_difficulty: dict[int, float]


def majority_answer(samples: Iterable[Sample]) -> str | None:
    answers = (boxed_answer(s.steps[-1]) for s in samples if s.finished and s.steps)
    votes = Counter(answer for answer in answers if answer is not None)
    return max(votes, key=lambda answer: (votes[answer], answer)) if votes else None


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def greedy_accuracy(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, problems: Sequence[Problem]) -> float:
    return mean([solved(s) for s in sample(model, tokenizer, problems, temperature=0)])


def policy_accuracy(
    model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, problems: Sequence[Problem], copies: int = 64,
    temperature: float = 0.8, seed: int = 0,
) -> PolicyAccuracy:  # fmt: skip
    drawn: dict[str, list[Sample]] = defaultdict(list)
    for s in sample(model, tokenizer, problems, copies, temperature, seed):
        drawn[s.problem.text].append(s)
    right = {p.text: sum(map(solved, drawn[p.text])) for p in problems}
    rate = {p.text: right[p.text] / copies for p in problems}
    votes = [same_answer(majority_answer(drawn[p.text]) or "", p.answer) for p in problems]
    return PolicyAccuracy(
        len(problems),
        greedy_accuracy(model, tokenizer, problems),
        mean(list(rate.values())),
        {k: mean([pass_at_k(right[p.text], copies, k) for p in problems]) for k in (4, 16, 64) if k <= copies},
        mean(votes),
        copies,
        {f: mean([rate[p.text] for p in problems if p.family == f]) for f in FAMILIES},
        {d: mean([rate[p.text] for p in problems if p.difficulty == d]) for d in DIFFICULTIES},
    )


def solved(s: Sample) -> bool:
    return s.finished and is_correct(s.problem, s.steps)


def auc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The chance that a right step scores higher than a wrong one; ties count half."""
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    rank_sum, right, i = 0.0, 0, 0
    while i < len(order):
        j = i
        while j < len(order) and scores[order[j]] == scores[order[i]]:
            j += 1
        ties = sum(labels[order[k]] for k in range(i, j))
        rank_sum += ties * (i + 1 + j) / 2
        right += ties
        i = j
    wrong = len(scores) - right
    return (rank_sum - right * (right + 1) / 2) / (right * wrong) if right and wrong else float("nan")


def calibration_error(scores: Sequence[float], labels: Sequence[bool], bins: int = 10) -> float:
    """ECE: the mean gap between score and share of right steps over equal-width bins, weighted by their size."""
    grouped: dict[int, list[int]] = defaultdict(list)
    for i, score in enumerate(scores):
        grouped[min(int(score * bins), bins - 1)].append(i)
    gaps = [abs(sum(scores[i] - labels[i] for i in members)) for members in grouped.values()]
    return sum(gaps) / len(scores) if scores else float("nan")


def first_error_f1(
    scores: Sequence[Sequence[float]], first_wrong: Sequence[int | None], threshold: float = 0.5
) -> float:
    """ProcessBench's F1: harmonic mean of the accuracy on solutions with an error (same step) and without one."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for row, truth in zip(scores, first_wrong, strict=True):
        found = next((i for i, score in enumerate(row) if score < threshold), None)
        hits[truth is None].append(found == truth)
    with_error, without = mean(hits[False]), mean(hits[True])
    return 2 * with_error * without / (with_error + without) if with_error + without else 0.0


@dataclass(frozen=True)
class PrmQuality:
    """How well step scores tell right from wrong, on samples of one policy."""

    solutions: int
    auc: float
    first_error_f1: float
    calibration_error: float


def prm_quality(scores: Sequence[Sequence[float]], first_wrong: Sequence[int | None]) -> PrmQuality:
    """Steps after the first wrong one are left out of AUC and ECE: whether they are right is no longer defined."""
    flat: list[float] = []
    labels: list[bool] = []
    for row, wrong in zip(scores, first_wrong, strict=True):
        judged = row if wrong is None else row[: wrong + 1]
        flat += judged
        labels += [wrong is None or i < wrong for i in range(len(judged))]
    return PrmQuality(
        len(scores), auc(flat, labels), first_error_f1(scores, first_wrong), calibration_error(flat, labels)
    )
