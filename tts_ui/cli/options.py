"""The options of a search on the command line, in one place: `solve` and `compare` take the same ones.

Those of the search itself are the parameters of a run as `RunParams` declares them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import typer

from engine.errors import InvalidInput
from engine.search.parameter import Parameter
from engine.search.params import PARAMETERS, RunParams
from engine.search.strategies import STRATEGIES
from tts_ui.words import parameters

Db = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="A SQLite file or database URL; else TTS_UI_DB, else runs.db in the user data directory."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Problem = Annotated[str, typer.Argument(metavar="PROBLEM", help="The problem; - reads standard input.")]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What is asked besides problem and strategy: `search`, the parameters by name (None where the policy may
    have its own value), and the rest. `models` is a name, a file or both (see `tts_ui.cli.models`)."""

    search: Mapping[str, Any]
    models: Annotated[
        str | None, typer.Option(metavar="NAME|FILE|FILE:NAME", help="The pair of models (see `tts-ui models`).")
    ] = None
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME", help="A PRM of the catalogue in place of the pair's own.")
    ] = None
    answer: Annotated[str | None, typer.Option(metavar="REFERENCE", help="The right answer, to grade against.")] = None
    as_json: AsJson = False
    db: Db = None

    def params(self, strategy: str) -> RunParams:
        """One run's request. Options that `strategy` does not have are ignored; raises `InvalidInput`."""
        from tts_ui.cli.models import sampling_of

        sampling = {name: value for name, value in self.search.items() if PARAMETERS[name].of_policy}
        asked = {name: value for name, value in self.search.items() if name not in sampling}
        return RunParams(strategy, **asked, **sampling_of(self.models, sampling))


def takes_search_options(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as Typer should see it: its parameter `options` spelled out, the parameters of a run and the rest."""
    hints = get_type_hints(command, include_extras=True)
    rest = [field.name for field in fields(SearchOptions) if field.name != "search"]
    spelled: list[inspect.Parameter] = []
    for name, given in inspect.signature(command).parameters.items():
        spelled += _options(rest) if name == "options" else [given.replace(annotation=hints[name])]

    def spelled_out(**given: Any) -> None:
        search = {name: given.pop(name) for name in PARAMETERS}
        command(options=SearchOptions(search, **{name: given.pop(name) for name in rest}), **given)

    spelled_out.__name__, spelled_out.__doc__ = command.__name__, command.__doc__
    spelled_out.__signature__ = inspect.Signature(spelled)  # type: ignore[attr-defined]
    spelled_out.__annotations__ = {parameter.name: parameter.annotation for parameter in spelled}
    return spelled_out


def _options(rest: list[str]) -> list[inspect.Parameter]:
    """The options in the order of the help; the models come after the seed."""
    hints = get_type_hints(SearchOptions, include_extras=True)
    defaults = {field.name: field.default for field in fields(SearchOptions)}
    named = {name: _spelled(name, hints[name], defaults[name]) for name in rest}
    options: list[inspect.Parameter] = []
    for parameter in PARAMETERS.values():
        options.append(_option(parameter))
        if parameter.name == "seed":
            options += [named.pop("models"), named.pop("scorer")]
    return [*options, *named.values()]


def _option(parameter: Parameter) -> inspect.Parameter:
    """A parameter of a run as one of a command; None where the policy may have its own value."""
    default = None if parameter.of_policy else parameter.default
    told = f"{parameter.help}." + (f" Default: {parameters.default(parameter)}." if default is None else "")
    flag = (f"--{parameter.name.replace('_', '-')}",) if parameter.type is bool else ()  # none that denies it
    kind: Any = parameter.type if default is not None else parameter.type | None
    return _spelled(parameter.name, Annotated[kind, typer.Option(*flag, help=told)], default)


def _spelled(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def strategies_named(text: str) -> list[str]:
    """The strategies in `S1,S2,...`. Raises `InvalidInput` for one that is unknown, named twice, or alone."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in STRATEGIES:
            raise InvalidInput("strategies", f"unknown strategy {name!r}; choose from {', '.join(STRATEGIES)}")
        if names.count(name) > 1:
            raise InvalidInput("strategies", f"{name} is named twice; name each strategy once")
    if len(names) < 2:
        raise InvalidInput("strategies", "a comparison needs two or more, separated by commas; name another")
    return names
