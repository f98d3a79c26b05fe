"""The recorded runs that come with the product, as the pages need them: in the store, and by their problems."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from engine.runs.examples import LESSONS, SHOWCASE, Lesson, files
from engine.store import Store
from engine.store.imports import import_document


@cache
def _document(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def problem_of(lesson: Lesson) -> str:
    return str(_document(files(lesson)[0])["run"]["problem"])


def showcase_problem() -> str:
    """What the pages begin with."""
    return problem_of(SHOWCASE)


def run_ids(lesson: Lesson) -> list[str]:
    return [str(_document(file)["run"]["id"]) for file in files(lesson)]


def import_all(store: Store) -> None:
    """Put every lesson's runs into the store; existing ones stay as they are."""
    for lesson in LESSONS:
        for file in files(lesson):
            import_document(store, _document(file), origin="example")
