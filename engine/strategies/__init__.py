"""The strategies by name. A new one is one file here and one line in `STRATEGIES`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.strategies.beam_search import beam_search
from engine.strategies.best_of_n import best_of_n
from engine.strategies.compute_optimal import compute_optimal
from engine.strategies.dvts import dvts
from engine.strategies.greedy import greedy
from engine.strategies.lookahead import lookahead
from engine.strategies.majority_vote import majority_vote
from engine.strategies.mcts import mcts


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
        Strategy("dvts", "DVTS", dvts, ("n", "width"), scored=True),
        Strategy("lookahead", "Lookahead", lookahead, ("n", "width", "finished", "lookahead"), scored=True),
        Strategy("mcts", "MCTS (extension)", mcts, ("n", "width", "tree_policy", "exploration"), scored=True),
        Strategy(
            "compute_optimal", "Compute-optimal", compute_optimal, ("n", "width", "finished", "probe"), scored=True
        ),
    )
}
