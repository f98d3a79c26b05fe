"""Texts that mean harm, in the terminal: shown with marks in place of what would steer it. As an ordinary test some of
the thousand, with FUZZ=long all."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from support.command_line import COMMAND, run
from support.every_view import harmless
from support.hostile import hostile_records, hostile_texts

from engine.runs.importing import import_file
from engine.store import Store
from engine.store.exporters import FORMATS

LONG = os.environ.get("FUZZ") == "long"
TEXTS = hostile_texts(1_000 if LONG else 120)
#: What rich writes to a terminal on purpose: colours.
_COLOURS = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A database with runs that hold every text, and their ids."""
    folder = tmp_path_factory.mktemp("hostile")
    file = folder / "texts.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in hostile_records(TEXTS, 40)))
    with Store.open(str(folder / "runs.db")) as store:
        imported = import_file(store, file)
    assert len(imported.run_ids) == -(-len(TEXTS) // 40)
    return folder / "runs.db", list(imported.run_ids)


def test_lists_and_trees(recorded: tuple[Path, list[str]]) -> None:
    db, run_ids = recorded
    for command in (["runs"], ["runs", "--json"], *(["show", each, "--rules"] for each in run_ids)):
        shown = run(*command, "--db", db)
        assert shown.code == 0 and harmless(shown.out) and shown.err == "", (command, shown.err)


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """The real command's exit code, and what it writes to a real terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = bytearray()
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    return process.wait(timeout=60), said.decode("utf-8", "replace").replace("\r\n", "\n")


def test_on_a_real_terminal(recorded: tuple[Path, list[str]]) -> None:
    db, run_ids = recorded
    for run_id in run_ids[: None if LONG else 1]:
        code, said = on_a_terminal("show", run_id, "--db", str(db))
        assert code == 0 and harmless(_COLOURS.sub("", said))
        for format in FORMATS:
            code, said = on_a_terminal("export", run_id, "--format", format, "--db", str(db))
            said = said.replace("\t", " ")  # a file may have tabs, which only move on
            assert harmless(said), (format, [mark for mark in said if not harmless(mark)][:5])
            assert (code, "name a file with -o" in said) == ((2, True) if format == "png" else (0, False))


def test_problems_that_are_searched(tmp_path: Path) -> None:
    for text in TEXTS[: 200 if LONG else 12]:
        problem = text.replace("\0", " ").encode("utf-8", "replace").decode()  # what an argument can hold
        least = ("--strategy", "greedy", "--max-steps", "1", "--max-tokens", "8")
        done = run("solve", *least, "--db", tmp_path / "runs.db", "--", problem)
        assert done.code in (0, 1, 2) and harmless(done.out) and harmless(done.err), (text, done)
        assert "internal error" not in done.err and "Traceback" not in done.err, done.err
