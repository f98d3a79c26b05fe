"""How a setting of a run is declared: once, in the annotation of its field of `RunParams`.

Checks, what is recorded, the options of the command line, the fields of the forms, names in words and the table in
docs/reference.md follow from it. Which strategies take a parameter is said by the strategies (`STRATEGIES`); one that
none of them names belongs to every run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from types import NoneType
from typing import Any, get_args, get_type_hints

from engine.errors import InvalidInput

_TYPES: dict[type, tuple[type[Any], str]] = {
    int: (Integral, "a whole number"), float: (Real, "a number"), bool: (bool, "True or False"), str: (str, "a text"),
}  # fmt: skip
#: No setting needs as much, and Python refuses to write the largest whole numbers.
_HUGE = 10**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One setting of a run. `name`, `type`, `default` and `optional` are read off the field that it annotates.

    Attributes:
        label: above its field in a form.
        help: a sentence without its full stop, for the command line and docs/reference.md.
        hint: a few words at its field in a form.
        short: what a line of settings calls it, a symbol where it has one; else the label.
        fact: the same, where its value would not read well after `short`.
        unit: what it counts.
        least, most: the range, without `least` itself if `above`; the name of another parameter means its value.
        choices, kind: all possible values, and what one of them is called.
        refusal: what is wrong with a {value} outside the range, where the usual words do not fit.
        unset: what None means. A number that may be None is a limit; a form writes "none" as 0.
        advanced: folded away in a form.
        of_policy: a policy may come with a value of its own for it.
        common: the same in all runs of a comparison.
        noted: recorded even where it has its default.
    """

    label: str
    help: str
    hint: str = ""
    short: str = ""
    fact: str = ""
    unit: str = ""
    least: float | None = None
    most: float | str | None = None
    above: bool = False
    choices: Sequence[str] = ()
    kind: str = ""
    refusal: str = ""
    unset: str = ""
    advanced: bool = True
    of_policy: bool = False
    common: bool = False
    noted: bool = True

    name: str = ""
    type: type = str
    default: Any = None
    optional: bool = False

    @property
    def limit(self) -> bool:
        """Whether it is a number that may be None: no limit."""
        return self.optional and self.type is not str

    @property
    def in_line(self) -> str:
        """What a line of settings calls it."""
        return self.short or self.label.lower()

    def check(self, values: Mapping[str, Any]) -> None:
        """Refuse its value in `values` if it is not one of the choices, of another type or out of range. Raises
        `InvalidInput`."""
        value = values[self.name]
        if value is None and self.optional:
            return
        if self.choices and value not in self.choices:
            known = " or ".join(self.choices) if len(self.choices) < 3 else f"one of {', '.join(self.choices)}"
            raise InvalidInput(self.name, f"unknown {self.kind} {value!r}; choose {known}")
        wanted, called = _TYPES.get(self.type, (object, ""))
        if not isinstance(value, wanted) or (isinstance(value, bool) and self.type is not bool):
            raise InvalidInput(self.name, f"{value!r:.40} is not {called}")
        if isinstance(value, int) and abs(value) >= _HUGE:
            raise InvalidInput(self.name, "this number has more than 20 digits; give one with fewer")
        most = values[self.most] if isinstance(self.most, str) else self.most
        if self.least is not None and not (value > self.least if self.above else value >= self.least):
            raise InvalidInput(self.name, self._refusal(value, f"too few; give {self.least:g} or more", most))
        if most is not None and not value <= most:
            named = f" ({self.most})" if isinstance(self.most, str) else ""
            raise InvalidInput(self.name, self._refusal(value, f"too many; give at most {most}{named}", most))

    def _refusal(self, value: Any, count: str, most: float | None) -> str:
        if self.refusal:
            return self.refusal.format(value=value)
        if self.unit:
            return f"{value} {self.unit} are {count}"
        named = f"{self.short} = {value}" if len(self.short) == 1 else f"{value}"
        return (
            f"{named} is outside {self.least:g} to {most:g}" if most is not None else f"{named} is below {self.least:g}"
        )


def declared(owner: type) -> dict[str, Parameter]:
    """The parameters of a dataclass by name: its fields that are annotated with one."""
    hints = get_type_hints(owner, include_extras=True)
    found = {}
    for field in fields(owner):
        for parameter in getattr(hints[field.name], "__metadata__", ()):
            kinds = get_args(hints[field.name].__origin__) or (hints[field.name].__origin__,)
            found[field.name] = replace(
                parameter, name=field.name, type=kinds[0], default=field.default, optional=NoneType in kinds
            )
    return found
