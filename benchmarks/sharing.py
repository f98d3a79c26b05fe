"""What a paired comparison actually spends, against the sum of its runs, each charged as if it ran alone.

Majority vote, best-of-N, beam search and DVTS with N = 16 and M = 4 on twenty held-out problems, through the host and a
real store, as the app and `tts-ui compare` run them.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.report import Figure
from engine.domains.builtin.sets import problem_set
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.events import Usage
from engine.search.params import RunParams
from engine.store import Store

TITLE = "a paired comparison of four strategies, N = 16: actual spend as a share of the sum of the runs"
STRATEGIES = ("majority_vote", "best_of_n", "beam_search", "dvts")
N, M, PROBLEMS = 16, 4, 20
COUNTS = {
    "policy tokens generated": "generated_tokens",
    "policy prompt positions computed": "prompt_tokens",
    "PRM positions computed": "scored_tokens",
    "calls to the policy": "policy_calls",
    "FLOPs, all": "flops_all",
}


def measure() -> list[Figure]:
    spent: list[tuple[Usage, list[Usage]]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(str(Path(folder) / "runs.db")) as store,
        closing(Host(store)) as host,
    ):
        for problem in problem_set("builtin-1000")[:PROBLEMS]:
            params = [RunParams(name, N, M) for name in STRATEGIES]
            comparing = host.compare(Question(problem.text, problem.answer), params)
            for running in comparing.runs:
                running.future.result()
                running.ended.wait()
            store.flush()
            record = store.comparison(comparing.id)
            spent.append((record.shared, [store.run(run_id).usage for run_id in record.run_ids]))
    return [Figure(name, _share(spent, count)) for name, count in COUNTS.items()]


def _share(spent: list[tuple[Usage, list[Usage]]], count: str) -> str:
    really = sum(getattr(shared, count) for shared, _ in spent)
    alone = sum(getattr(usage, count) for _, usages in spent for usage in usages)
    return f"{really / alone:.0%} ({really:,.0f} of {alone:,.0f})"
