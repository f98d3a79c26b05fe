"""A judge that writes, of a built-in policy: it says nothing of use, but it is real, quick, and always at hand."""

from __future__ import annotations

from pathlib import Path

NAME = "writer"
#: A pair of the smallest built-in policy and this judge; the largest built-in policy writes.
MODELS = f"""
[[pair]]
name = "written"
scorer = "{NAME}"
[pair.policy]
kind = "local"
path = "builtin-xs"
world = "builtin"

[[scorer]]
name = "{NAME}"
kind = "generative"
path = "builtin-l"
[scorer.critique]
prompt = "{{problem}} {{steps}}"
between = " "
question = " = "
good = "1"
bad = "2"
max_tokens = 12
"""


def models_file(folder: Path) -> Path:
    file = folder / "written.toml"
    file.write_text(MODELS, encoding="utf-8")
    return file
