"""What the study itself reports (arXiv 2502.06703, Tables 3, 5 and 6): accuracies in percent, to be shown beside one's
own sweeps and never among them. Nothing here was measured by this program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MATH, AIME = "MATH-500", "AIME 2024"
#: The problem sets, as sweeps and addresses may call them.
SETS: Mapping[str, str] = {"math-500": MATH, "aime-2024": AIME}


@dataclass(frozen=True, slots=True)
class Published:
    """One number of a table: whose, on which problems, by which method."""

    table: int
    problems: str
    model: str
    method: str
    accuracy: float


_COT, _VOTE, _TTS = METHODS = ("chain of thought", "majority vote", "compute-optimal")

#: Table 3: (model, method, MATH-500, AIME 2024).
_TABLE_3 = (
    ("GPT-4o", _COT, 74.6, 9.3), ("o1-preview", _COT, 85.5, 44.6), ("o1-mini", _COT, 90.0, 63.6),
    ("o1", _COT, 94.8, 79.2), ("Llama-3.1-70B", _COT, 65.2, 16.7), ("Llama-3.1-405B", _COT, 71.4, 23.3),
    ("QwQ-32B-Preview", _COT, 90.6, 50.0), ("DeepSeek-R1", _COT, 97.3, 79.8), ("Llama-3.2-1B", _TTS, 66.2, 16.7),
    ("Llama-3.2-1B, N = 512", _TTS, 72.2, 10.0), ("Llama-3.2-3B", _TTS, 75.6, 30.0), ("Qwen2.5-0.5B", _TTS, 76.4, 10.0),
    ("Qwen2.5-1.5B", _TTS, 81.8, 20.0), ("R1-Distill-1.5B", _TTS, 91.6, 63.3), ("R1-Distill-7B", _TTS, 95.2, 83.3),
)  # fmt: skip

#: Table 5, MATH-500: (model, chain of thought, majority vote, compute-optimal).
_TABLE_5 = (
    ("Llama-3.2-1B", 26.0, 39.0, 66.2), ("Llama-3.2-3B", 41.4, 58.4, 78.2), ("Llama-3.1-8B", 49.8, 66.4, 80.6),
    ("Qwen2.5-0.5B", 31.6, 47.2, 76.4), ("Qwen2.5-1.5B", 54.4, 68.4, 85.6), ("Qwen2.5-3B", 64.0, 77.0, 87.6),
    ("Qwen2.5-7B", 76.8, 83.6, 91.0), ("Qwen2.5-14B", 80.2, 85.6, 91.0), ("Qwen2.5-32B", 82.4, 87.0, 90.6),
    ("Qwen2.5-72B", 83.8, 87.2, 91.8),
)  # fmt: skip

#: Table 6: (model, method, MATH-500, AIME 2024).
_TABLE_6 = (
    ("Qwen2.5-7B", _COT, 76.8, 13.3), ("Qwen2.5-Math-7B", _COT, 79.8, 13.3), ("rStar-Math-7B", _COT, 78.4, 26.7),
    ("Eurus-2-7B-PRIME", _COT, 79.2, 26.7), ("Qwen2.5-7B-SimpleRL-Zero", _COT, 77.2, 33.3),
    ("Qwen2.5-7B-SimpleRL", _COT, 82.4, 26.7), ("Satori-Qwen-7B", _COT, 83.6, 23.3),
    ("R1-Distill-Qwen-7B", _COT, 92.4, 63.3), ("Qwen2.5-7B, 7B PRM", _TTS, 88.0, 33.3),
    ("Qwen2.5-7B, 72B PRM", _TTS, 91.0, 36.7),
)  # fmt: skip


def _all() -> Iterator[Published]:
    for table, rows in ((3, _TABLE_3), (6, _TABLE_6)):
        for model, method, maths, aime in rows:
            yield Published(table, MATH, model, method, maths)
            yield Published(table, AIME, model, method, aime)
    for model, *accuracies in _TABLE_5:
        for method, accuracy in zip(METHODS, accuracies, strict=True):
            yield Published(5, MATH, model, method, accuracy)


PUBLISHED: tuple[Published, ...] = tuple(_all())


def of_table(table: int, problems: str) -> list[Published]:
    """The numbers of one table on one problem set, in its order."""
    return [each for each in PUBLISHED if (each.table, each.problems) == (table, problems)]
