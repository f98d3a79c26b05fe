"""Colours and marks of the figures. Colours have names here and values by mode, so that a page can change its mode
without asking again; lines differ in mark and dash, too, so that nothing depends on colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.runs.sweeps.measured import Configuration

#: Name -> value; each at least 3:1 on its ground, and told apart by colour-blind readers (with the marks).
PALETTES: Mapping[str, Mapping[str, str]] = {
    "light": {
        "@ink": "#1f2937", "@soft": "#56657a", "@grid": "#e2e8f0", "@ground": "#ffffff",
        "@band": "rgba(15,118,110,.16)",
        "@best": "#0f766e", "@1": "#0069a8", "@2": "#b45309", "@3": "#7e3ff2", "@4": "#be185d", "@5": "#0e7490",
        "@6": "#4d7c0f", "@7": "#334155", "@8": "#991b1b",
    },
    "dark": {
        "@ink": "#f1f5f9", "@soft": "#a8b3c2", "@grid": "#334155", "@ground": "#0f172a",
        "@band": "rgba(45,212,191,.20)",
        "@best": "#2dd4bf", "@1": "#5cb8f5", "@2": "#f5a524", "@3": "#b794ff", "@4": "#ff7eb6", "@5": "#67e8f9",
        "@6": "#a3e635", "@7": "#e2e8f0", "@8": "#fca5a5",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    colour: str
    symbol: str
    dash: str = "solid"


#: A strategy looks the same on every figure; best-of-N by its best completion is not its vote.
_STRATEGIES: Mapping[tuple[str, bool], Look] = {
    ("best_of_n", False): Look("@1", "circle"), ("best_of_n", True): Look("@5", "circle-open", "dash"),
    ("beam_search", False): Look("@2", "diamond"), ("dvts", False): Look("@3", "square"),
    ("mcts", False): Look("@4", "triangle-up"), ("lookahead", False): Look("@6", "triangle-down"),
    ("rebase", False): Look("@8", "pentagon"), ("compute_optimal", False): Look("@best", "star"),
    ("greedy", False): Look("@7", "x"), ("particle_filtering", False): Look("@6", "hexagon", "dot"),
    ("vg_search", False): Look("@5", "cross", "dashdot"), ("rsd", False): Look("@8", "bowtie", "dash"),
}  # fmt: skip
_OTHERS = (
    Look("@1", "circle"), Look("@2", "diamond"), Look("@3", "square"), Look("@4", "triangle-up"),
    Look("@6", "pentagon"), Look("@5", "cross"), Look("@8", "triangle-down"), Look("@7", "hexagon"),
)  # fmt: skip
_DASHES = ("solid", "dash", "dot", "dashdot")


def of_strategy(configuration: Configuration) -> Look | None:
    return _STRATEGIES.get((configuration.strategy, configuration.rule.endswith("_max")))


def of_place(place: int) -> Look:
    """The look of the line at this place; after eight, the same in other dashes."""
    look = _OTHERS[place % len(_OTHERS)]
    return Look(look.colour, look.symbol, _DASHES[place // len(_OTHERS) % len(_DASHES)])
