"""`tts-ui problems`: what is in a set, in a terminal and as JSON; refusals in one line."""

from __future__ import annotations

import json
from pathlib import Path

from support.command_line import Cli

from engine.runs.problem_sets import names


def test_the_names_are_listed(tts_ui: Cli) -> None:
    assert [line.split()[0] for line in tts_ui("problems").out.splitlines()] == list(names())
    assert [each["name"] for each in json.loads(tts_ui("problems", "--json").out)["sets"]] == list(names())


def test_a_set_is_shown_with_its_levels_and_subjects(tts_ui: Cli) -> None:
    shown = tts_ui("problems", "builtin-easy", "--limit", 20)
    assert shown.code == 0 and shown.out.startswith("builtin-easy: 20 problems of 150\nfrom: built in\nlevels: 1 (")
    assert "subjects: " in shown.out and "builtin-easy/0: " in shown.out and "... and 17 more" in shown.out


def test_a_file_is_read_by_the_columns_that_are_named(tts_ui: Cli, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("task,result\nWhat is \x1b[31m1 + 1?,2\nWhat is \x1b[31m1 + 1?,2\nWhat?,\n", encoding="utf-8")
    shown = tts_ui("problems", file, "--columns", "problem=task,answer=result")
    assert "1 problem; dropped: 1 duplicate, 1 without an answer" in shown.out and "\x1b" not in shown.out
    document = json.loads(tts_ui("problems", file, "--columns", "problem=task,answer=result", "--json").out)
    assert document["dropped"]["duplicates"] == 1 and document["problems"][0]["answer"] == "2"
    refused = tts_ui("problems", file)
    assert refused.code == 2 and "problem=COLUMN, from task, result" in refused.err
    assert tts_ui("problems", tmp_path / "none.csv").code == 2
