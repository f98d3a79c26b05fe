"""A finished search of the built-in models, as the tests of the page's parts ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.search.events import Event
from engine.search.tree import Tree
from engine.store import RunRecord


@dataclass(frozen=True)
class Finished:
    """A run as the store has it."""

    record: RunRecord
    events: list[Event]
    tree: Tree


Solve = Callable[..., Finished]
