"""What the address of the Scaling page asks for; what it leaves out is chosen from what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from engine.errors import InvalidInput
from engine.runs.sweeps.curves import AXES, Axis
from engine.runs.sweeps.measured import Configuration
from engine.search.selection import RULES
from engine.search.strategies.compute_optimal import DIFFICULTIES
from tts_ui.words.interface import say

#: How an address writes that a filter lets everything through.
ANY = "any"

Series = Literal["strategy", "policy", "scorer", "bin"]
#: How the envelope is computed: chosen and measured on different halves, on the same problems, or not at all.
Envelope = Literal["halves", "same", "off"]
#: Floor, ceiling and greedy lines: all, none, or as many as do not hide the lines.
Marks = Literal["auto", "all", "none"]
#: A search that is shown where one strategy has to be chosen: the first of these that was measured.
_TELLING = ("beam_search", "dvts", "best_of_n", "majority_vote")


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure. Filters are None for everything; `rule` None stands for the usual ones, `n` None for the largest.

    `everything`: each point on all of its own problems, in place of those that all points have in common.
    """

    sweep: str
    x: Axis
    by: Series
    policy: str | None
    scorer: str | None
    strategy: str | None
    bin: str | None
    rule: str | None
    n: int | None
    envelope: Envelope
    marks: Marks
    everything: bool
    published: str
    point: str
    compare: tuple[str, ...]


def asked(address: Mapping[str, str], there: Iterable[Configuration]) -> Asked:
    """What an address asks for, given the configurations that were measured. Raises `InvalidInput`."""
    given = {name: value.strip() for name, value in address.items() if value.strip()}
    configurations = list(there)
    by = cast(Series, _one_of(given, "by", get_args(Series), "strategy"))
    usual = {
        "policy": _commonest(each.policy for each in configurations),
        "scorer": _commonest(each.scorer for each in configurations if each.scorer),
        "strategy": next((name for name in _TELLING if any(each.strategy == name for each in configurations)), None),
        "bin": None,
    }
    filters = {name: _filter(given, name, None if name == by else usual[name]) for name in usual}
    if (bin := filters["bin"]) is not None and bin not in DIFFICULTIES:
        raise InvalidInput("bin", say("scaling_says.no_bin", value=repr(bin[:40]), known=", ".join(DIFFICULTIES)))
    rule = given.get("rule")
    if rule is not None and rule not in RULES:
        raise InvalidInput("rule", say("scaling_says.no_rule", value=repr(rule[:40]), known=", ".join(RULES)))
    number = given.get("n")
    if number is not None and not (number.isdecimal() and 0 < int(number) < 1_000_000):
        raise InvalidInput("n", say("scaling_says.no_number", value=repr(number[:40])))
    return Asked(
        given.get("sweep", ""),
        cast(Axis, _one_of(given, "x", AXES, "n")),
        by,
        filters["policy"],
        filters["scorer"],
        filters["strategy"],
        bin,
        rule,
        int(number) if number else None,
        cast(Envelope, _one_of(given, "envelope", get_args(Envelope), "halves")),
        cast(Marks, _one_of(given, "marks", get_args(Marks), "auto")),
        given.get("problems") == "all",
        given.get("published", ""),
        given.get("point", ""),
        tuple(each for each in given.get("compare", "").split(",") if each)[:2],
    )


def _one_of(given: Mapping[str, str], name: str, known: tuple[str, ...], usual: str) -> str:
    value = given.get(name, usual)
    if value not in known:
        raise InvalidInput(name, say("scaling_says.one_of", value=repr(value[:40]), known=", ".join(known)))
    return value


def _filter(given: Mapping[str, str], name: str, usual: str | None) -> str | None:
    value = given.get(name, usual)
    return None if value == ANY else value


def _commonest(values: Iterable[str | None]) -> str | None:
    counted = Counter(value for value in values if value is not None)
    return min(counted, key=lambda value: (-counted[value], value)) if counted else None
