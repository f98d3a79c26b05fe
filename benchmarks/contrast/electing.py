"""Best of N anew: which completion each judge elects, and how often that is a right one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from benchmarks.builtin_report.tables import difference, table
from benchmarks.contrast.reading import Read
from benchmarks.contrast.scores import SCORES, score
from benchmarks.report import percent
from engine.runs.statistics.accuracies import paired
from engine.search.interval import wilson
from engine.search.selection import answer_groups, choose
from engine.search.tree import Tree
from engine.store import RunRecord

RULES = ("prm_last_max", "prm_min_max", "prm_avg_max", "prm_avg_vote")


def election(runs: Sequence[tuple[RunRecord, Tree]], reads: Sequence[Read]) -> str:
    """How often each judge elects a right answer, and how often one draw, the vote and the best one are right."""
    for (_, tree), read in zip(runs, reads, strict=True):
        score(tree, read)
    random = [_expected(record, tree) for record, tree in runs]
    majority = [_elected(record, tree, "majority_vote", None) for record, tree in runs]
    body = []
    for judge in SCORES:
        right = {rule: [_elected(record, tree, rule, judge) for record, tree in runs] for rule in RULES}
        body.append([judge, *(_cell(each, random) for each in right.values())])
    best = [float(any(_grades(record, tree))) for record, tree in runs]
    known = [
        ["one draw, in expectation", f"{fmean(random):.1%}"],
        ["majority", _cell(majority, random)],
        ["any completion right (the bound)", percent(wilson(sum(best), len(best)))],
    ]
    spent = [sum(getattr(read, name) for read in reads) for name in ("positions", "flops", "seconds")]
    return f"""{len(runs)} problems. Elected answers that are right, % (Wilson), gain over one draw (paired bootstrap)

{table(["judge", *RULES], body)}

{table(["", "right"], known)}

{spent[0]} positions of both models, {spent[1]:.3g} FLOPs, {spent[2]:.0f} s
"""


def _cell(right: Sequence[float], random: Sequence[float]) -> str:
    return f"{percent(wilson(sum(right), len(right)))}; {difference(paired(right, random))}"


def _grades(record: RunRecord, tree: Tree) -> list[bool]:
    """Whether each draw ended with a right answer."""
    found = []
    for leaf in tree.completions():
        grade = record.grades.get(leaf.answer) if leaf.answer is not None else None
        found += [bool(grade and grade.correct)] * leaf.copies
    return found


def _expected(record: RunRecord, tree: Tree) -> float:
    return fmean(_grades(record, tree)) if _grades(record, tree) else 0.0


def _elected(record: RunRecord, tree: Tree, rule: str, judge: str | None) -> float:
    chosen = choose(answer_groups(tree, record.grades, rule, judge))
    return float(bool(chosen and chosen.correct))
