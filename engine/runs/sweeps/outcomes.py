"""What a run of a sweep came to: its rows of `outcomes`, read once from its tree when it ends.

A run whose draws are independent (best-of-N, majority vote) has a row for every rule of interest and every smaller N in
the powers of two; a search has one, under its own rule at its own N. Runs without a reference answer have none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from zlib import crc32

import numpy as np

from engine.runs.run import UNGUIDED
from engine.runs.statistics.subsets import pass_at_k
from engine.runs.sweeps.subsets import Drawn, best_at, smaller, vote_at
from engine.search.events import Grade
from engine.search.selection import Rule, path_logprob, rule_named, value_of
from engine.search.tree import Node, Tree
from engine.store import RunRecord, Store
from engine.store.owner import this_process
from engine.store.sweep_records import OutcomeRecord, SweepRecord
from engine.store.version import product_version

#: The rules that are read from independent draws; those by scores where a judge scored them.
OF_VOTES = ("majority_vote",)
OF_SCORES = tuple(f"prm_{reducer}_{how}" for reducer in ("last", "min", "avg") for how in ("max", "vote"))


@dataclass(frozen=True, slots=True)
class Finished:
    """What is read of a run: `params` as recorded, the judge it was decided on and the tokens that this one read, its
    grades, whether it was right."""

    run_id: str
    strategy: str
    params: Mapping[str, Any]
    judge: str | None
    scored: int
    grades: Mapping[str, Grade]
    correct: bool | None
    fork: bool = False

    @classmethod
    def of(cls, run: RunRecord) -> Finished:
        forked, scored = run.parent_run is not None, run.usage.scored_tokens
        return cls(run.id, run.strategy, run.params, run.judge, scored, run.grades, run.correct, forked)

    @property
    def rule(self) -> str:
        return str(self.params["select"])

    @property
    def n(self) -> int:
        return int(self.params.get("n", 1))

    @property
    def independent(self) -> bool:
        """Whether any draws of the run are as good as so many drawn alone: none stopped others or used up a budget."""
        together = self.fork or self.params.get("max_tokens_total") or self.params.get("stop")
        return self.strategy in UNGUIDED and not together


def outcomes(run: Finished, tree: Tree, sweep: str, level: str | None = None) -> list[OutcomeRecord]:
    """The rows of a finished run with a reference answer."""
    completions = _completions(run, tree)
    agreement, score = _agreement(completions), _judge_score(run, tree, completions)
    own = OutcomeRecord(
        run.run_id, run.rule, run.n, sweep, level, float(bool(run.correct)), None, None, None, None, score,
        agreement,
    )  # fmt: skip
    if not run.independent:
        return [own]
    drawn = max(run.n, sum(each.copies for each in completions))
    right = sum(each.copies for each in completions if each.right)
    scored = {n: _scored(run, tree, drawn, n) for n in smaller(drawn)}
    rows = {
        (rule, n): OutcomeRecord(
            run.run_id, rule, n, sweep, level, share, pass_at_k(right, drawn, n), right, drawn, scored[n], score,
            agreement,
        )
        for rule in (*OF_VOTES, *(OF_SCORES if run.judge else ()))
        for n, share in _by_size(run, tree, completions, rule_named(rule), drawn).items()
    }  # fmt: skip
    return [*rows.values(), *([] if (run.rule, run.n) in rows else [own])]


def fill_in(store: Store, levels: Mapping[str, str] | None = None) -> int:
    """Read the finished runs of sweeps that were never read (those of older versions, imported ones, and runs that were
    graded anew), and list sweeps that are only known by their runs; returns how many runs. `levels` are those of
    problems, by text."""
    due = store.without_outcomes()
    for first in range(0, len(due), 50):
        found: list[OutcomeRecord] = []
        for run_id in due[first : first + 50]:
            run = store.whole_run(run_id)
            sweep = (run.sweep_id or "").partition("/")[0]
            found += outcomes(Finished.of(run), store.tree(run_id), sweep, (levels or {}).get(run.problem))
        store.save_outcomes(found)
    for row in store.unlisted_sweeps():
        store.save_sweep(
            SweepRecord(
                row.sweep, row.sweep, row.created_at, "done", "", row.problems, row.cells, row.runs, row.runs, {}, (),
                0.0, None, product_version(), this_process(), time.time(),
            )
        )  # fmt: skip
    return len(due)


@dataclass(frozen=True, slots=True)
class _Completion:
    """A distinct completion: the answer that stands for its group, whether that is right, and how often it came."""

    leaf: Node
    number: int
    answer: str | None
    right: bool
    copies: int
    logprob: float


def _completions(run: Finished, tree: Tree) -> list[_Completion]:
    found = []
    for number, leaf in enumerate(tree.completions()):
        grade = run.grades.get(leaf.answer, Grade(leaf.answer)) if leaf.answer is not None else None
        right = bool(grade and grade.correct)
        answer = grade.group if grade else None
        found.append(_Completion(leaf, number, answer, right, leaf.copies, path_logprob(tree, leaf)))
    return found


def _agreement(completions: Sequence[_Completion]) -> float | None:
    """The share of all draws that give the most frequent answer."""
    votes: dict[str, int] = {}
    for each in completions:
        if each.answer is not None:
            votes[each.answer] = votes.get(each.answer, 0) + each.copies
    return max(votes.values(), default=0) / sum(each.copies for each in completions) if completions else None


def _judge_score(run: Finished, tree: Tree, completions: Sequence[_Completion]) -> float | None:
    """The mean over draws of their last steps' scores, of those that have one."""
    if run.judge is None:
        return None
    last = rule_named("prm_last_vote")
    scored = [(value_of(tree, each.leaf, last, run.judge), each.copies) for each in completions]
    values = [value for value, copies in scored if value is not None for _ in range(copies)]
    return fmean(values) if values else None


