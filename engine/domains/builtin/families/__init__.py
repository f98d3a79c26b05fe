"""The registry of problem families: one line per family."""

from __future__ import annotations

from engine.domains.builtin.families.algebra import LIN, POLY, QUAD, SYSTEM
from engine.domains.builtin.families.arithmetic import EXPR, FRAC, MUL
from engine.domains.builtin.families.base import Family
from engine.domains.builtin.families.integers import GCD, MODPOW, SERIES
from engine.domains.builtin.families.rates import DIST, PERCENT
from engine.domains.builtin.families.stories import AGE, SHARE, SHOP

ALL: tuple[Family, ...] = (
    EXPR, MUL, FRAC, SHOP, SHARE, AGE, DIST, PERCENT, LIN, SYSTEM, QUAD, POLY, SERIES, GCD, MODPOW,
)  # fmt: skip
BY_NAME: dict[str, Family] = {family.name: family for family in ALL}
