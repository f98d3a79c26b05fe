"""Files that are read and not imported: problem sets, models files, sweeps, solutions and labels, in every form. They
are taken, or refused in one line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet
from support import import_samples as samples
from support.odd import as_json, damaged, mutated, nested, texts, values

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.runs.lab import given as solutions
from engine.runs.lab.cases import case_set
from engine.runs.problem_sets import problem_set
from engine.runs.sweeps.declared import Declared

ROWS: list[dict[str, Any]] = [
    {"problem": "What is 2 + 2?", "answer": "4", "level": 1, "subject": "Sums", "unique_id": "a/1.json"},
    {"question": "What is 2 + 3?", "answer": "2 + 3 = 5\n#### 5"},
    {"problem": "What is 2 + 4?", "solution": "It is \\boxed{6}.", "level": "Level 3"},
]
COLUMNS = st.dictionaries(st.sampled_from(["problem", "answer", "id", "level"]) | texts, texts, max_size=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def taken_or_refused(read: Callable[[], object]) -> None:
    with suppress(InvalidInput):
        read()


def as_problems(file: Path, content: bytes, columns: Mapping[str, str] | None = None) -> None:
    file.write_bytes(content)
    taken_or_refused(lambda: problem_set(str(file), columns=columns))


@given(rows=mutated([ROWS]), ending=st.sampled_from(["json", "jsonl"]), columns=COLUMNS)
@example(rows=[nested(900)], ending="jsonl", columns={})
def test_problems_as_json(folder: Path, rows: Any, ending: str, columns: Mapping[str, str]) -> None:
    alone = isinstance(rows, list) and ending == "jsonl"
    content = b"\n".join(map(as_json, rows)) if alone else as_json(rows)
    as_problems(folder / f"problems.{ending}", content, columns)


@given(rows=st.lists(st.lists(texts, max_size=4), max_size=4), ending=st.sampled_from(["csv", "tsv"]))
def test_problems_as_a_table(folder: Path, rows: Sequence[Sequence[str]], ending: str) -> None:
    written = io.StringIO()
    table = csv.writer(written, dialect="excel-tab" if ending == "tsv" else "excel")
    with suppress(csv.Error):
        table.writerows([["problem", "answer"], *rows])
    as_problems(folder / f"problems.{ending}", written.getvalue().encode("utf-8", "surrogatepass"))


@given(rows=st.lists(st.dictionaries(st.sampled_from(["problem", "answer", "level"]) | texts, values), max_size=3))
def test_problems_as_parquet(folder: Path, rows: list[dict[str, Any]]) -> None:
    content = io.BytesIO()
    with suppress(pyarrow.ArrowException, OverflowError, UnicodeError, TypeError):  # what Parquet cannot hold
        parquet.write_table(pyarrow.Table.from_pylist([ROWS[0], *rows]), content)
        as_problems(folder / "problems.parquet", content.getvalue())


def _parquet() -> bytes:
    content = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist([ROWS[0]]), content)
    return content.getvalue()


PROBLEM_BYTES = [as_json(ROWS), b"problem,answer\n2 + 2,4\n", _parquet()]


@given(content=damaged(PROBLEM_BYTES), ending=st.sampled_from(["json", "jsonl", "csv", "tsv", "parquet", ""]))
@example(content=b"[" * 100_000, ending="json")
@example(content=b"[" * 100_000, ending="jsonl")
@example(content=b'"' + b"a" * 11_000_000, ending="csv")
def test_problems_as_bytes(folder: Path, content: bytes, ending: str) -> None:
    as_problems(folder / f"problems.{ending}", content)


@given(name=texts)
@example(name="~nobody-of-that-name/x")
@example(name="\0")
@example(name="a" * 5000)
def test_names_of_problem_sets(name: str) -> None:
    with suppress(OSError):
        taken_or_refused(lambda: problem_set(name))


def toml(table: Mapping[str, Any], name: str = "") -> str:
    """TOML as simple as it gets; what it cannot say (null, lists with tables) is written as JSON and is wrong there."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in plain.items()]
    inner = [
        toml(value, f"{name}{'.' if name else ''}{json.dumps(key)}")
        for key, value in table.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([f"[{name}]" if name else "", *lines, *inner])


MODELS: dict[str, Any] = {
    "default": "mine",
    "pair": {"mine": {"policy": "small", "scorer": "judge", "label": "Mine"}},
    "policy": {
        "small": {"backend": "openai", "urls": ["http://127.0.0.1:1/v1"], "model": "m", "parameters": 5},
        "here": {"backend": "local", "path": "some/model", "prompt": "own"},
    },
    "scorer": {"judge": {"family": "qwen_prm", "path": "some/prm"}},
    "prompt": {"own": {"system": "Think.", "suffix": "\nBox it."}},
}
SWEEP: dict[str, Any] = {
    "name": "small", "problems": "builtin-easy", "limit": 6, "models": ["builtin-xs"], "strategies": ["greedy", "dvts"],
    "n": [1, 4], "seeds": 2, "scorers": ["builtin-prm"],
    "parameters": {"temperature": [0.5, 0.8], "dvts": {"width": 2}},
}  # fmt: skip


def as_text(document: Any) -> bytes:
    text = toml(document) if isinstance(document, Mapping) else json.dumps(document)
    return text.encode("utf-8", "surrogatepass")


TABLES = [as_text(MODELS), as_text(SWEEP)]


def both_read(folder: Path, content: bytes) -> None:
    file = folder / "file.toml"
    file.write_bytes(content)
    taken_or_refused(lambda: Catalogue(file).close())
    taken_or_refused(lambda: Declared.read(file))


@given(document=mutated([MODELS, SWEEP]))
def test_models_and_sweeps_with_something_wrong(folder: Path, document: Any) -> None:
    both_read(folder, as_text(document))


@given(content=damaged([*TABLES, CATALOGUE.read_bytes()]))
@example(content=b"x = " + b"[" * 5_000)
@example(content=b"x = " + b"{a=" * 5_000)
@example(content=b"x." * 5_000 + b"x = 1")
@example(content=b"x = " + b"9" * 5_000)
@example(content=b"x = 9999-99-99")
def test_models_and_sweeps_as_bytes(folder: Path, content: bytes) -> None:
    both_read(folder, content)


SOLUTIONS: list[Any] = [
    {"problem": "2 + 2?", "steps": ["2 + 2 = 4", "\\boxed{4}"]}, {"problem": "2 + 2?", "solution": "a\n\nb"},
    *samples.PROCESSBENCH, samples.PRM800K, samples.RATED, *samples.PLAIN,
]  # fmt: skip


@given(document=mutated(SOLUTIONS) | mutated([SOLUTIONS]), problem=st.none() | texts)
def test_solutions_and_labels_with_something_wrong(folder: Path, document: Any, problem: str | None) -> None:
    file = folder / "solutions.json"
    file.write_bytes(as_json(document))
    taken_or_refused(lambda: solutions.read_file(file, problem))
    taken_or_refused(lambda: case_set(str(file)))


@given(content=damaged([as_json(SOLUTIONS[0]), b"2 + 2?\n\n2 + 2 = 4\n\nSo 4."]))
@example(content=b"[" * 100_000)
def test_solutions_and_labels_as_bytes(folder: Path, content: bytes) -> None:
    file = folder / "solutions"
    file.write_bytes(content)
    taken_or_refused(lambda: solutions.read_file(file))
    taken_or_refused(lambda: case_set(str(file)))
