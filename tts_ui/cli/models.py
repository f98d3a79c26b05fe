"""What `--models` may say (a NAME, a FILE for its first pair, or FILE:NAME), and the list of models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.models.catalogue import fit
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue, ModelEntry, PairEntry


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
    """Whether `text` means a models file; a missing one should be reported as such, not looked up as a name."""
    return text.endswith(".toml") or (os.sep in text and ":" not in text) or (bool(text) and Path(text).is_file())


def sampling_of(wanted: str | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was `asked` for (None: nothing), and the policy's own settings for the rest. Raises `InvalidInput`."""
    _, pair = catalogue_of(wanted)
    return pair.policy.sampling.given() | {name: value for name, value in asked.items() if value is not None}


def models_document(catalogue: Catalogue) -> dict[str, Any]:
    """What `tts-ui models --json` prints, from the models file and this machine: nothing is loaded or downloaded."""
    return {
        "format": "tts-ui.models",
        "version": 1,
        "pairs": [_pair(catalogue, pair) for pair in catalogue.pairs.values()],
        "scorers": [_model(catalogue, scorer) for scorer in catalogue.scorers.values()],
    }


def _pair(catalogue: Catalogue, pair: PairEntry) -> dict[str, Any]:
    judge = catalogue.scorer(pair.name)
    return {
        "name": pair.name,
        "title": pair.title,
        "note": pair.note,
        "default": pair.name == catalogue.default,
        "policy": _model(catalogue, pair.policy),
        "scorer": _model(catalogue, judge) if judge else None,
        **_memory(fit.fit(catalogue, [pair.policy, *([judge] if judge else [])])),
    }


def _model(catalogue: Catalogue, entry: ModelEntry) -> dict[str, Any]:
    return {
        "name": entry.label,
        "kind": entry.kind,
        "path": entry.path,
        "parameters": fit.parameters(catalogue, entry),
        "licence": entry.licence,
        "gated": entry.gated,
        "here": catalogue.find(entry) is not None,
        "sampling": entry.sampling.given(),
        **_memory(fit.fit(catalogue, [entry])),
    }


def _memory(found: fit.Fit) -> dict[str, Any]:
    """Bytes, and where; null if not known."""
    return {
        "needs_bytes": found.needs, "free_bytes": found.free, "fits": found.fits, "dtype": found.dtype,
        "device": found.device,
    }  # fmt: skip
