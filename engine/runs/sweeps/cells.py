"""A cell of a sweep: one configuration (models, judge, parameters) that every problem of a set is searched with."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import InvalidInput
from engine.search.params import RunParams


@dataclass(frozen=True, slots=True)
class Cell:
    """`models` is a pair of the catalogue; `scorer` names a PRM of it other than the pair's own."""

    models: str
    params: RunParams
    scorer: str | None = None

    def __post_init__(self) -> None:
        """A choice taught by the store would change while the sweep writes to it, and learn from its own problems."""
        if self.params.strategy == "compute_optimal" and self.params.knowledge != "paper":
            raise InvalidInput("knowledge", "a sweep cannot be taught by sweeps; leave it out, or sweep the strategies")

    def sweep_id(self, sweep: str) -> str:
        """The `sweep_id` of this cell's runs: readable, and different for every configuration."""
        recorded = self.params.recorded()
        settings = [f"{name}={recorded[name]}" for name in sorted(recorded)]
        return "/".join([sweep, self.models, self.scorer or "own", self.params.strategy, *settings])
