"""What somebody wants scored: files of solutions, and solutions as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.runs.lab.solutions import in_steps, tree_of
from engine.search.tree import Tree
from engine.store import importers
from engine.store.importers.conversion import Ready
from engine.store.importers.draft import Draft
from engine.store.importers.json_values import json_values


@dataclass(frozen=True, slots=True)
class Given:
    """A problem with its steps, as a tree, and where it was found."""

    place: str
    tree: Tree


def read_file(path: Path, problem: str | None = None) -> list[Given]:
    """Every solution of a file: JSON (`{problem, steps}`, `{problem, solution}`, or what an importer knows), a record
    or more; or text. Raises `InvalidInput("FILE", ...)`, or about the problem."""
    try:
        beginning = path.open("rb").read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if beginning not in (b"{", b"["):
            return [read_text(path.read_text(encoding="utf-8-sig"), problem)]
    except OSError as error:
        raise InvalidInput("FILE", f"{path} cannot be read ({error.strerror or error}); name another file") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("FILE", f"{path.name}: it is not text in UTF-8") from error
    found = [
        Given(f"line {line}", tree)
        for line, value in json_values(path)
        for tree in _trees(value, f"{path.name}, line {line}", problem)
    ]
    if not found:
        raise InvalidInput("FILE", f"{path.name}: there is no solution in it; name another file")
    return found


def read_text(text: str, problem: str | None = None) -> Given:
    """Text: the problem (where `problem` is not given), then the steps, with blank lines between."""
    blocks = in_steps(text)
    if problem is None:
        if len(blocks) < 2:
            raise InvalidInput(
                "FILE", "write the problem, a blank line, and the steps with blank lines between; or give --problem"
            )
        problem, *blocks = blocks
    if not blocks:
        raise InvalidInput("FILE", "there is no step in it; write the steps with blank lines between")
    return Given("", _tree(problem, blocks))


def _trees(value: object, place: str, problem: str | None) -> Iterator[Tree]:
    if not isinstance(value, Mapping):
        raise InvalidInput("FILE", f"{place}: a record is a JSON object, and this is none; docs/lab.md has them")
    own = next((value[name] for name in ("problem", "question") if isinstance(value.get(name), str)), None)
    if problem is not None and own is not None:
        raise InvalidInput("problem", f"{place} has a problem of its own; leave the option out")
    asked = own if problem is None else problem
    steps = _steps(value)
    if steps is not None:
        if asked is None:
            raise InvalidInput("problem", f"{place} has steps and no problem; give one")
        yield _tree(asked, steps)
        return
    for item in importers.items_in(value if problem is None else {**value, "problem": problem}, place):
        yield _drafted(item, place)


def _steps(value: Mapping[str, Any]) -> Sequence[str] | None:
    """Steps that need no importer: a list of texts, or a text to be cut at blank lines."""
    steps = value.get("steps")
    if isinstance(steps, list) and steps and all(isinstance(step, str) for step in steps):
        return [step for step in steps if step.strip()]
    if "steps" not in value and isinstance(solution := value.get("solution"), str) and not _several(value):
        return in_steps(solution)
    return None


def _several(value: Mapping[str, Any]) -> bool:
    return any(name in value for name in ("completions", "responses", "solutions", "samples", "completion", "response"))


def _tree(problem: str, steps: Sequence[str]) -> Tree:
    try:
        return tree_of(problem, steps)
    except InvalidInput as error:
        raise error if error.argument == "problem" else InvalidInput("FILE", error.message) from error


def _drafted(item: Draft | Ready, place: str) -> Tree:
    """A draft as the tree that it would become."""
    return Tree.from_events(importers.log_of(item, place))
