"""What smaller numbers of draws would have given, over all subsets of the draws there are (Chen et al. 2021)."""

from __future__ import annotations

from math import comb


def left_out(marked: int, drawn: int, k: int) -> float:
    """The chance that k of `drawn` draws, chosen at random, include none of the `marked` ones."""
    if not 0 <= marked <= drawn or not 1 <= k <= drawn:
        raise ValueError(f"{k} of {drawn} draws cannot be chosen, {marked} of them marked")
    return comb(drawn - marked, k) / comb(drawn, k)


def pass_at_k(right: int, drawn: int, k: int) -> float:
    """The chance that k of these draws include a right one: the unbiased pass@k (arXiv 2107.03374, equation 1).

    The usual shortcut 1 - (1 - right / drawn)^k is biased: it draws with replacement.
    """
    return 1 - left_out(right, drawn, k)
