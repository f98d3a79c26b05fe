"""The values of a JSON file, one after another, without holding the file in memory.

Three layouts are known by their beginning: a value a line (JSON Lines), one array whose elements are the values, and
values one after another that span lines. What is wrong is refused with its line.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import InvalidInput

#: Called with the bytes read so far and those of the whole file.
Progress = Callable[[int, int], None]

#: Bytes read at a time, and characters that one value may have: a run is in memory as a whole while it is read.
_CHUNK, LONGEST = 1 << 20, 1 << 28
#: How far before the end of what was read an error may be and still mean that the value goes on.
_TAIL = 64
_BLANK = " \t\r\n"
_decoder = json.JSONDecoder()


def json_values(path: Path, progress: Progress | None = None) -> Iterator[tuple[int, Any]]:
    """Each value of the file with the line on which it begins. Raises `InvalidInput("FILE", ...)`."""
    with open(path, "rb") as file:
        yield from _Reader(path, file, progress).values()


class _Reader:
    """The part of the file that is in memory: `_text`, of which everything before `_at` was taken."""

    def __init__(self, path: Path, file: BinaryIO, progress: Progress | None) -> None:
        self._name, self._file, self._progress = path.name, file, progress
        self._size = path.stat().st_size
        self._text, self._at, self._line = "", 0, 1
        self._ended = False
        self._first: Any = None  # the value of the first line, once it has been looked at
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()

    def values(self) -> Iterator[tuple[int, Any]]:
        if self._next() == "":
            raise InvalidInput("FILE", f"{self._name} is empty")
        if self._next() == "[":
            yield from self._elements()
        elif self._one_a_line():
            yield from self._lines()
        else:
            yield from self._one_after_another()

    def _elements(self) -> Iterator[tuple[int, Any]]:
        self._at += 1
        if self._next() == "]":
            self._at += 1
        else:
            yield self._value()
            while (mark := self._next()) == ",":
                self._at += 1
                yield self._value()
            if mark != "]":
                raise self._wrong("the list of records does not end" if mark == "" else f"{mark!r} between two records")
            self._at += 1
        if self._next() != "":
            raise self._wrong("there is something after the end of the list")

    def _one_after_another(self) -> Iterator[tuple[int, Any]]:
        while self._next() != "":
            yield self._value()

    def _lines(self) -> Iterator[tuple[int, Any]]:
        if self._first is not None:
            yield self._line, self._first
            self._first = None
        while self._next() != "":
            try:
                value = json.loads(self._whole_line())
            except (ValueError, RecursionError) as error:
                raise self._wrong(_said(error)) from error
            yield self._line, value

    def _one_a_line(self) -> bool:
        """Whether the first line is a whole value, which is kept; or a faulty one and not unfinished."""
        line = self._whole_line()
        try:
            self._first = json.loads(line)
        except (ValueError, RecursionError):
            self._at -= len(line)
            return self._goes_on_with_another(line)
        return True

    def _goes_on_with_another(self, line: str) -> bool:
        end = self._at + len(line)
        return line.strip() not in ("{", "") and self._text[end + 1 : end + 3] == '{"'

    def _whole_line(self) -> str:
        """The rest of the line, which is taken; its end is not."""
        start = self._at
        while (end := self._text.find("\n", start)) < 0 and not self._ended:
            start = len(self._text) - self._at
            self._read()
        end = len(self._text) if end < 0 else end
        line, self._at = self._text[self._at : end], end
        return line

    def _value(self) -> tuple[int, Any]:
        """The value that begins here. What is unfinished is read on, twice as much each time."""
        self._next()
        number = self._line
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                within = error.pos < len(self._text) - _TAIL and not error.msg.startswith("Unterminated")
                if self._ended or within:
                    self._line += self._text.count("\n", self._at, error.pos)
                    raise self._wrong(_said(error)) from error
            except (ValueError, RecursionError) as error:
                raise self._wrong(_said(error)) from error
            else:
                self._line += self._text.count("\n", self._at, end)
                self._at = end
                return number, value
            self._read(max(_CHUNK, len(self._text) - self._at))

    def _next(self) -> str:
        """The next character that is not blank, not taken yet; "" at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._read()

    def _read(self, count: int = _CHUNK) -> None:
        self._text, self._at = self._text[self._at :], 0
        raw = self._file.read(count)
        self._ended = not raw
        try:
            self._text += self._decode.decode(raw, final=self._ended)
        except UnicodeDecodeError as error:
            where = self._line + self._text.count("\n") + raw.count(b"\n", 0, error.start)
            raise InvalidInput("FILE", f"{self._name}, line {where}: it is not text in UTF-8") from error
        if len(self._text) > LONGEST:
            raise self._wrong(f"a record is longer than {LONGEST >> 20} million characters")
        if self._progress is not None:
            self._progress(self._file.tell(), self._size)

    def _wrong(self, what: str) -> InvalidInput:
        return InvalidInput("FILE", f"{self._name}, line {self._line}: {what}")


def _said(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return f"it is not JSON ({why[:1].lower()}{why[1:]})"
