"""Agreement of two raters, and Cohen's kappa: how far they agree beyond what chance would give.

With p_ij the share of items that the first rater put into category i and the second into j, r_i and c_j its margins,
and agreement weights w_ij (1 on the diagonal):

    p_o = sum w_ij p_ij,  p_e = sum w_ij r_i c_j,  kappa = (p_o - p_e) / (1 - p_e)

Unweighted, w is 1 on the diagonal and 0 elsewhere (Cohen 1960); linear weights, w_ij = 1 - |i - j| / (categories - 1),
count half a disagreement where one says 0 and the other +1 (Cohen 1968). The 95 % interval is that of a large sample
(Fleiss, Cohen and Everitt 1969):

    n (1 - p_e)^2 var = sum p_ij [w_ij - (w_i. + w_.j)(1 - kappa)]^2 - [kappa - p_e (1 - kappa)]^2

with w_i. = sum_j c_j w_ij and w_.j = sum_i r_i w_ij. Ends are cut at -1 and 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Kappa:
    """`agreement` is the share of items on which both say the same. `kappa` and its interval are None where chance
    alone would agree on everything (or there is no item): kappa is not defined then."""

    n: int
    agreement: float | None
    kappa: float | None
    low: float | None
    high: float | None


def cohen(pairs: Iterable[tuple[Hashable, Hashable]], categories: Sequence[Hashable], *, linear: bool = False) -> Kappa:
    """Kappa of what two raters said of the same items; `categories` in their order, which only `linear` weights need.
    Raises `ValueError` for a rating that is none of them."""
    counts = Counter(pairs)
    n, size = sum(counts.values()), len(categories)
    place = {category: at for at, category in enumerate(categories)}
    if unknown := {each for pair in counts for each in pair} - place.keys():
        raise ValueError(f"{unknown} is none of the categories")
    if n == 0:
        return Kappa(0, None, None, None, None)
    p = [[0.0] * size for _ in categories]
    for (first, second), count in counts.items():
        p[place[first]][place[second]] = count / n
    rows = [sum(row) for row in p]
    columns = [sum(row[j] for row in p) for j in range(size)]
    every = range(size)
    w = [[1 - abs(i - j) / (size - 1) if linear and size > 1 else float(i == j) for j in every] for i in every]
    same = sum(p[i][i] for i in every)
    observed = sum(w[i][j] * p[i][j] for i in every for j in every)
    chance = sum(w[i][j] * rows[i] * columns[j] for i in every for j in every)
    if chance >= 1 - 1e-12:
        return Kappa(n, same, None, None, None)
    kappa = (observed - chance) / (1 - chance)
    by_row = [sum(columns[j] * w[i][j] for j in every) for i in every]
    by_column = [sum(rows[i] * w[i][j] for i in every) for j in every]
    spread = sum(p[i][j] * (w[i][j] - (by_row[i] + by_column[j]) * (1 - kappa)) ** 2 for i in every for j in every)
    variance = (spread - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    reach = _Z * sqrt(max(0.0, variance))
    return Kappa(n, same, kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach))
