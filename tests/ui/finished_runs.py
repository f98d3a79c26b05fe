"""A finished search of the built-in models, as the tests of the page's parts ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.events import Event
from engine.store import RunRecord
from engine.tree import Tree


@dataclass(frozen=True)
class Finished:
    """A run as the store has it."""

    record: RunRecord
    events: list[Event]
    tree: Tree


Solve = Callable[..., Finished]
