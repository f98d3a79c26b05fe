"""What `--models` may say: a pair's NAME, a models FILE (its first pair), or FILE:NAME."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import InvalidInput
from engine.models import CATALOGUE, Catalogue, PairEntry


def catalogue_of(wanted: str | None) -> tuple[Catalogue, PairEntry]:
    """The catalogue and the pair of it that are meant. Raises `InvalidInput`; loads nothing."""
    if wanted is None:
        catalogue, name = Catalogue(CATALOGUE), None
    elif not wanted.strip():
        raise InvalidInput("models", "it is empty; `tts-ui models` lists the names")
    elif _is_file(wanted):
        catalogue, name = Catalogue(Path(wanted)), None
    else:
        file, _, name = wanted.rpartition(":")
        catalogue = Catalogue(Path(file) if _is_file(file) else CATALOGUE)
        name = name if _is_file(file) else wanted
    return catalogue, catalogue.entry(name)


def _is_file(text: str) -> bool:
    """Whether `text` means a models file; one that is missing should be told so, not be looked up as a name."""
    return text.endswith(".toml") or (os.sep in text and ":" not in text) or (bool(text) and Path(text).is_file())
