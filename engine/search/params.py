"""What a caller may ask of a run, with the defaults, and every check that needs no model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from engine.errors import InvalidInput
from engine.search.selection import VOTES, rule_named
from engine.search.strategies import STRATEGIES, Strategy

#: Scores lie in 0 to 1; far above that c leaves nothing of them.
MAX_EXPLORATION = 100

#: The study goes to N = 512; far above that a run is a mistyped number that would fill the memory.
MAX_N = 4096

FINISHED_RULES = ("bank", "compete")
TREE_POLICIES = ("uct", "puct")


@dataclass(frozen=True, slots=True)
class RunParams:
    """One run's request. `n` is N, `width` is M; `max_tokens_total` caps generated tokens (None: no cap), `max_tokens`
    those of one completion (None: as many as fit the context window).

    `select` None means the default of the strategy: `majority_vote` where no PRM is asked, else `prm_last_vote`.
    `lookahead` is L; `tree_policy` and `exploration` (c) are those of `mcts`; `probe` is the number of samples from
    which `compute_optimal` estimates the difficulty.
    """

    strategy: str = "beam_search"
    n: int = 16
    width: int = 4
    select: str | None = None
    temperature: float = 0.8
    top_p: float = 1.0
    seed: int = 0
    finished: str = "bank"
    max_steps: int = 40
    max_tokens_total: int | None = None
    eligible_without_answer: bool = False
    votes: str = "draws"
    lookahead: int = 1
    tree_policy: str = "uct"
    exploration: float = 0.5
    probe: int = 4
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        strategy = self.method
        if self.n < 1:
            raise InvalidInput("n", f"{self.n} completions cannot be sampled; give 1 or more")
        if self.n > MAX_N:
            raise InvalidInput("n", f"{self.n} completions are more than one run can hold; give at most {MAX_N}")
        if "width" in strategy.options:
            self._check_width()
        if not 0 <= self.temperature <= 5:
            raise InvalidInput("temperature", f"{self.temperature} is outside 0 to 5")
        if not 0 < self.top_p <= 1:
            raise InvalidInput("top_p", f"{self.top_p} is outside (0, 1]; 1 keeps every token")
        if not 0 <= self.seed < 2**63:
            raise InvalidInput("seed", f"{self.seed} is not a whole number from 0 to 2^63 - 1")
        if self.finished not in FINISHED_RULES:
            raise InvalidInput("finished", f"unknown rule {self.finished!r}; choose {' or '.join(FINISHED_RULES)}")
        if self.max_steps < 1:
            raise InvalidInput("max_steps", f"{self.max_steps} steps are no search; give 1 or more")
        if self.max_tokens_total is not None and self.max_tokens_total < 1:
            raise InvalidInput("max_tokens_total", f"{self.max_tokens_total} tokens buy nothing; give 1 or more")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InvalidInput("max_tokens", f"{self.max_tokens} tokens are no completion; give 1 or more")
        if self.votes not in VOTES:
            raise InvalidInput("votes", f"unknown voters {self.votes!r}; choose {' or '.join(VOTES)}")
        if self.select is not None:
            self._check_rule(self.select)
        self._check_options(strategy.options)

    def _check_options(self, options: tuple[str, ...]) -> None:
        """The options that few strategies have; nobody is refused for one that means nothing in this run."""
        if "lookahead" in options and not 1 <= self.lookahead <= self.max_steps:
            raise InvalidInput("lookahead", f"L = {self.lookahead} is outside 1 to {self.max_steps} (max_steps)")
        if "tree_policy" in options and self.tree_policy not in TREE_POLICIES:
            known = " or ".join(TREE_POLICIES)
            raise InvalidInput("tree_policy", f"unknown tree policy {self.tree_policy!r}; choose {known}")
        if "exploration" in options and not 0 <= self.exploration <= MAX_EXPLORATION:
            raise InvalidInput("exploration", f"c = {self.exploration} is outside 0 to {MAX_EXPLORATION}")
        if "probe" in options and not 1 <= self.probe <= self.n:
            raise InvalidInput("probe", f"{self.probe} samples are outside 1 to N = {self.n}")

    def _check_width(self) -> None:
        if self.width < 1:
            raise InvalidInput("width", f"{self.width} children a survivor is no search; give 1 or more")
        if self.n < self.width:
            raise InvalidInput("width", f"M = {self.width} is larger than N = {self.n}; lower M or raise N")
        if self.n % self.width:
            below = next(m for m in range(self.width, 0, -1) if self.n % m == 0)
            above = next(m for m in range(self.width, self.n + 1) if self.n % m == 0)
            raise InvalidInput(
                "width", f"M = {self.width} does not divide N = {self.n}; choose M = {below} or M = {above}"
            )

    def _check_rule(self, name: str) -> None:
        if rule_named(name).reducer and not self.method.scored:
            raise InvalidInput(
                "select", f"{name} reads PRM scores and {self.strategy} asks for none; leave it out or use best_of_n"
            )

    @property
    def method(self) -> Strategy:
        if self.strategy not in STRATEGIES:
            raise InvalidInput("strategy", f"unknown strategy {self.strategy!r}; choose one of {', '.join(STRATEGIES)}")
        return STRATEGIES[self.strategy]

    @property
    def rule(self) -> str:
        """The selection rule in force."""
        return self.select or ("prm_last_vote" if self.method.scored else "majority_vote")

    @property
    def survivors(self) -> int:
        """K = N / M."""
        return self.n // self.width

    def recorded(self) -> dict[str, Any]:
        """What the run document keeps under `params`: only what had a say in this run."""
        values = asdict(self) | {"select": self.rule}
        del values["strategy"]
        for option in ("n", "width", "finished", "lookahead", "tree_policy", "exploration", "probe"):
            if option not in self.method.options:
                del values[option]
        for limit in ("max_tokens_total", "max_tokens"):
            if values[limit] is None:
                del values[limit]
        if self.votes == "draws":
            del values["votes"]
        return values
