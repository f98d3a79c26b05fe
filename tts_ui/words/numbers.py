"""Numbers as the product writes them: `1,240`, `0.9 GFLOP`, `0.4 s`, `0.41`; `n/a` for what was not recorded."""

from __future__ import annotations

from decimal import Decimal

NOT_AVAILABLE = "n/a"

#: Scores nearer than this to 0 or 1 are told as these.
_TELLING = 1e-6
_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(value: int | None) -> str:
    return NOT_AVAILABLE if value is None else f"{value:,}"


def flops(value: float | None) -> str:
    """Floating-point operations with the SI prefix that fits."""
    if value is None:
        return NOT_AVAILABLE
    for size, prefix in _PREFIXES:
        if value >= size:
            return f"{_short(value / size)} {prefix}FLOP"
    return f"{value:.0f} FLOP"


def fraction(value: float) -> str:
    """A count that may be far below one: two digits of it."""
    return count(round(value)) if value >= 100 else f"{Decimal(f'{value:.2g}'):f}"


def seconds(value: float | None) -> str:
    if value is None:
        return NOT_AVAILABLE
    if value < 60:
        return f"{_short(value)} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def score(value: float | None) -> str:
    """A probability or score with two digits, or as many as tell it from 0 and 1: 0.41, 0.0003, 0.9996."""
    if value is None:
        return NOT_AVAILABLE
    usual = f"{value:.2f}"
    if usual == "0.00" and value >= _TELLING:
        return f"{Decimal(f'{value:.1g}'):f}"
    if usual == "1.00" and 1 - value >= _TELLING:
        return f"{1 - Decimal(f'{1 - value:.1g}'):f}"
    return usual


def nats(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else f"{value:.2f}"


def weight(value: float) -> str:
    """A vote's weight: whole votes without a fraction."""
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 0.095 else f"{value:.2f}"
