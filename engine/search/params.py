"""What a caller may ask of a run, with the defaults, and every check that needs no model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from engine.errors import InvalidInput
from engine.search.parameter import Parameter, declared
from engine.search.prm_window import PRM_WINDOWS
from engine.search.selection import RULES, VOTES, rule_named
from engine.search.stopping import threshold_of
from engine.search.strategies import STRATEGIES, Strategy


@dataclass(frozen=True, slots=True)
class RunParams:
    """One run's request: each field with its declaration, in the order in which the command line lists them.

    `select` None means the default of the strategy: `majority_vote` where no PRM is used, else `prm_last_vote`.
    """

    strategy: str = "beam_search"
    n: Annotated[
        int,
        # The study goes to N = 512; far above that N is a typing error that would fill the memory.
        Parameter(
            label="N completions", help="N, number of completions", short="N", unit="completions",
            least=1, most=4096, advanced=False,
        ),
    ] = 16  # fmt: skip
    width: Annotated[
        int,
        Parameter(
            label="Width M", help="M, children of each survivor; must divide N, and K = N / M survive", short="M",
            unit="children", least=1, advanced=False,
        ),
    ] = 4  # fmt: skip
    select: Annotated[
        str | None,
        Parameter(
            label="Selection rule", short="rule", hint="How the final answer is chosen.", choices=tuple(RULES),
            help="How the final answer is chosen: `majority_vote`; `prm_{min,last,avg,prod}_{max,vote}` by PRM scores; "
            "`confidence_vote`, `confidence_tail_vote`, `confidence_bottom_vote` or `certainty_borda` by how sure the "
            "policy was (a local one only); `first_finish_k` or `last_finish_k` by length",
            kind="rule", unset="`prm_last_vote` with a PRM",
        ),
    ] = None  # fmt: skip
    temperature: Annotated[
        float,
        Parameter(
            label="Temperature", help="Sampling temperature, 0 to 5; 0 is greedy", hint="0 is greedy.",
            least=0, most=5, of_policy=True,
        ),
    ] = 0.8  # fmt: skip
    top_p: Annotated[
        float,
        Parameter(
            label="Top-p", help="Sample from this share of the probability; 1 keeps every token",
            hint="1 keeps every token.", least=0, above=True, most=1, of_policy=True,
            refusal="{value} is outside (0, 1]; 1 keeps every token",
        ),
    ] = 1.0  # fmt: skip
    seed: Annotated[
        int,
        Parameter(
            label="Seed", least=0, most=2**63 - 1, advanced=False,
            help="All randomness derives from it: with nothing else running, the same seed reproduces the tree",
            refusal="{value} is not a whole number from 0 to 2^63 - 1",
        ),
    ] = 0  # fmt: skip
    finished: Annotated[
        str,
        Parameter(
            label="Finished beams", help="Finished beams are set aside (`bank`) or use up slots (`compete`)",
            hint="bank: set aside. compete: they use up a slot.", short="finished", fact="finished beams:",
            choices=("bank", "compete"), kind="rule",
        ),
    ] = "bank"  # fmt: skip
    beams: Annotated[
        str,
        Parameter(
            label="Beams", help="What a beam is: a draw (`draws`) or a distinct step (`distinct`)",
            hint="draws: each equal draw holds a slot.", short="beams", choices=("draws", "distinct"), kind="beams",
        ),
    ] = "draws"  # fmt: skip
    max_steps: Annotated[
        int,
        Parameter(
            label="Max. steps", help="The longest chain, in steps", hint="In one chain.", unit="steps", least=1,
            of_policy=True, common=True,
        ),
    ] = 40  # fmt: skip
    max_tokens: Annotated[
        int | None,
        Parameter(
            label="Longest completion", help="The longest completion, in tokens", hint="In tokens; 0: what fits.",
            unit="tokens", least=1, unset="what fits the context window", of_policy=True, common=True,
        ),
    ] = None  # fmt: skip
    max_tokens_total: Annotated[
        int | None,
        Parameter(
            label="Token budget", help="Limit on generated tokens, never exceeded",
            hint="Generated tokens; 0: no limit.", unit="tokens", least=1, unset="no limit", common=True,
        ),
    ] = None  # fmt: skip
    stop: Annotated[
        str | None,
        Parameter(
            label="Stop early", fact="stop early:", short="stop",
            help="Stop drawing once the leading answer is this sure to stay ahead, as `beta:0.95`; for `majority_vote` "
            "and `best_of_n`",
            hint="E.g. beta:0.95: once the leading answer is that sure. Empty: all N.",
            unset="all N are drawn",
        ),
    ] = None  # fmt: skip
    lookahead: Annotated[
        int,
        Parameter(
            label="Lookahead L", help="L, greedy steps before `lookahead` scores a candidate",
            hint="Greedy steps before a step is scored.", short="L", unit="steps", least=1, most="max_steps",
        ),
    ] = 1  # fmt: skip
    granularity: Annotated[
        int,
        Parameter(
            label="Granularity g", help="g, steps from one ranking of `vg_search` to the next; 1 is beam search",
            hint="Steps from one ranking to the next.", short="g", unit="steps", least=1, most="max_steps",
        ),
    ] = 2  # fmt: skip
    tree_policy: Annotated[
        str,
        Parameter(
            label="Tree policy", help="How `mcts` picks the next step: `uct` or `puct`",
            hint="How MCTS picks the next step.", choices=("uct", "puct"), kind="tree policy",
        ),
    ] = "uct"  # fmt: skip
    exploration: Annotated[
        float,
        # Scores lie in 0 to 1; far above that c leaves nothing of them.
        Parameter(
            label="Exploration c", help="c, the weight of exploration in `mcts`",
            hint="Larger: less visited steps first.", short="c", least=0, most=100,
        ),
    ] = 0.5  # fmt: skip
    probe: Annotated[
        int,
        Parameter(
            label="Probe samples", help="Samples from which `compute_optimal` estimates the difficulty",
            hint="To estimate the difficulty.", short="probe", unit="samples", least=1, most="n",
        ),
    ] = 4  # fmt: skip
    knowledge: Annotated[
        str,
        Parameter(
            label="Knowledge", help="What `compute_optimal` chooses by: the study's table (`paper`), or what sweeps on "
            "record say of these models at this N (`learned`; the table, where they say too little)",
            hint="paper: the study's table. learned: your sweeps.", short="chosen by",
            choices=("paper", "learned"), kind="knowledge",
        ),
    ] = "paper"  # fmt: skip
    votes: Annotated[
        str,
        Parameter(
            label="Votes", help="Every draw votes (`draws`), or every distinct completion once (`distinct`)",
            hint="draws: one per draw. distinct: one per text.", choices=VOTES, kind="voters", common=True,
            noted=False,
        ),
    ] = "draws"  # fmt: skip
    prm_window: Annotated[
        str,
        Parameter(
            label="PRM window",
            help="What is done with a path too long for the PRM: its last step is not scored (`skip`), it is scored on "
            "the problem and the last whole steps that fit (`left`), or the run ends (`refuse`)",
            hint="For a path too long for the PRM.", short="PRM window", choices=PRM_WINDOWS, kind="PRM window",
            common=True, noted=False,
        ),
    ] = "skip"  # fmt: skip
    eligible_without_answer: Annotated[
        bool,
        Parameter(
            label="\u201cNo answer\u201d may win", help="Completions without an answer may win, too",
            hint="Whether completions without an answer stay eligible.", fact="\u201cno answer\u201d may win:",
            common=True,
        ),
    ] = False  # fmt: skip

    def __post_init__(self) -> None:
        """Check the parameters that this run uses; the others may have any value."""
        strategy, values = self.method, asdict(self)
        for name, parameter in PARAMETERS.items():
            if strategy.takes(name) or name == "n":  # every search is bounded by N
                parameter.check(values)
            if name == "width" and strategy.takes(name):
                self._check_width()
        if self.select is not None:
            self._check_rule(self.select)
        if self.stop is not None and strategy.takes("stop"):
            threshold_of(self.stop)

    def _check_width(self) -> None:
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

    def recorded(self) -> dict[str, Any]:
        """What the run document keeps under `params`: only what this run uses."""
        values = asdict(self) | {"select": self.rule}
        return {
            name: values[name]
            for name, parameter in PARAMETERS.items()
            if self.method.takes(name)
            and values[name] is not None
            and (parameter.noted or values[name] != parameter.default)
        }


#: Every parameter of a run by name, in the order of the fields.
PARAMETERS = declared(RunParams)
