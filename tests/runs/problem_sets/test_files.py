"""Problem sets from files: every form, columns named and guessed, what is dropped, and mistakes in one line."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from engine.errors import InvalidInput
from engine.runs.problem_sets import ProblemSet, columns_given, problem_set

ROWS: list[dict[str, Any]] = [
    {"question": "1 + 1?", "target": "2", "level": "Level 2", "subject": "Sums", "id": "a"},
    {"question": "2 + 5?", "target": "007", "level": "Level 5", "subject": "Sums", "id": "b"},
]


def written(folder: Path, form: str, rows: Sequence[dict[str, Any]] = ROWS) -> Path:
    file = folder / f"own.{form}"
    if form == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), file)
    elif form == "jsonl":
        file.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    elif form == "json":
        file.write_text(json.dumps({"version": 1, "problems": list(rows)}), encoding="utf-8")
    else:
        with file.open("w", newline="", encoding="utf-8-sig") as opened:
            writer = csv.DictWriter(opened, list(rows[0]), delimiter="\t" if form == "tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return file


def facts(found: ProblemSet) -> list[tuple[str, str | None, str, str | None, str | None]]:
    return [
        (each.question.problem, each.question.reference, each.id, each.level, each.subject) for each in found.problems
    ]


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv", "parquet"])
def test_every_form_is_read_alike(tmp_path: Path, form: str) -> None:
    found = problem_set(str(written(tmp_path, form)))
    assert facts(found) == [("1 + 1?", "2", "a", "2", "Sums"), ("2 + 5?", "007", "b", "5", "Sums")]
    assert found.guessed and "columns guessed: problem=question, answer=target" in found.said
    assert problem_set(str(written(tmp_path, form)), limit=1).said.startswith("own: 1 problem of 2")


def test_columns_are_those_that_were_named(tmp_path: Path) -> None:
    file = written(tmp_path, "jsonl", [{"problem": "not this", "body": "1 + 1?", "answer": "3", "gives": 2.0}])
    found = problem_set(str(file), columns=columns_given("problem=body, answer=gives"))
    assert facts(found)[0][:2] == ("1 + 1?", "2")
    assert not found.guessed and "guessed" not in found.said


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"question": "q", "answer": "2 + 3 = <<2+3=5>>5\n#### 1,005"}, "1,005"),
        ({"problem": "q", "solution": "so $x = \\boxed{\\frac{1}{2}}$.", "level": 3}, "\\frac{1}{2}"),
        ({"problem": "q", "solution": "long \\boxed{7}", "answer": "8"}, "8"),
        ({"problem": "q", "solution": 27.0, "extracted_groundtruth": 27.0}, "27"),
        ({"problem": "q", "answer": 0}, "0"),
    ],
)
def test_answers_are_found_in_what_stands_there(tmp_path: Path, row: dict[str, Any], answer: str) -> None:
    assert facts(problem_set(str(written(tmp_path, "jsonl", [row]))))[0][1] == answer


def test_what_is_dropped_is_counted_and_said(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"problem": "1 + 1?", "answer": "2"},
        {"problem": " 1  +\n1?", "answer": "2"},
        {"problem": "1 + 1?", "answer": "3"},
        {"problem": "2 + 2?", "answer": None},
        {"problem": "3 + 3?"},
        {"problem": "", "answer": "4"},
        {"problem": "4 + 4?", "answer": "8"},
    ]
    found = problem_set(str(written(tmp_path, "jsonl", rows)))
    assert [each.id for each in found.problems] == ["line 1", "line 7"]
    assert "2 problems; dropped: 2 duplicates (1 with another answer), 2 without an answer, 1 without a problem" in (
        found.said
    )


@pytest.mark.parametrize(
    ("name", "text", "columns", "says"),
    [
        ("a.jsonl", '{"problem": "q", "answer": "1"}\n{"problem": oops}\n', None, ["a.jsonl, line 2", "mend"]),
        ("a.jsonl", '{"problem": "q", "answer": "1"}\n[1, 2]\n', None, ["a.jsonl, line 2", "no object"]),
        ("a.jsonl", '{"problem": ["q"], "answer": "1"}\n', None, ["line 1: problem is a list", "problem=COLUMN"]),
        ("a.jsonl", '{"problem": "\\ud800", "answer": "1"}\n', None, ["line 1", "surrogates"]),
        ("a.json", '"text"', None, ["no list of problems"]),
        ("a.csv", "problem,answer\nq,1,2\n", None, ["row 1 (line 2)", "quote"]),
        ("a.csv", 'problem,answer\n"q" x,1\n', None, ["line 2", "quotes"]),
        ("a.csv", "task,answer\nq,1\n", None, ["looks like the problem", "problem=COLUMN", "task, answer"]),
        ("a.csv", "problem,result\nq,1\n", None, ["looks like the answer", "answer=COLUMN"]),
        ("a.csv", "problem,answer\nq,1\n", {"problem": "x"}, ["no column 'x'", "problem, answer"]),
        ("a.csv", "problem,answer\nq,1\n", {"stars": "answer"}, ["no 'stars'", "choose from problem"]),
        ("a.csv", "problem,answer\nq,\n", None, ["no problem with an answer", "1 without an answer"]),
        ("a.csv", "", None, ["no rows"]),
        ("a.parquet", "PAR1 cut short", None, ["not a whole Parquet file"]),
    ],
)
def test_a_mistake_is_one_line_that_says_where_and_what_to_do(
    tmp_path: Path, name: str, text: str, columns: dict[str, str] | None, says: list[str]
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as refusal:
        problem_set(str(file), columns=columns)
    assert all(part in str(refusal.value) for part in says), str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"problem,answer\n\xff,1\n")
    with pytest.raises(InvalidInput, match="not UTF-8 at byte 15"):
        problem_set(str(tmp_path / "a.csv"))


@pytest.mark.parametrize("typed", ["problem", "problem=", "problem=a,problem=b", "stars=a"])
def test_columns_that_are_mistyped_are_refused(typed: str) -> None:
    with pytest.raises(InvalidInput, match="^columns: "):
        columns_given(typed)
