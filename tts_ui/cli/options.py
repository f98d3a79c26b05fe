"""The options of a search on the command line, in one place: `solve` and `compare` take the same ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import typer

from engine.errors import InvalidInput
from engine.search.params import FINISHED_RULES, TREE_POLICIES, RunParams
from engine.search.selection import RULES, VOTES
from engine.search.strategies import STRATEGIES

#: The one place that knows the defaults is `RunParams`.
_DEFAULT = RunParams()

Db = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A SQLite file or database URL; else TTS_UI_DB, else runs.db in the user's data."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Problem = Annotated[str, typer.Argument(metavar="PROBLEM", help="The problem; - reads standard input.")]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What is asked of a search beside its problem and strategy. `models` is a name, a file or both (see
    `tts_ui.cli.models`)."""

    n: Annotated[int, typer.Option(help="N, completions to ask for.")] = _DEFAULT.n
    width: Annotated[int, typer.Option(help="M, children a survivor; must divide N.")] = _DEFAULT.width
    select: Annotated[
        str | None, typer.Option(help=f"Which answer wins: {', '.join(RULES)}. Default: prm_last_vote with a PRM.")
    ] = _DEFAULT.select
    temperature: Annotated[
        float | None, typer.Option(help=f"Of sampling, 0 to 5. Default: the policy's, else {_DEFAULT.temperature}.")
    ] = None
    top_p: Annotated[
        float | None,
        typer.Option(help=f"Sample from this share of the probability. Default: the policy's, else {_DEFAULT.top_p}."),
    ] = None
    seed: Annotated[int, typer.Option(help="All randomness derives from it.")] = _DEFAULT.seed
    models: Annotated[
        str | None, typer.Option(metavar="NAME|FILE|FILE:NAME", help="The pair of models (see `tts-ui models`).")
    ] = None
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Another PRM of the catalogue than the pair's own.")
    ] = None
    finished: Annotated[str, typer.Option(help=f"Finished children in beam search: {' or '.join(FINISHED_RULES)}.")] = (
        _DEFAULT.finished
    )
    max_steps: Annotated[
        int | None, typer.Option(help=f"The longest chain, in steps. Default: the policy's, else {_DEFAULT.max_steps}.")
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option(help="The longest completion, in tokens. Default: the policy's, else what fits.")
    ] = None
    max_tokens_total: Annotated[int | None, typer.Option(help="Generated tokens that may be spent.")] = None
    lookahead: Annotated[int, typer.Option(help="L, greedy steps that judge a candidate (lookahead).")] = (
        _DEFAULT.lookahead
    )
    tree_policy: Annotated[str, typer.Option(help=f"How mcts descends: {' or '.join(TREE_POLICIES)}.")] = (
        _DEFAULT.tree_policy
    )
    exploration: Annotated[float, typer.Option(help="c, the weight of exploration in mcts.")] = _DEFAULT.exploration
    probe: Annotated[int, typer.Option(help="Samples from which compute_optimal estimates the difficulty.")] = (
        _DEFAULT.probe
    )
    votes: Annotated[str, typer.Option(help=f"What has a vote: {' or '.join(VOTES)} completions.")] = _DEFAULT.votes
    eligible_without_answer: Annotated[
        bool, typer.Option("--eligible-without-answer", help="Completions without an answer may win, too.")
    ] = _DEFAULT.eligible_without_answer
    answer: Annotated[str | None, typer.Option(metavar="REFERENCE", help="The right answer, to grade against.")] = None
    as_json: AsJson = False
    db: Db = None

    def params(self, strategy: str) -> RunParams:
        """One run's request. Options that `strategy` does not have mean nothing in it; raises `InvalidInput`."""
        from tts_ui.cli.models import sampling_of

        asked = {name: getattr(self, name) for name in ("temperature", "top_p", "max_steps", "max_tokens")}
        return RunParams(
            strategy, self.n, self.width, self.select, seed=self.seed, finished=self.finished,
            max_tokens_total=self.max_tokens_total, eligible_without_answer=self.eligible_without_answer,
            votes=self.votes, lookahead=self.lookahead, tree_policy=self.tree_policy, exploration=self.exploration,
            probe=self.probe, **sampling_of(self.models, asked),
        )  # fmt: skip


def takes_search_options(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as Typer should see it: its parameter `options` spelled out as the fields of `SearchOptions`."""
    spelled = get_type_hints(SearchOptions, include_extras=True)
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for name, given in inspect.signature(command).parameters.items():
        if name == "options":
            parameters += [
                given.replace(name=field.name, default=field.default, annotation=spelled[field.name])
                for field in fields(SearchOptions)
            ]
        else:
            parameters.append(given.replace(annotation=hints[name]))

    def spelled_out(**given: Any) -> None:
        options = SearchOptions(**{field.name: given.pop(field.name) for field in fields(SearchOptions)})
        command(options=options, **given)

    spelled_out.__name__, spelled_out.__doc__ = command.__name__, command.__doc__
    spelled_out.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spelled_out.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return spelled_out


def strategies_named(text: str) -> list[str]:
    """The strategies in `S1,S2,...`. Raises `InvalidInput` for one that is unknown, named twice, or alone."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in STRATEGIES:
            raise InvalidInput("strategies", f"unknown strategy {name!r}; choose some of {', '.join(STRATEGIES)}")
        if names.count(name) > 1:
            raise InvalidInput("strategies", f"{name} is named twice; name each strategy once")
    if len(names) < 2:
        raise InvalidInput("strategies", "a comparison needs two or more, with commas between them; name another")
    return names
