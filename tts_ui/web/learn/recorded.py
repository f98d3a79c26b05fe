"""The recorded runs of the lessons: what was searched, by whom, and the steps that the words point at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store
from engine.store.imports import import_document
from tts_ui.web.learn.effects import lessons_folder


@dataclass(frozen=True, slots=True)
class Side:
    """One search: its recorded run, and what it takes to run it again."""

    run_id: str
    models: str
    scorer: str | None
    params: Mapping[str, Any]
    document: Any

    def with_seed(self, seed: int) -> RunParams:
        return RunParams(**{**self.params, "seed": seed})


@dataclass(frozen=True, slots=True)
class Recorded:
    """The searches of a lesson on one problem; `points` are ids of steps by tree and name ("a.wrong")."""

    question: Question
    sides: tuple[Side, ...]
    points: Mapping[str, int]

    def keep_in(self, store: Store) -> None:
        """Put the runs into the store, as examples; those that are there stay as they are."""
        for side in self.sides:
            import_document(store, side.document, origin="example")


@cache
def recorded(lesson: str) -> Recorded:
    """Those of a lesson, by its name."""
    folder = lessons_folder()
    said = json.loads((folder / "runs.json").read_text(encoding="utf-8"))[lesson]
    return Recorded(
        Question(said["problem"], said["answer"]),
        tuple(
            Side(document["run"]["id"], side["models"], side["scorer"], side["params"], document)
            for side in said["sides"]
            for document in [json.loads((folder / side["file"]).read_text(encoding="utf-8"))]
        ),
        said["points"],
    )
