"""What a sweep is asked, as a TOML file (or options, or Python) declares it, with every check that needs no model.

problems = "builtin-1000"
limit = 100
models = ["builtin-xs", "builtin-s"]
strategies = ["greedy", "best_of_n", "dvts"]
n = [4, 16, 64]
scorers = ["builtin-prm"]
seeds = [0, 1]

[parameters]
temperature = 0.8

[parameters.dvts]
width = [2, 4]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.errors import InvalidInput
from engine.search.params import PARAMETERS
from engine.search.strategies import STRATEGIES

#: What is not a parameter of a configuration but an axis of its own.
_AXES = ("n", "seed", "strategy")

Value = str | int | float | bool


def _listed(value: Any) -> Any:
    """One value is a list of one."""
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def _seeds(value: Any) -> Any:
    """A list of seeds; a number is how many, from 0."""
    return list(range(value)) if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1000 else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Declared(BaseModel):
    """`models` are pairs of the catalogue and `scorers` its PRMs (None: the pairs' own); `parameters` those of a run by
    name, of one strategy under its name; a list gives a configuration for each of its values. `seeds` may be a number:
    so many, from 0. `columns` names the columns of a file of problems by what they hold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, min_length=1, max_length=100)
    problems: str = Field(min_length=1)
    limit: int | None = Field(None, ge=1)
    columns: dict[str, str] = Field(default_factory=dict)
    models: Names | None = None
    models_file: str | None = None
    strategies: Names = ("greedy", "best_of_n", "beam_search", "dvts")
    n: Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], BeforeValidator(_listed), Field(min_length=1)] = (
        4,
        16,
        64,
    )
    scorers: Names | None = None
    seeds: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**63)], ...], BeforeValidator(_seeds), Field(min_length=1)
    ] = (0,)
    parameters: dict[str, Value | list[Value] | dict[str, Value | list[Value]]] = Field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str = "") -> Self:
        """From plain values. Raises `InvalidInput` in one line that names the key (and the file, `where`)."""
        try:
            declared = cls.model_validate(dict(given))
        except ValidationError as error:
            raise _refused(error, where) from None
        declared._check(f"{where}: " if where else "")
        return declared

    @classmethod
    def read(cls, file: Path) -> Self:
        """From a TOML file. Raises `InvalidInput`."""
        return cls.of(toml(file), str(file))

    def settings(self, strategy: str) -> list[dict[str, Value]]:
        """The parameters of each configuration of `strategy`: all combinations of what was listed."""
        own = self.parameters.get(strategy, {})
        common = {name: value for name, value in self.parameters.items() if not isinstance(value, dict)}
        taken = {name: value for name, value in common.items() if STRATEGIES[strategy].takes(name)}
        assert isinstance(own, dict)
        lists = {name: value if isinstance(value, list) else [value] for name, value in (taken | own).items()}
        return [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]

    def _check(self, where: str) -> None:
        for name in self.strategies:
            if name not in STRATEGIES:
                raise InvalidInput("strategies", _unknown(where, "strategy", name, list(STRATEGIES)))
        for axis in ("models", "strategies", "scorers", "n", "seeds"):
            values = getattr(self, axis) or ()
            for value in values:
                if values.count(value) > 1:
                    raise InvalidInput(axis, f"{where}{value} is named twice; name it once")
        for name, value in self.parameters.items():
            if not isinstance(value, dict):
                _check_parameter(where, name, None)
                continue
            if name not in self.strategies:
                raise InvalidInput(
                    "parameters", f"{where}parameters.{name} is about no strategy of this sweep; add it to strategies"
                )
            for own in value:
                _check_parameter(where, own, name)


def toml(file: Path) -> dict[str, Any]:
    """The values of a TOML file. Raises `InvalidInput`."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput("FILE", f"{file} cannot be read ({error.strerror or error}); name a TOML file") from None
    except UnicodeDecodeError:
        raise InvalidInput("FILE", f"{file} is not UTF-8 text; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # or a number too long, or lists in lists in lists
        raise InvalidInput("FILE", f"{file} is not TOML: {error}; mend that line") from None


def _check_parameter(where: str, name: str, strategy: str | None) -> None:
    known = [each for each in PARAMETERS if each not in _AXES]
    if name in _AXES:
        axis = {"n": "n", "seed": "seeds", "strategy": "strategies"}[name]
        raise InvalidInput("parameters", f"{where}parameters.{name}: give it as {axis} at the top of the file")
    if name not in known:
        raise InvalidInput("parameters", _unknown(where, "parameter", name, known))
    if strategy and not STRATEGIES[strategy].takes(name):
        raise InvalidInput("parameters", f"{where}parameters.{strategy}.{name}: {strategy} takes none; remove it")


def _unknown(where: str, what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
    return f"{where}unknown {what} {name!r}; {hint}"


def _refused(error: ValidationError, where: str) -> InvalidInput:
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0]) if first["loc"] else "FILE"
    begins = f"{where}: " if where else ""
    if first["type"] == "extra_forbidden":
        near = get_close_matches(key, list(Declared.model_fields), n=1)
        fix = f"did you mean {near[0]}?" if near else f"remove it; there are {', '.join(Declared.model_fields)}"
        return InvalidInput("FILE" if where else key, f"{begins}unknown key {key!r}; {fix}")
    if first["type"] == "missing":
        return InvalidInput(key, f"{begins}{key} is missing; name a set of problems or a file")
    at = ".".join(str(part) for part in first["loc"])
    said = first["msg"][0].lower() + first["msg"][1:]
    return InvalidInput(key, f"{begins}{at}: {said} (it is {str(first['input'])[:60]!r}); correct it")
