"""The sets of the Hugging Face Hub that are known by name: which file of which repository, at which commit.

The commits were read, with the files' names and columns, in public code that pins them, in several places that are
independent of each other; a commit of the Hub is the hash of its content, so one that is wrong finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HubSet:
    """A file of a dataset repository. `columns` are those of it; `taken` says which of its rows belong to the set."""

    repository: str
    revision: str
    file: str
    columns: Mapping[str, str]
    about: str
    taken: Callable[[Mapping[str, Any]], bool] = field(default=lambda _: True)


HUB_SETS: Mapping[str, HubSet] = {
    "math-500": HubSet(
        "HuggingFaceH4/MATH-500", "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be", "test.jsonl",
        {"problem": "problem", "answer": "answer", "id": "unique_id", "level": "level", "subject": "subject"},
        "500 competition problems of MATH, levels 1 to 5",
    ),
    "aime-2024": HubSet(
        "HuggingFaceH4/aime_2024", "2fe88a2f1091d5048c0f36abc874fb997b3dd99a", "data/train-00000-of-00001.parquet",
        {"problem": "problem", "answer": "answer", "id": "id"},
        "the 30 problems of AIME I and II, 2024",
    ),
    "amc-2023": HubSet(
        "AI-MO/aimo-validation-amc", "69d78a4a2c840e82d69af6bc742bda09005f6316", "data/train-00000-of-00001.parquet",
        {"problem": "problem", "answer": "answer", "id": "id"},
        "40 problems of AMC 12A and 12B, 2023",
        # The file holds those of 2022, too; its `url` is that of the problem's page.
        lambda row: "2023_AMC" in str(row.get("url")),
    ),
    "gsm8k": HubSet(
        "openai/gsm8k", "740312add88f781978c0658806c59bc2815b9866", "main/test-00000-of-00001.parquet",
        {"problem": "question", "answer": "answer"},
        "1,319 word problems for school children",
    ),
}  # fmt: skip
