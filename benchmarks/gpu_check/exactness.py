"""When is a result exact? As close to the right one as a plain forward of the whole text is.

The right one is that of the same checkpoint in float64, one text at a time, without a cache. A plain forward in the
dtype under test differs from it by rounding; ours may differ by a small multiple of that, and no more.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from benchmarks.gpu_check.results import Result

SHORT, LONG = "Compute 1 + 2.", "Compute 5 + 18 * 13 + 8 + 8 + 8. " * 4
#: How much larger than plain rounding our mean difference may be, and what is no difference at all.
MULTIPLE = 3.0
NOTHING = {"float32": 1e-4, "bfloat16": 5e-3}


def plain_model(kind: Any, folder: Path, dtype: str, device: str) -> Any:
    opened = kind.from_pretrained(
        folder, dtype=getattr(torch, dtype), local_files_only=True, attn_implementation="eager"
    )
    return opened.to(device).eval()


def compared(name: str, what: str, dtype: str, right: list[float], ours: list[float], plain: list[float]) -> Result:
    """Mean differences from `right`; `apart` is how far the right values of different texts are from each other."""
    off, rounding, apart = _distance(ours, right), _distance(plain, right), _distance(right[1:], right[:-1])
    allowed = max(NOTHING[dtype], MULTIPLE * rounding)
    said = f"{what} off by {off:.1e}, a plain forward's by {rounding:.1e}; {len(right)} texts, {apart:.1e} apart"
    numbers = {"ours": off, "plain": rounding, "allowed": allowed, "apart": apart}
    return Result("exact", name, said, numbers, off <= allowed)  # no comparison with NaN is true


def _distance(some: list[float], others: list[float]) -> float:
    return fmean(abs(one - other) for one, other in zip(some, others, strict=True))
