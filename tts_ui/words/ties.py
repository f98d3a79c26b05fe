"""Which strategies are tied, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from engine.runs.sweeps.measured import Configuration
from engine.runs.sweeps.standings import Standing
from engine.search.strategies import STRATEGIES


def verdict(found: Standing, names: Mapping[Configuration, str] | None = None) -> str:
    """Who is ahead and who is tied, over how many problems, and how small a difference these can show; `names` are
    what the methods are called beside it (None: by their strategies)."""
    over = f"{found.problems:,} {'problem' if found.problems == 1 else 'problems'}"
    if not found.enough:
        return f"At N = {found.n}, {over} are too few to tell strategies apart."
    called = names or _names(found.methods)
    said = f"At N = {found.n}, over {over}: {standing([[called[each] for each in group] for group in found.groups])}."
    if found.detectable is None:
        return f"{said} They did not differ on any problem."
    least = f"a difference of {100 * found.detectable:.1f} points from the best"
    return f"{said} With this many, {least} would be found 8 times in 10; a smaller one may be missed."


def _names(methods: Sequence[Configuration]) -> dict[Configuration, str]:
    """By strategy, with the settings of those that are there several times."""
    often = Counter(each.strategy for each in methods)
    return {each: _title(each.strategy) + (_apart(each) if often[each.strategy] > 1 else "") for each in methods}


def _apart(method: Configuration) -> str:
    return f" ({', '.join([method.rule, *(f'{name}={value}' for name, value in method.settings)])})"


def standing(groups: Sequence[Sequence[str]]) -> str:
    """ "DVTS and Best of N are tied, before Greedy" of groups of strategies, the best group first."""
    if not groups:
        return ""
    first = _listed(groups[0])
    said = f"{first} are tied" if len(groups[0]) > 1 else f"{first} is ahead" if len(groups) > 1 else first
    behind = [_listed(group) + (" (tied)" if len(group) > 1 else "") for group in groups[1:]]
    joined = "; then ".join(behind)
    return f"{said}, before {joined}" if behind and len(groups[0]) > 1 else f"{said} of {joined}" if behind else said


def _listed(strategies: Sequence[str]) -> str:
    titles = [_title(name) for name in strategies]
    return " and ".join([", ".join(titles[:-1]), titles[-1]]) if len(titles) > 1 else titles[0]


def _title(strategy: str) -> str:
    return STRATEGIES[strategy].title.removesuffix(" (extension)") if strategy in STRATEGIES else strategy
