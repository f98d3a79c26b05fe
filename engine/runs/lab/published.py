"""What others published: F1 on ProcessBench, in percent. Nothing here was measured by us.

Averages over the four subsets are those of GenPRM's table 6 (arXiv 2504.00891); the subsets of Qwen2.5-Math-PRM-7B are
those of its own report (arXiv 2501.07301).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SUBSETS = ("gsm8k", "math", "olympiadbench", "omnimath")
_GENPRM = "GenPRM, arXiv 2504.00891, table 6"


@dataclass(frozen=True, slots=True)
class Published:
    """One model's figures: by subset where they are known, and the average over the four subsets."""

    model: str
    average: float
    subsets: Mapping[str, float]
    source: str = _GENPRM


PUBLISHED: tuple[Published, ...] = (
    Published(
        "Qwen2.5-Math-PRM-7B", 73.5, dict(zip(SUBSETS, (82.4, 77.6, 67.5, 66.3), strict=True)), "arXiv 2501.07301"
    ),
    *(
        Published(model, average, {})
        for model, average in (
            ("Qwen2.5-Math-PRM-72B", 78.3), ("GenPRM-7B", 75.2), ("GenPRM-1.5B", 57.3),
            ("Qwen2.5-Math-7B-PRM800K", 56.5), ("Skywork-PRM-7B", 42.1), ("Skywork-PRM-1.5B", 36.4),
            ("Math-Shepherd-PRM-7B", 31.5), ("RLHFlow-PRM-Mistral-8B", 28.4), ("RLHFlow-PRM-Deepseek-8B", 26.6),
            ("GPT-4o (as a critic)", 61.9), ("QwQ-32B-Preview (as a critic)", 71.5), ("o1-mini (as a critic)", 87.9),
        )
    ),
)  # fmt: skip


def subset_of(names: Iterable[str]) -> str | None:
    """The subset of ProcessBench that these texts (a file's name, its records' ids) speak of."""
    said = " ".join(names).lower()
    if "processbench" not in said:
        return None
    return next((subset for subset in SUBSETS if subset in said), None)
