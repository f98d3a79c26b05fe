"""The strategies by name. A new one is one file here and one line in `STRATEGIES`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.strategies.beam_search import beam_search
from engine.strategies.best_of_n import best_of_n
from engine.strategies.greedy import greedy
from engine.strategies.majority_vote import majority_vote


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy as the outside knows it.

    `options` are the parameters of a run that the function takes beside the search; `scored` is whether it needs a PRM.
    """

    name: str
    title: str
    run: Callable[..., Awaitable[None]]
    options: tuple[str, ...] = ()
    scored: bool = False


STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy("greedy", "Greedy", greedy),
        Strategy("majority_vote", "Majority vote", majority_vote, ("n",)),
        Strategy("best_of_n", "Best of N", best_of_n, ("n",), scored=True),
        Strategy("beam_search", "Beam search", beam_search, ("n", "width", "finished"), scored=True),
    )
}