def _scored(run: Finished, tree: Tree, drawn: int, n: int) -> float | None:
    """The tokens that the judge would have read for `n` of the draws, on average over subsets: what it reads whatever
    was drawn (the problem), and every step that one of them has, once."""
    if run.judge is None:
        return None
    steps = [node for node in tree.nodes[1:] if run.judge in node.scores]
    own = sum(node.tokens for node in steps)
    seen = sum(node.tokens * pass_at_k(min(drawn, node.copies), drawn, n) for node in steps)
    always = max(0, run.scored - own)
    return always + seen * (run.scored - always) / own if own else float(run.scored)


def _by_size(
    run: Finished, tree: Tree, completions: Sequence[_Completion], rule: Rule, drawn: int
) -> Mapping[int, float]:
    """N -> the accuracy of `rule` over subsets of that many draws."""
    any_wins = bool(run.params.get("eligible_without_answer", False))
    scores = [value_of(tree, each.leaf, rule, run.judge) or 0.0 for each in completions]

    def standing(place: int) -> tuple[bool, float, float, str]:
        each = completions[place]
        return (each.answer is None and not any_wins, -scores[place], -each.logprob, each.answer or "")

    order = [place for place in sorted(range(len(completions)), key=standing) for _ in range(completions[place].copies)]
    missing = drawn - len(order)
    sizes = smaller(drawn)
    if rule.by_max:
        eligible = [completions[place].right for place in order] + [False] * missing
        return {n: best_at(eligible, n) for n in sizes}
    number = {answer: index for index, answer in enumerate(dict.fromkeys(completions[p].answer for p in order))}
    barred = None if any_wins else number.get(None)
    group = [number[completions[place].answer] for place in order]
    ballots = Drawn(
        np.array([-1 if index == barred else index for index in group] + [-1] * missing, dtype=np.int64),
        np.array([scores[place] if rule.weighed else 1.0 for place in order] + [0.0] * missing, dtype=np.float64),
        np.array([completions[place].right for place in order] + [False] * missing, dtype=np.bool_),
        np.array([completions[place].number for place in order] + [-1] * missing, dtype=np.int64),
    )
    distinct = run.params.get("votes") == "distinct"
    seed = crc32(run.run_id.encode())
    return {n: vote_at(ballots, n, seed, distinct=distinct) for n in sizes}
