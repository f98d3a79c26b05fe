"""What this machine can run of a catalogue: the memory a pair needs, what is free, and what is here already.

Nothing is loaded. A size comes from the entry, else from the headers of the files in its folder.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.models.catalogue.catalogue import Catalogue, ModelEntry
from engine.models.local.memory import gigabytes
from engine.models.local.placement import Placement, place, stored_parameters


@dataclass(frozen=True, slots=True)
class Fit:
    """It `needs` this many bytes in `dtype`, of the `free` ones on `device`; None if not known."""

    needs: int | None
    free: int | None
    device: str
    dtype: str

    @property
    def fits(self) -> bool | None:
        return None if self.needs is None or self.free is None else self.needs <= self.free

    def __str__(self) -> str:
        if self.needs == 0:
            return "runs on its servers"
        if self.needs is None:
            return "memory need unknown"
        if self.fits:
            return f"fits: needs {gigabytes(self.needs)} ({self.dtype} on {self.device})"
        free = "free memory unknown" if self.free is None else f"{gigabytes(self.free)} free"
        return f"needs {gigabytes(self.needs)} ({self.dtype} on {self.device}), {free}"


def parameters(catalogue: Catalogue, entry: ModelEntry) -> float | None:
    """How many an entry's model has, with the one it is contrasted with; None if neither entry nor files say."""
    folders = catalogue.folders(entry)
    if entry.parameters or None in folders:
        return entry.parameters
    try:
        return sum(stored_parameters(folder) for folder in folders if folder)
    except (OSError, ValueError, KeyError):  # damaged; loading it will say so
        return None


def fit(catalogue: Catalogue, entries: list[ModelEntry]) -> Fit:
    """Whether these models fit together. A pair on one GPU shares its memory; what is behind servers needs none."""
    sizes = [parameters(catalogue, entry) for entry in entries if not entry.urls]
    known = [size for size in sizes if size is not None]
    placement: Placement = place(max(known, default=0))
    needs = sum(map(placement.needs, known)) if len(known) == len(sizes) else None
    return Fit(needs, placement.free, placement.device, placement.dtype)
