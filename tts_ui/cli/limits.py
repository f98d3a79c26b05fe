"""The options of `tts-ui serve` that say how much it takes on: the limits of a host as `Limits` declares them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from engine.runs.limits import LIMITS, PUBLIC, Limits
from engine.search.parameter import Parameter
from tts_ui.loopback import is_loopback
from tts_ui.words import parameters


def takes_limits(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as Typer should see it: its parameter `limits` spelled out. What is not given depends on who can
    reach the server."""
    hints = get_type_hints(command, include_extras=True)
    spelled: list[inspect.Parameter] = []
    for name, given in inspect.signature(command).parameters.items():
        spelled += map(_option, LIMITS.values()) if name == "limits" else [given.replace(annotation=hints[name])]

    def spelled_out(**given: Any) -> None:
        asked = {name: value for name in LIMITS if (value := given.pop(name)) is not None}
        public = given["public"] or given["examples_only"] or not is_loopback(given["host"])
        command(limits=Limits(**(PUBLIC if public else {}) | asked), **given)

    spelled_out.__name__, spelled_out.__doc__ = command.__name__, command.__doc__
    spelled_out.__signature__ = inspect.Signature(spelled)  # type: ignore[attr-defined]
    spelled_out.__annotations__ = {parameter.name: parameter.annotation for parameter in spelled}
    return spelled_out


def _option(limit: Parameter) -> inspect.Parameter:
    told = f"{limit.help}. Default: {_default(limit)}."
    kind: Any = limit.type | None
    annotation = Annotated[kind, typer.Option(help=told)]
    return inspect.Parameter(limit.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _default(limit: Parameter) -> str:
    own = parameters.default(limit)
    return f"{own}; {PUBLIC[limit.name]} with --public" if limit.name in PUBLIC else own


def table_rows() -> list[str]:
    """The rows of the table in docs/reference.md."""
    return [
        f"| `--{limit.name.replace('_', '-')}` | {limit.help[:1].lower()}{limit.help[1:]} "
        f"| {parameters.default(limit)} | {f'{PUBLIC[limit.name]}' if limit.name in PUBLIC else 'the same'} |"
        for limit in LIMITS.values()
    ]


if __name__ == "__main__":
    print("\n".join(table_rows()))
