"""Units as people write them after a number: what they measure, and how many of the base unit they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

_F = Fraction
#: Names -> (what is measured, in base units). Singular; a plural s is taken off before a name is looked up.
_UNITS: Mapping[str, tuple[str, Fraction]] = {
    name: (dimension, size)
    for dimension, sizes in {
        "length": {"mm millimeter millimetre": _F(1, 1000), "cm centimeter centimetre": _F(1, 100), "dm": _F(1, 10),
                   "m meter metre": _F(1), "km kilometer kilometre": _F(1000), "inch inche in": _F(254, 10_000),
                   "ft foot feet": _F(3048, 10_000), "yard yd": _F(9144, 10_000), "mile mi": _F(1_609_344, 1000)},
        "mass": {"mg milligram": _F(1, 1_000_000), "g gram": _F(1, 1000), "kg kilogram": _F(1), "ton tonne": _F(1000),
                 "lb pound": _F(45_359_237, 100_000_000), "oz ounce": _F(45_359_237, 1_600_000_000)},
        "time": {"s sec second": _F(1), "min minute": _F(60), "h hr hour": _F(3600), "day": _F(86_400),
                 "week": _F(604_800), "year yr": _F(31_557_600)},
        "volume": {"ml milliliter millilitre": _F(1, 1000), "l liter litre": _F(1), "gallon": _F(3_785_411_784, 10**9)},
        "money": {"cent \u00a2": _F(1, 100), "dollar usd \\$": _F(1)},
        "euros": {"euro \u20ac eur": _F(1)},
        "pounds": {"\u00a3 gbp": _F(1)},
        "angle": {"degree \u00b0 deg": _F(1)},
        "length/time": {"kmh kph": _F(1000, 3600), "mph": _F(1_609_344, 3_600_000)},
    }.items()
    for names, size in sizes.items()
    for name in names.split()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """`dimension` names what is measured (with its power, as in length^2), `size` is in that dimension's base unit.

    A word that is no unit known here (apples) measures itself.
    """

    dimension: str
    size: Fraction


def unit_named(text: str) -> Unit | None:
    """The unit that `text` spells, with a power or "square" and "cubic" in front; None for an empty text."""
    name = re.sub(r"[\s{}]+", " ", text).strip().strip(".")
    power = 1
    if match := re.fullmatch(r"(.*?)\s*\^\s*(\d)", name):
        name, power = match[1].strip(), int(match[2])
    for prefix, exponent in (("square ", 2), ("sq ", 2), ("sq. ", 2), ("cubic ", 3)):
        if name.lower().startswith(prefix):
            name, power = name[len(prefix) :], exponent
    name = re.sub(r"\s*(?:/|\bper\b)\s*", "/", name)
    if not name:
        return None
    found = _looked_up(name) or _quotient(name)
    if found is None:
        return Unit(f"{name.lower().removesuffix('s')}^{power}", Fraction(1))
    dimension, size = found
    return Unit(f"{dimension}^{power}" if power > 1 else dimension, size**power)


def _looked_up(name: str) -> tuple[str, Fraction] | None:
    spellings = (name, name.removesuffix("s"), name.lower(), name.lower().removesuffix("s"))
    return next((_UNITS[spelled] for spelled in spellings if spelled in _UNITS), None)


def _quotient(name: str) -> tuple[str, Fraction] | None:
    """Kilometres per hour: one unit over another."""
    over, slash, under = name.partition("/")
    above, below = _looked_up(over), _looked_up(under)
    return (f"{above[0]}/{below[0]}", above[1] / below[1]) if slash and above and below else None


def is_known(text: str) -> bool:
    """Whether `text` spells a unit that measures something."""
    unit = unit_named(text)
    return unit is not None and set(re.split(r"[/^]", unit.dimension)[:1]) <= {
        dimension for dimension, _ in _UNITS.values()
    }
