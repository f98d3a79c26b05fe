"""What each menu of the page offers: a value of the address, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from engine.errors import InvalidInput
from engine.runs.sweeps.curves import AXES, Groups
from engine.runs.sweeps.published import AIME, MATH, SETS, Published, of_table
from engine.search.strategies.compute_optimal import DIFFICULTIES
from tts_ui.web.scaling.asked import ANY, Envelope, Marks, Series
from tts_ui.web.scaling.naming import bin_name
from tts_ui.words import parameters
from tts_ui.words.interface import say

Choice = tuple[str, str]

#: Published tables by how an address names them.
_TABLES: dict[str, tuple[int, str]] = {
    f"{table}-{name}": (table, problems)
    for name, problems in SETS.items() for table in (3, 5, 6) if of_table(table, problems)
}  # fmt: skip


def choices(groups: Groups, near: str | None) -> dict[str, Sequence[Choice]]:
    """`near`: the published problem set that the sweep is about, whose tables come first."""
    every = [(ANY, say("scaling_menus.every"))]
    policies = sorted({of.policy for of in groups})
    judges = sorted({of.scorer for of in groups if of.scorer})
    strategies = sorted({of.strategy for of in groups}, key=parameters.title)
    rules = sorted({of.rule for of in groups if of.strategy != "greedy"})
    return {
        "x": [(axis, say(f"scaling_menus.x_{axis}")) for axis in AXES],
        "by": [(by, say(f"scaling_menus.by_{by}")) for by in get_args(Series)],
        "policy": [*every, *((name, name) for name in policies)],
        "scorer": [*every, *((name, name) for name in judges)],
        "strategy": [*every, *((name, parameters.title(name)) for name in strategies)],
        "bin": [(ANY, say("scaling_menus.all_problems")), *((name, bin_name(name)) for name in DIFFICULTIES)],
        "rule": [("", say("scaling_menus.usual_rules")), *((name, parameters.words(name)) for name in rules)],
        "n": [(str(n), f"{n:,}") for n in sorted({of.n for of in groups if of.strategy != "greedy"})],
        "envelope": [(way, say(f"scaling_menus.{way}")) for way in get_args(Envelope)],
        "marks": [(which, say(f"scaling_menus.marks_{which}")) for which in get_args(Marks)],
        "problems": [("", say("scaling_menus.shared")), ("all", say("scaling_menus.own"))],
        "published": [("", say("scaling_menus.unpublished")), *_tables(near)],
    }  # fmt: skip


def suits(problem_set: str) -> str | None:
    """The published problem set that a sweep's set is, by its name."""
    name = problem_set.lower().replace("_", "-")
    if "math-500" in name or "math500" in name:
        return MATH
    return AIME if "aime" in name and "24" in name else None


def published_tables(name: str) -> list[Published]:
    """The numbers that an address asks for. Raises `InvalidInput`."""
    if not name:
        return []
    if name not in _TABLES:
        raise InvalidInput("published", say("scaling_says.no_table", value=repr(name[:40]), known=", ".join(_TABLES)))
    return of_table(*_TABLES[name])


def _tables(near: str | None) -> list[Choice]:
    named = [
        (key, say("scaling_menus.table", number=table, problems=problems)) for key, (table, problems) in _TABLES.items()
    ]
    return sorted(named, key=lambda choice: _TABLES[choice[0]][1] != near)
