"""Recorded runs read by another judge: what is computed against the minimum, and how many runs a second.

A thousand runs of the smallest policy on held-out problems, half best-of-N and half beam search, are recorded first,
which is not measured. Then the likelihood judge reads all of them through the host and the real store, as the lab's
button and `tts-ui score` do. The minimum is each run's prompt once and each distinct step once, counted with the
judge's format outside the scorer; tokens in a row of a batch that stand for nothing are not tokens.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.report import Figure
from engine.domains.builtin.sets import problem_set
from engine.models.scorers.local import LocalScorer
from engine.runs.host import Host
from engine.runs.lab.rescoring import Rescored, rescore
from engine.runs.limits import Limits
from engine.runs.question import Question
from engine.search.events import Usage
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import Store

TITLE = "1,000 recorded runs scored by another judge"
RUNS, N, M = 1000, 8, 4
STRATEGIES = ("best_of_n", "beam_search")
JUDGE = "builtin-likelihood"
#: Runs that are searched for at once while they are recorded.
_AT_ONCE = 16


def measure() -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(str(Path(folder) / "runs.db")) as store,
        closing(Host(store, limits=Limits(runs_at_once=_AT_ONCE, runs_per_visitor=_AT_ONCE))) as host,
    ):
        run_ids = recorded(host)
        judge = host.catalogue.judge(JUDGE)
        assert isinstance(judge, LocalScorer)
        began = time.monotonic()
        done = host.judging(JUDGE, partial(rescore, store, run_ids)).result()
        seconds = time.monotonic() - began
        least = sum(minimum(judge, store.tree(run_id)) for run_id in run_ids)
    return _figures(done, least, seconds)


def recorded(host: Host) -> list[str]:
    """Their ids, when all are committed."""
    problems = problem_set("builtin-1000")
    params = [RunParams(name, N, M) if name == "beam_search" else RunParams(name, N) for name in STRATEGIES]
    asked = [(problems[at % len(problems)], params[at % len(params)]) for at in range(RUNS)]
    running = [host.submit(Question(problem.text, problem.answer), each) for problem, each in asked]
    for each in running:
        each.future.result()
    host.store.flush()
    return [each.id for each in running]


def minimum(judge: LocalScorer, tree: Tree) -> int:
    """Positions that nobody can do without: the prompt, and every step after the one before it."""
    total = judge.prompt_tokens(tree.root.text)
    for node in tree.nodes[1:]:
        if node.scorable:
            before = tree[node.parent or 0]
            total += len(judge.format.segment(node.text, before.text if before.depth else None).ids)
    return total


def _figures(done: Sequence[Rescored], least: int, seconds: float) -> list[Figure]:
    usage = Usage.total(each.scoring.usage for each in done if each.scoring)
    steps = sum(each.steps for each in done)
    return [
        Figure("runs, steps", f"{sum(each.scoring is not None for each in done):,}, {steps:,}"),
        Figure(
            "PRM positions / the minimum (prompt and each step once)", f"{usage.scored_tokens / least:.3f}", "<= 1.1"
        ),
        Figure("runs a second", f"{len(done) / seconds:.0f}"),
        Figure("PRM positions a second", f"{usage.scored_tokens / seconds:,.0f}"),
    ]
