"""The tools that programs have: what each is for and what it takes. Endpoints, MCP's schemas, checks and the table in
docs/programs.md follow from these declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any

from engine.errors import InvalidInput
from engine.runs.asking import typed
from engine.search.parameter import Parameter, declared
from engine.search.params import PARAMETERS
from engine.search.strategies import STRATEGIES
from engine.store.listing import OUTCOMES

_JSON = {int: "integer", float: "number", bool: "boolean", str: "string"}

_Problem = Annotated[str, Parameter(label="Problem", help="The problem, as one would type it")]
_Models = Annotated[
    str | None, Parameter(label="Models", help="A pair of models by its name", unset="the server's first pair")
]
_Scorer = Annotated[
    str | None,
    Parameter(label="PRM", help="A PRM by its name, in place of the pair's own", unset="the pair's own"),
]
_Answer = Annotated[
    str | None, Parameter(label="Reference answer", help="The right answer, to grade against", unset="not graded")
]
_Run = Annotated[str, Parameter(label="Run", help="The run's whole id")]
_LIST_AT_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solve:
    problem: _Problem
    strategy: Annotated[
        str, Parameter(label="Strategy", help="How to search", choices=tuple(STRATEGIES), kind="strategy")
    ] = "beam_search"
    models: _Models = None
    scorer: _Scorer = None
    answer: _Answer = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compare:
    problem: _Problem
    strategies: Annotated[
        str, Parameter(label="Strategies", help="Two or more strategies, with commas: best_of_n,beam_search")
    ]
    paired: Annotated[
        bool, Parameter(label="Paired", help="Whether the runs share what samples and scores they have in common")
    ] = True
    models: _Models = None
    scorer: _Scorer = None
    answer: _Answer = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Show:
    run: _Run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    scorer: Annotated[str, Parameter(label="PRM", help="The PRM that reads the steps, by its name")]
    run: Annotated[
        str | None, Parameter(label="Run", help="The whole id of a run, which keeps the scores", unset="a solution")
    ] = None
    problem: Annotated[
        str | None, Parameter(label="Problem", help="The problem that a solution is for", unset="a run's")
    ] = None
    solution: Annotated[
        str | None,
        Parameter(label="Solution", help="A solution in steps, with a blank line between two", unset="a run's"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    search: Annotated[
        str | None, Parameter(label="Search", help="A text in problem, answer, strategy or tags", unset="all")
    ] = None
    strategy: Annotated[
        str | None,
        Parameter(label="Strategy", help="Runs of this strategy", unset="all", choices=tuple(STRATEGIES),
                  kind="strategy"),
    ] = None  # fmt: skip
    outcome: Annotated[
        str | None,
        Parameter(label="Outcome", help="Runs that came out so", unset="all", choices=tuple(OUTCOMES), kind="outcome"),
    ] = None
    limit: Annotated[
        int, Parameter(label="At most", help="So many, the newest first", unit="runs", least=1, most=_LIST_AT_MOST)
    ] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grade:
    reference: Annotated[str, Parameter(label="Reference answer", help="The right answer")]
    answer: Annotated[
        str | None, Parameter(label="Answer", help="An answer to compare with it", unset="that of a run")
    ] = None
    run: Annotated[
        str | None, Parameter(label="Run", help="The whole id of a run, which keeps the grade", unset="an answer")
    ] = None


@dataclass(frozen=True)
class Tool:
    """One of the tools.

    Attributes:
        about: a sentence or two for whoever chooses among them.
        own: what it takes besides the parameters of a search, which it takes too if `searches`.
        changes: whether it computes or changes anything; on a public server MCP asks for the write token then.
    """

    name: str
    title: str
    about: str
    own: type
    searches: bool = False
    changes: bool = True

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        return declared(self.own) | (PARAMETERS if self.searches else {})

    @cached_property
    def required(self) -> list[str]:
        return [name for name, parameter in declared(self.own).items() if parameter.default is MISSING]

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was given, as the types declared; None and a parameter of a search that was left out ask for nothing.
        Raises `InvalidInput` for what is missing, unknown, of another type or out of range."""
        for name in given:
            if name not in self.parameters:
                near = get_close_matches(str(name), self.parameters, n=1)
                advice = f"did you mean {near[0]}?" if near else f"it takes {', '.join(declared(self.own))}"
                raise InvalidInput(str(name)[:40], f"{self.name} has no such argument; {advice}")
        asked = {name: typed(self.parameters[name], value) for name, value in given.items() if value is not None}
        for name in self.required:
            if name not in asked:
                raise InvalidInput(name, f"it is missing; {_lower(self.parameters[name].help)}")
        own = declared(self.own)
        values = {name: asked.get(name, parameter.default) for name, parameter in own.items()}
        for parameter in own.values():
            parameter.check(values)
        return values | {name: value for name, value in asked.items() if name not in own}

    def schema(self) -> dict[str, Any]:
        """Its arguments as a JSON schema."""
        described = {name: _described(name, parameter) for name, parameter in self.parameters.items()}
        return {
            "type": "object", "properties": described, "required": self.required, "additionalProperties": False,
        }  # fmt: skip


def help_of(parameter: Parameter) -> str:
    """What a parameter means and what leaving it out does."""
    if parameter.default is MISSING:
        return f"{parameter.help}."
    default = parameter.unset if parameter.default is None else parameter.default
    return f"{parameter.help}. Default: {str(default).lower() if isinstance(default, bool) else default}."


def _described(name: str, parameter: Parameter) -> dict[str, Any]:
    said: dict[str, Any] = {"type": _JSON[parameter.type], "description": help_of(parameter)}
    if parameter.choices:
        said["enum"] = list(parameter.choices)
    if parameter.least is not None:
        said["exclusiveMinimum" if parameter.above else "minimum"] = parameter.least
    if parameter.most is not None and not isinstance(parameter.most, str):
        said["maximum"] = parameter.most
    return said


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("solve", "Solve a problem",
             "Search for the answer to a problem: a policy writes steps, a process reward model (PRM) scores them, a "
             "strategy decides. Returns the answer, the votes, the cost and the run's id, which `show` takes.",
             _Solve, searches=True),
        Tool("compare", "Compare strategies",
             "Search for the answer to one problem by several strategies side by side, and say what each found and "
             "spent. An argument that only some strategies have applies to those.", _Compare, searches=True),
        Tool("show", "Show a run",
             "Show the tree of a recorded run: every step with its score and what became of it.", _Show, changes=False),
        Tool("score", "Score steps",
             "Let a PRM score the steps of a solution (problem and solution), or of a recorded run, which keeps the "
             "scores.", _Score),
        Tool("runs", "List runs", "List recorded runs, the newest first.", _Runs, changes=False),
        Tool("grade", "Grade an answer",
             "Say whether an answer equals the reference answer, or grade a recorded run, which keeps the grade.",
             _Grade),
    )
}  # fmt: skip
