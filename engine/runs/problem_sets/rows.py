"""The rows of a file, whatever its form: JSON Lines, JSON, CSV or tab-separated, Parquet; each with its place in it.

Values keep their types where the file has any. In CSV everything is text: an answer 007 stays 007, and NA is no gap.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput

Row = Mapping[str, Any]
FORMS = "JSON Lines, JSON, CSV or Parquet"
_LONGEST_FIELD = 10_000_000
"""Characters of a field of a CSV file; the library's own limit would refuse a long solution."""


def read(file: Path) -> list[tuple[str, Row]]:
    """(where it stands, row) of every row. Raises `InvalidInput` in one line for what cannot be read."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(4)
        if begins == b"PAR1":
            return list(_parquet(file))
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput("problems", f"{file} cannot be read ({error.strerror or error}); give another") from None
    except UnicodeDecodeError as error:
        raise InvalidInput("problems", f"{file} is not UTF-8 at byte {error.start}; save it as {FORMS}") from None
    if file.suffix.lower() in (".csv", ".tsv"):
        return list(_csv(file, text))
    return list(_json_lines(file, text) if file.suffix.lower() == ".jsonl" else _json(file, text))


def _json(file: Path, text: str) -> Iterator[tuple[str, Row]]:
    """A list of objects (alone, or as the one list of an object), or an object a line."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _json_lines(file, text)
        return
    if isinstance(whole, dict):
        lists = [each for each in whole.values() if isinstance(each, list) and each and isinstance(each[0], dict)]
        whole = lists[0] if len(lists) == 1 else [whole]
    if not isinstance(whole, list):
        raise InvalidInput("problems", f"{file} is JSON but no list of problems; write one object a problem")
    for number, row in enumerate(whole, start=1):
        yield (place := f"row {number}"), _object(file, place, row)


def _json_lines(file: Path, text: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"line {number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                raise InvalidInput(
                    "problems", f"{file}, {place} is not JSON ({reason}); mend it, or give {FORMS}"
                ) from None
            yield place, _object(file, place, row)


def _object(file: Path, place: str, row: object) -> Row:
    if not isinstance(row, dict):
        raise InvalidInput("problems", f'{file}, {place} is no object; write {{"problem": ..., "answer": ...}}')
    return row


def _csv(file: Path, text: str) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for row in reader:
            number += 1
            place = f"row {number} (line {reader.line_num})"
            if None in row:
                raise InvalidInput(
                    "problems", f"{file}, {place} has more fields than the first line; quote a text that holds commas"
                )
            yield place, row
    except csv.Error as error:
        line = reader.reader.line_num
        raise InvalidInput("problems", f"{file}, line {line} is not CSV ({error}); mend its quotes") from None


def _parquet(file: Path) -> Iterator[tuple[str, Row]]:
    from pyarrow import ArrowException, parquet

    try:
        rows = parquet.read_table(file).to_pylist()
    except (ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:150]
        raise InvalidInput("problems", f"{file} is not a whole Parquet file ({reason}); get it again") from None
    for number, row in enumerate(rows, start=1):
        yield f"row {number}", row
