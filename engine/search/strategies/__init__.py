"""The strategies by name. A new one is one file, its function named like the file, and one line in `STRATEGIES`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy as seen from outside.

    `options` are the parameters of a run that the function takes besides the search; `scored` says whether it needs a
    PRM.
    """

    name: str
    title: str
    options: tuple[str, ...] = ()
    scored: bool = False

    @property
    def run(self) -> Callable[..., Awaitable[None]]:
        """The function `name` of the module `name`: `run(search, **options)` searches to the end."""
        module = import_module(f"{__name__}.{self.name}")
        return cast(Callable[..., Awaitable[None]], getattr(module, self.name))

    def takes(self, parameter: str) -> bool:
        """Whether a parameter of a run matters here: an option of this strategy, of its PRM, or of every run."""
        if parameter in OF_PRM:
            return self.scored
        return parameter in self.options or parameter not in OPTIONS


STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy("greedy", "Greedy"),
        Strategy("majority_vote", "Majority vote", ("n", "stop")),
        Strategy("best_of_n", "Best of N", ("n", "stop"), scored=True),
        Strategy("beam_search", "Beam search", ("n", "width", "finished", "beams"), scored=True),
        Strategy("dvts", "DVTS", ("n", "width"), scored=True),
        Strategy("lookahead", "Lookahead", ("n", "width", "finished", "beams", "lookahead"), scored=True),
        Strategy(
            "compute_optimal", "Compute-optimal", ("n", "width", "finished", "beams", "probe", "knowledge"), scored=True
        ),
        Strategy("mcts", "MCTS (extension)", ("n", "width", "tree_policy", "exploration"), scored=True),
        Strategy("rebase", "REBASE (extension)", ("n",), scored=True),
        Strategy("vg_search", "VG-Search (extension)", ("n", "width", "finished", "beams", "granularity"), scored=True),
        Strategy("particle_filtering", "Particle filtering (extension)", ("n",), scored=True),
    )
}

#: The parameters that matter where a PRM is used; no strategy knows of them.
OF_PRM = ("prm_window",)

#: The parameters that some strategies take and others do not.
OPTIONS = frozenset(option for strategy in STRATEGIES.values() for option in strategy.options).union(OF_PRM)
