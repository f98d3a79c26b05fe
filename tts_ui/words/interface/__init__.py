"""What the pages say, looked up by name: their texts stand in the TOML files of this folder, one a page or two.

A section's name is its own in all of them; sections whose names begin with `js_` are what scripts say. A text is a
string with `{placeholders}` (a brace that is none is written twice), or, where the number `n` decides how it is put,
the list of its forms: English has two, for one and for other numbers. A translation is such a file, or a folder of
them, whole or in part (see `translation.py`); it is chosen once, before the pages are built.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

#: A text, or its forms by number.
Text: TypeAlias = str | list[str]
Texts: TypeAlias = Mapping[str, Mapping[str, Text]]

#: What the product is called, in every language.
NAME = "Reasoning Tree Explorer"

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Language:
    """What a translation says in place of the texts here. `tag` is that of BCP 47; `plural` is the expression over a
    number n, as gettext writes it, that says which form of a text is meant, counted from 0, and `form` what computes
    it."""

    tag: str = "en"
    plural: str = "n != 1"
    form: Callable[[int], int] = field(default=lambda n: int(n != 1))
    texts: Texts = field(default_factory=dict)


_ENGLISH = Language()
_chosen = _ENGLISH


def choose(language: Language) -> None:
    """Let the pages speak this language from now on."""
    global _chosen
    _chosen = language
    texts.cache_clear()


def language() -> Language:
    """What the pages speak."""
    return _chosen


@cache
def english() -> Texts:
    """The texts of this folder, by part of the interface and name."""
    return read(FOLDER)


@cache
def texts() -> Texts:
    """All texts as they are shown, by part of the interface and name."""
    return {part: {**named, **_chosen.texts.get(part, {})} for part, named in english().items()}


def say(name: str, /, **values: object) -> str:
    """The text called `name`, such as "asking.run", with `values` at its placeholders; of a text in several forms that
    of the number `n` among them. Raises `KeyError` for a text, or a value, that is not there."""
    return form(name, values.get("n")).format(**values)


def form(name: str, n: object = None) -> str:
    """The text called `name` as it stands in its file; of one in several forms that of the number `n`."""
    part, _, text = name.partition(".")
    said = texts()[part][text]
    if isinstance(said, str):
        return said
    assert isinstance(n, int), f"{name} depends on a number n"
    speaks = _chosen if text in _chosen.texts.get(part, {}) else _ENGLISH
    return said[speaks.form(n)]


def read(path: Path) -> dict[str, dict[str, Text]]:
    """The texts of a file, or of all files of a folder. Raises `OSError`, and `ValueError` for what is none."""
    found: dict[str, dict[str, Text]] = {}
    for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
        for part, named in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if not isinstance(named, dict):
                raise ValueError(f"{part} stands outside all sections")
            found.setdefault(part, {}).update(named)
    return found
