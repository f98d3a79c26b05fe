"""What points and lines are called, and how their addresses name them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from engine.runs.sweeps.curves import MAJORITY, Point
from engine.runs.sweeps.measured import Configuration
from tts_ui.words import parameters
from tts_ui.words.interface import say

#: The rules that have a short name of their own.
_RULES = {"prm_last_vote": "vote", "prm_last_max": "max", MAJORITY: "majority"}
_SAMPLING = ("best_of_n", "majority_vote")


def is_floor(configuration: Configuration) -> bool:
    """Whether it is a majority vote over independent draws: what search has to beat."""
    return configuration.strategy in _SAMPLING and configuration.rule == MAJORITY


def method(configuration: Configuration) -> str:
    """A strategy's name and, where a reader might take it for another, how the answer was chosen."""
    if is_floor(configuration):
        return say("scaling_figure.majority")
    title = parameters.title(configuration.strategy)
    if configuration.strategy == "greedy":
        return title
    rule = _RULES.get(configuration.rule)
    if rule == "vote" and configuration.strategy != "best_of_n":
        return title
    return f"{title}, {say(f'scaling_figure.rule_{rule}') if rule else parameters.words(configuration.rule)}"


def bin_name(bin: str) -> str:
    """One of `DIFFICULTIES` in words."""
    return say(f"scaling_menus.bin_{bin}")


def judge(configuration: Configuration) -> str:
    return configuration.scorer or say("scaling_figure.no_judge")


def settings(configuration: Configuration) -> str:
    return ", ".join(f"{parameters.name(name)} {value}" for name, value in configuration.settings)


def point_id(point: Point) -> str:
    """Short, and the same wherever the same configuration was measured."""
    return sha256(f"{point.configuration!r} {point.bin}".encode()).hexdigest()[:10]


def line_names(points: Sequence[Point], by: str) -> list[str]:
    """The line each point is on: what it is `by`, and whatever else tells lines apart."""
    facts = [_facts(point) for point in points]
    told = [by, *(name for name in facts[0] if name != by and _varies(facts, name, by))] if facts else []
    return [", ".join(text for name in told if (text := each[name])) for each in facts]


def _facts(point: Point) -> dict[str, str]:
    of = point.configuration
    return {
        "strategy": method(of), "policy": of.policy, "scorer": of.scorer or "", "settings": settings(of),
        "bin": bin_name(point.bin) if point.bin else "",
    }  # fmt: skip


def _varies(facts: Sequence[dict[str, str]], name: str, by: str) -> bool:
    """Settings differ between strategies by their nature: they are told where one strategy has several of them."""
    if name != "settings":
        return len({each[name] for each in facts if each[name]}) > 1
    seen: dict[str, set[str]] = {}
    for each in facts:
        seen.setdefault(each["strategy"], set()).add(each["settings"])
    return any(len(different) > 1 for different in seen.values())
