"""Compute-optimal scaling: choose the strategy by policy size and difficulty (arXiv 2502.06703, sections 3 and 4).

The study's findings are a table; with `knowledge` "learned" the table is another, which the recorded sweeps of this
very policy and judge have taught (`engine.search.learned`), if there is one. The study's difficulty is the policy's
Pass@1, which needs the right answer; here it is an *estimate* from a probe: the share of the samples that agree on the
leading answer, times the mean PRM score of the samples. The chosen strategy then continues the same search: the probe's
draws are the first of its N, and vote. No probe is drawn where the table says the same for every difficulty. The choice
and its evidence are recorded as decisions on the root.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.errors import ModelError
from engine.search.learned import Learned
from engine.search.search import Search
from engine.search.strategies.beam_search import beam_search
from engine.search.strategies.best_of_n import best_of_n
from engine.search.strategies.dvts import dvts
from engine.search.tree import Node

#: The recorded decision has numbers for these words: their positions here.
DIFFICULTIES = ("easy", "medium", "hard")
CHOICES = ("best_of_n", "beam_search", "dvts")
EVIDENCE = (
    "a finding of the study", "our reading of the study", "one model of the study only (72B)", "learned from sweeps",
)  # fmt: skip
LEARNED = 3
#: The study's bins of Pass@1: easy and medium from here on, hard below (section 3.2).
EASY_FROM, MEDIUM_FROM = 0.5, 0.1

#: (policies below this many parameters, their choice for easy, medium and hard, its evidence). 33e9, because what is
#: called 32B has 32.8e9.
TABLE: tuple[tuple[float, tuple[str, str, str], tuple[int, int, int]], ...] = (
    (7e9, ("best_of_n", "beam_search", "beam_search"), (0, 1, 0)),
    (33e9, ("dvts", "dvts", "beam_search"), (0, 0, 0)),
    (float("inf"), ("best_of_n", "best_of_n", "best_of_n"), (2, 2, 2)),
)


async def compute_optimal(
    search: Search, *, n: int, width: int, finished: str, beams: str, probe: int, knowledge: str
) -> None:
    learned = search.learned
    if learned:
        record(search, learned)
    choice = learned.one_for_all if learned else None
    if learned and choice:
        numbers = {"choice": CHOICES.index(choice), "learned_from": learned.problems}
        search.decide(search.root, "expand", "one_for_all", numbers)
    else:
        choice = await by_difficulty(search, probe, knowledge)
    search.flush()
    if choice == "best_of_n":
        await best_of_n(search, n=n)
    elif choice == "beam_search":
        await beam_search(search, n=n, width=width, finished=finished, beams=beams)
    else:
        await dvts(search, n=n, width=width)


async def by_difficulty(search: Search, probe: int, knowledge: str) -> str:
    """Estimate the difficulty from a probe, and choose by it."""
    learned = search.learned
    if learned is None and not search.policy_parameters:
        raise ModelError("compute_optimal needs the policy's size, which is not known; add parameters to its entry")
    samples = await search.complete(probe)
    await search.score(samples)
    agreement, mean_score = agreement_of(search, samples), mean_score_of(search, samples)
    difficulty = difficulty_of(agreement * mean_score)
    if learned:
        choice, evidence = learned.choice(difficulty).strategy, LEARNED
    else:
        choice, evidence = chosen(search.policy_parameters, difficulty)
    numbers = {
        "parameters": search.policy_parameters, "probe": sum(leaf.copies for leaf in samples), "agreement": agreement,
        "mean_score": mean_score, "estimate": agreement * mean_score, "difficulty": difficulty,
        "choice": CHOICES.index(choice), "evidence": evidence,
    }  # fmt: skip
    if knowledge == "learned":
        numbers["learned_from"] = learned.problems if learned else 0
    search.decide(search.root, "expand", "compute_optimal", numbers)
    return choice


def record(search: Search, learned: Learned) -> None:
    """Put on record what there was to choose from: one decision on the root for each difficulty."""
    for row in learned.choices:
        numbers = {
            "difficulty": row.difficulty, "choice": CHOICES.index(row.strategy), "n": learned.n,
            "problems": row.problems, "of": learned.problems, "accuracy": row.accuracy.mean, "low": row.accuracy.low,
            "high": row.accuracy.high,
        } | {f"tied_{name}": 1 for name in row.tied}  # fmt: skip
        search.decide(search.root, "expand", "learned", numbers)


def chosen(parameters: float, difficulty: int) -> tuple[str, int]:
    """The strategy in the table, and its evidence (an index of `EVIDENCE`)."""
    _, choices, evidence = next(row for row in TABLE if parameters < row[0])
    return choices[difficulty], evidence[difficulty]


def difficulty_of(pass_at_1: float) -> int:
    """The study's bins (an index of `DIFFICULTIES`): easy from 0.5, medium from 0.1, hard below."""
    return 0 if pass_at_1 >= EASY_FROM else 1 if pass_at_1 >= MEDIUM_FROM else 2


def agreement_of(search: Search, samples: Sequence[Node]) -> float:
    """The share of the samples, in draws, that give the most frequent answer."""
    votes: Counter[str | None] = Counter()
    for leaf in samples:
        votes[search.domain.normalise(leaf.answer) if leaf.answer else None] += leaf.copies
    leading = max((count for answer, count in votes.items() if answer), default=0)
    return leading / max(1, votes.total())


def mean_score_of(search: Search, samples: Sequence[Node]) -> float:
    """The mean of the samples' last step scores, in draws."""
    weights = [(leaf.copies, search.value(leaf)) for leaf in samples]
    return sum(copies * value for copies, value in weights) / max(1, sum(copies for copies, _ in weights))
