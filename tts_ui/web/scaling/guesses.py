"""How well difficulty is guessed without references: guessed against measured bins, for each policy and judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.runs.sweeps.curves import Groups
from engine.runs.sweeps.difficulty import Confusion, Guess, confusion, difficulties, guesses
from engine.runs.sweeps.measured import Measured
from engine.search.strategies.compute_optimal import DIFFICULTIES
from tts_ui.web.scaling.asked import Asked
from tts_ui.web.scaling.naming import bin_name
from tts_ui.words import numbers
from tts_ui.words.interface import say


def guessed(rows: Sequence[Measured], groups: Groups, asked: Asked) -> list[dict[str, Any]]:
    """A table for each policy and judge that the figure lets through; `rows` are those of each run's own N."""
    pairs = {(of.policy, of.scorer) for of in groups if of.scorer}
    made = []
    for policy, judge in sorted((policy, judge) for policy, judge in pairs if judge):
        if asked.policy in (None, policy) and asked.scorer in (None, judge):
            found = guesses(rows, policy, judge)
            table = confusion(difficulties(rows, policy), found)
            if table.problems:
                made.append(_told(policy, judge, table, list(found.values())))
    return made


def _told(policy: str, judge: str, table: Confusion, found: Sequence[Guess]) -> dict[str, Any]:
    share, kappa = table.accuracy, table.kappa.kappa
    draws = sorted({guess.drawn for guess in found})
    ends = {"low": numbers.count(draws[0]), "high": numbers.count(draws[-1])}
    said = ends["low"] if len(draws) == 1 else say("scaling_says.guess_draws", **ends)
    interval = f"{100 * share.mean:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
    return {
        "title": f"{policy}, {judge}",
        "bins": list(map(bin_name, DIFFICULTIES)),
        "counts": table.table,
        "lines": [
            say(
                "scaling_says.guess", n=table.problems, draws=said, share=interval,
                problems=numbers.count(table.problems),
                kappa=numbers.NOT_AVAILABLE if kappa is None else f"{kappa:.2f}",
            ),
            say("scaling_says.doubtful", count=numbers.count(table.doubtful)),
        ],
    }  # fmt: skip
