"""Is it worth choosing the strategy by difficulty? The learned choice on problems it was not learned from.

Reads a store of sweeps (`--db`; by default that of `make report`) and runs nothing. The store is copied first: a store
of an older version is brought up to date, and its runs are read once, in the copy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks.report import Figure, percent
from engine.runs.sweeps.difficulty import Confusion, Guess, confusion, difficulties, guesses
from engine.runs.sweeps.held_out import HeldOut, held_out
from engine.runs.sweeps.measured import Measured, measured
from engine.runs.sweeps.outcomes import fill_in
from engine.search.strategies.compute_optimal import DIFFICULTIES
from engine.store import Store
from tts_ui.words.numbers import flops

TITLE = "compute_optimal, learned on half of the problems and measured on the other half, at equal total FLOPs"
RULE, PROBE = "prm_last_vote", 4
#: Problems below which a policy and judge are left out.
FEWEST = 200


def measure() -> list[Figure]:
    given = Path(os.environ.get("TTS_UI_BENCH_DB") or ".report/runs.db")
    if not given.exists():
        return [Figure(str(given), "there is no such store; `make report` makes it, or give one with --db")]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "runs.db"
        for part in given.parent.glob(f"{given.name}*"):  # with what is not yet in the file itself
            shutil.copy(part, copy.with_name(copy.name + part.name.removeprefix(given.name)))
        with Store.open(str(copy)) as store:
            fill_in(store)
            return figures(store)


def figures(store: Store) -> list[Figure]:
    found: list[Figure] = []
    pairs = Counter((row.configuration.policy, row.configuration.scorer) for row in measured(store, rules=(RULE,)))
    for policy, scorer in sorted(pair for pair in pairs if pair[1] is not None):
        rows = measured(store, rules=(RULE,), policy=policy)
        alone = measured(store, rules=(RULE,), policy=policy, own=True)
        guessed = guesses(alone, policy, scorer or "", PROBE)
        budgets = sorted({row.configuration.n for row in alone if row.configuration.strategy == "beam_search"})
        if len(guessed) < FEWEST:
            continue
        title = f"{policy}, {scorer}"
        found.append(Figure(f"{title}: difficulty guessed from {PROBE} samples", of_guesses(rows, policy, guessed)))
        for n in budgets:
            told = held_out(rows, guessed, policy, scorer or "", n, rule=RULE, probe=PROBE)
            found += _of_budget(title, told) if told else []
    return found


def of_guesses(rows: list[Measured], policy: str, guessed: Mapping[str, Guess]) -> str:
    found: Confusion = confusion(difficulties(rows, policy), guessed)
    table = "; ".join(
        f"{name}: {', '.join(map(str, row))}" for name, row in zip(DIFFICULTIES, found.table, strict=True)
    )
    kappa = f"kappa {found.kappa.kappa:.2f}" if found.kappa.kappa is not None else "kappa undefined"
    return f"{percent(found.accuracy)} % of {found.problems} in their bin, {kappa}; {table}"


def _of_budget(title: str, told: HeldOut) -> list[Figure]:
    name = f"{title}, N = {told.n}"
    taken = "; ".join(
        f"{DIFFICULTIES[bin_]} {', '.join(f'{each} {count}' for each, count in counts.items() if count)}"
        for bin_, counts in enumerate(told.taken)
    )
    found = [
        Figure(f"{name}: learned, held out", f"{percent(told.accuracy)} % of {told.problems}, {flops(told.flops)}"),
        Figure(f"{name}: chosen by the halves", taken),
    ]
    for rival in told.rivals:
        spent = "" if rival.equal else f" (its nearest: {flops(rival.flops)})"
        gap = f"{percent(rival.gap.interval, '+.1f')}, p = {rival.gap.p:.3f}"
        found.append(Figure(f"{name}: learned - {rival.name}", f"{gap}; {percent(rival.accuracy)} %{spent}"))
    return found
