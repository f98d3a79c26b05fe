"""A judge that writes, on completions that are recorded already: what electing by its word reaches, and at what price.

    python -m benchmarks.critiques COPY.db --models FILE --scorer NAME [--limit 50] [--only-report]

Every completed answer of the store's best_of_n runs is judged once, at its last step (not at every step), and the
scores are added to the runs: give a copy. What was scored before is left alone, so a stopped measurement goes on. Then
each run elects by each judge that scored it (best: the completion with the highest last score; vote: the sum of the
last scores of an answer) beside the majority, with Wilson's interval for each accuracy and a paired bootstrap for each
difference from the majority; then how well scores tell right answers from wrong ones, and how many more majority
samples the judge's own FLOPs would have bought.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import percent
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.statistics.accuracies import paired
from engine.search.cost import Meter
from engine.search.events import ModelInfo, StepScored
from engine.search.interval import wilson
from engine.search.prm_window import WindowedScorer
from engine.search.scorer import Scorer
from engine.search.selection import choose
from engine.search.tree import Tree
from engine.store import RunRecord, Store

#: Problems whose completions are judged together.
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Whole:
    """A recorded run and its tree."""

    record: RunRecord
    tree: Tree


def recorded(store: Store, limit: int) -> list[Whole]:
    """The best_of_n runs, oldest first."""
    found = sorted(store.runs(strategy="best_of_n", limit=10_000), key=lambda record: record.id)[:limit]
    return [Whole(store.whole_run(record.id), store.tree(record.id)) for record in found]


async def judge(store: Store, run: Whole, scorer: Scorer) -> None:
    """Score the completions of one run that have no score by `scorer` yet, and add the scores to it."""
    name = scorer.info.name
    leaves = [leaf for leaf in run.tree.completions() if leaf.scorable and name not in leaf.scores]
    if not leaves:
        return
    meter = Meter(ModelInfo("", 0, 0), scorer.info)
    session = scorer.session(run.record.problem)
    try:
        paths = [run.tree.path(leaf) for leaf in leaves]
        said = await WindowedScorer(session, scorer.info).score(paths, meter.scorer_cost)
    finally:
        session.close()
    scores = [
        StepScored(place, leaf.id, name, score.value, critique=score.critique)
        for place, (leaf, score) in enumerate(zip(leaves, said, strict=True), start=1)
        if score.value is not None
    ]
    store.add_scoring(run.record.id, scorer.info, "measured", scores, meter.usage())


async def judge_all(store: Store, runs: Sequence[Whole], scorer: Scorer) -> None:
    began = time.monotonic()
    for place in range(0, len(runs), _AT_ONCE):
        await asyncio.gather(*(judge(store, run, scorer) for run in runs[place : place + _AT_ONCE]))
        done = min(place + _AT_ONCE, len(runs))
        print(f"{done} of {len(runs)} problems, {time.monotonic() - began:.0f} s", flush=True)


def elected(run: Whole, rule: str, judge: str) -> float:
    """1 if the answer elected by the completions' last scores is right: of the `best` completion, or by `vote`.

    The product's rules want every step of a path scored; only the last score counts for these two.
    """
    weights: dict[str, float] = defaultdict(float)
    for leaf in run.tree.completions():
        if leaf.answer is not None and judge in leaf.scores:
            group, score = run.record.grades[leaf.answer].group, leaf.scores[judge]
            weights[group] = weights[group] + score * leaf.copies if rule == "vote" else max(weights[group], score)
    winner = max(weights, key=lambda group: weights[group], default=None)
    return float(any(each.group == winner and each.correct for each in run.record.grades.values()))


def by_majority(run: Whole) -> float:
    winner = choose(run.record.answers(run.tree, "majority_vote"))
    return float(bool(winner and winner.correct))


def told_apart(runs: Sequence[Whole], judge: str) -> tuple[float, int]:
    """How often a right completion has the higher score than a wrong one of the same problem (a tie counts half), and
    over how many pairs."""
    won, pairs = 0.0, 0
    for run in runs:
        graded = [(leaf, run.record.grades.get(leaf.answer or "")) for leaf in run.tree.completions()]
        scores = {
            right: [leaf.scores[judge] for leaf, grade in graded
                    if judge in leaf.scores and bool(grade and grade.correct) is right for _ in range(leaf.copies)]
            for right in (True, False)
        }  # fmt: skip
        for good in scores[True]:
            for bad in scores[False]:
                won += 1.0 if good > bad else 0.5 if good == bad else 0.0
                pairs += 1
    return won / max(1, pairs), pairs


def report(runs: Sequence[Whole], judges: Sequence[str]) -> None:
    print(f"\n{len(runs)} problems, {runs[0].record.params['n']} completions each, by {runs[0].record.policy.name}")
    majority = [by_majority(run) for run in runs]
    drawn = [(leaf.copies, run.record.grades.get(leaf.answer or "")) for run in runs for leaf in run.tree.completions()]
    draws, right = sum(copies for copies, _ in drawn), sum(copies for copies, grade in drawn if grade and grade.correct)
    print(f"a single draw      {percent(wilson(right, draws))}")
    print(f"majority           {percent(wilson(sum(majority), len(runs)))}")
    found = [float(any(group.correct for group in run.record.answers(run.tree, "majority_vote"))) for run in runs]
    print(f"right one among N  {percent(wilson(sum(found), len(runs)))}")
    for judge in judges:
        apart, pairs = told_apart(runs, judge)
        print(f"\n{judge}: a right completion above a wrong one of its problem {apart:.3f} of {pairs} pairs")
        for rule in ("best", "vote"):
            values = [elected(run, rule, judge) for run in runs]
            difference = paired(values, majority)
            print(f"  {rule}  {percent(wilson(sum(values), len(runs)))}  minus majority {percent(difference)}")
        bills = [each.usage for run in runs for each in run.record.scorings if each.scorer.name == judge]
        if bills:
            flops, own = sum(bill.flops_all for bill in bills), sum(run.record.usage.flops_paper for run in runs)
            positions, calls = sum(bill.scored_tokens for bill in bills), sum(bill.scorer_calls for bill in bills)
            samples = runs[0].record.params["n"] * (1 + flops / own)
            print(
                f"  {positions:,} positions in {calls} calls, {flops:.2e} FLOPs; the samples took {own:.2e}: for both "
                f"together the majority would have had {samples:.1f} samples a problem"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("db", type=Path, help="a copy of a store with best_of_n runs; scores are added to it")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--scorer", required=True)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--only-report", action="store_true")
    asked = parser.parse_args()
    with Store.open(str(asked.db)) as store:
        runs = recorded(store, asked.limit)
        if not asked.only_report:
            catalogue = Catalogue(asked.models)
            try:
                asyncio.run(judge_all(store, runs, catalogue.judge(asked.scorer)))
            finally:
                catalogue.close()
        runs = [Whole(store.read(run.record.id)[0], store.tree(run.record.id)) for run in runs]
        report(runs, list(dict.fromkeys(name for run in runs for node in run.tree.nodes for name in node.scores)))


if __name__ == "__main__":
    main()
