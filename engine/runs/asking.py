"""What a program asks of a search, by the names of its parameters; every mistake is refused before a model is loaded.

The command line and the pages have fields of known types. A program has a dictionary, from Python or from JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

from engine.errors import InvalidInput
from engine.search.parameter import Parameter
from engine.search.params import PARAMETERS, RunParams

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def asked(strategy: str, given: Mapping[str, Any], sampling: Mapping[str, Any]) -> RunParams:
    """The run that is asked for: what is `given` by name (None asks for nothing), else the policy's own `sampling`,
    else the defaults. Raises `InvalidInput` for a name that is no parameter's, and for a value that is none of it."""
    if not isinstance(strategy, str):
        raise InvalidInput("strategy", f"{strategy!r} is not a text; give a strategy's name")
    named = {name: typed(_parameter(name), value) for name, value in given.items() if value is not None}
    return RunParams(strategy, **{**sampling, **named})


def _parameter(name: str) -> Parameter:
    if name not in PARAMETERS:
        near = get_close_matches(name, PARAMETERS, n=1)
        advice = f"did you mean {near[0]}?" if near else f"choose among {', '.join(PARAMETERS)}"
        raise InvalidInput(name[:40], f"a search has no such parameter; {advice}")
    return PARAMETERS[name]


def typed(parameter: Parameter, value: Any) -> Any:
    """The value as the parameter's type: a whole number may come as 16.0, and a number as 1. Raises `InvalidInput`."""
    kind = parameter.type
    if kind in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        if kind is float:
            with suppress(OverflowError):  # a whole number may be larger than any float
                return float(value)
        elif isinstance(value, int) or value.is_integer():
            return int(value)
    elif type(value) is kind:
        return value
    raise InvalidInput(parameter.name, f"{str(value)[:40]!r} is not {_WORDS[kind]}; {parameter.help[:1].lower()}"
                       f"{parameter.help[1:]}")  # fmt: skip
