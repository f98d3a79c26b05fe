"""How policies are asked for the answer to a maths problem: the wordings of `prompts.toml`, which are the study's."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from engine.search.domain import Wording


@cache
def prompts() -> dict[str, Wording]:
    """The wordings by name."""
    tables = tomllib.loads(Path(__file__).with_name("prompts.toml").read_text(encoding="utf-8"))
    return {name: Wording(**table) for name, table in tables.items()}
