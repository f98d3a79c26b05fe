"""What a sweep's records, grades and bookkeeping cost: its tokens a second against those of the bare back end.

The same problems and as many draws of each: once as a sweep (majority vote, real store, graded, read under every
smaller N), once by the policy alone, all problems in one batch, to the ends of the chains, which no step interrupts. No
judge takes part: it would be charged to the sweep and is no overhead. Rounds alternate; medians count. Wall time
suffers from other load on the machine; time on the processor does not, but leaves out the grading process.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Figure
from engine.assets import assets
from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue
from engine.models.policies.local import LocalPolicy
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.cost import PolicyCost
from engine.search.params import RunParams
from engine.search.policy import Draw, Policy, Sampling, TokenBudget
from engine.store import Store

TITLE = "tokens a second: a sweep against the bare back end in one batch"
MODELS = ("builtin-xs", "builtin-m")
N, PROBLEMS, ROUNDS = 16, 32, 5


def measure() -> list[Figure]:
    catalogue = Catalogue()
    with Domains() as domains:
        found = [figure for name in MODELS for figure in _of_model(name, catalogue, domains)]
    catalogue.close()
    return found


def _of_model(name: str, catalogue: Catalogue, domains: Domains) -> list[Figure]:
    questions = [Question(each.text, each.answer) for each in problem_set("builtin-1000")[:PROBLEMS]]
    models, cell = catalogue.load(name), Cell(name, RunParams("majority_vote", n=N))
    alone = LocalPolicy(name, assets() / "models" / name, delimiter="\0")  # never written: no step ends before EOS
    rates: list[tuple[_Rates, _Rates]] = []
    with tempfile.TemporaryDirectory() as folder, Store.open(str(Path(folder) / "runs.db")) as store:
        for number in range(-1, ROUNDS):
            sweep, watch = Sweep(f"round {number}", store, domains), _Watch()
            sweep.run({cell: models}, questions)
            swept = watch.rates(sum(run.usage.generated_tokens for run in sweep.done(cell).values()))
            watch = _Watch()
            rates.append((swept, watch.rates(asyncio.run(_bare(alone, questions, cell.params)))))
    alone.close()
    del rates[0]  # one round to warm up
    medians = [statistics.median(each[side].wall for each in rates) for side in (0, 1)]
    return [
        Figure(f"{name}, sweep", f"{medians[0]:,.0f} tokens/s"),
        Figure(f"{name}, bare back end", f"{medians[1]:,.0f} tokens/s"),
        Figure(f"{name}, ratio in wall time", _ratio([swept.wall / bare.wall for swept, bare in rates]), ">= 0.8"),
        Figure(f"{name}, ratio in time on the processor", _ratio([swept.busy / bare.busy for swept, bare in rates])),
    ]


@dataclass(frozen=True, slots=True)
class _Rates:
    """Tokens a second of wall time, and of this process's time on the processor."""

    wall: float
    busy: float


class _Watch:
    def __init__(self) -> None:
        self._wall, self._busy = time.perf_counter(), time.process_time()

    def rates(self, tokens: int) -> _Rates:
        return _Rates(tokens / (time.perf_counter() - self._wall), tokens / (time.process_time() - self._busy))


def _ratio(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


async def _bare(policy: Policy, questions: list[Question], params: RunParams) -> int:
    """Every chain of every question, by the policy alone; the tokens generated."""
    costs = await asyncio.gather(*(_chains(policy, question.problem, params) for question in questions))
    return sum(cost.generated_tokens for cost in costs)


async def _chains(policy: Policy, problem: str, params: RunParams) -> PolicyCost:
    cost, session = PolicyCost(), policy.session(problem)
    draws = [Draw((), seed) for seed in range(params.n)]
    await session.extend(draws, Sampling(params.temperature, params.top_p), TokenBudget(), cost)
    session.close()
    return cost
