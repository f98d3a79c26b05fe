"""`tts-ui export`: every format to a file and to standard output, of a run and of a comparison."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from support.command_line import Cli, Outcome
from support.sample_runs import record_all, whole_run

from engine.search.events import Usage
from engine.store import ComparisonRecord, Store
from engine.store.ids import new_run_id


@pytest.fixture
def run_ids(db: Path) -> tuple[str, str]:
    """Two runs, which are one comparison."""
    ids = new_run_id(), new_run_id()
    with Store.open(str(db)) as store:
        record = ComparisonRecord("zz-comparison", "2026-01-02T03:04:05.678Z", True, None, Usage(), ids)
        for run_id in ids:
            rounds = whole_run(run_id)
            store.record(rounds[0], Usage(), run_id, record)
            record_all(store, run_id, rounds[1:])
    return ids


BEGINNINGS = {
    "json": b"{\n", "csv": b"id,parent,", "graphml": b"<", "svg": b"<svg ", "png": b"\x89PNG",
    "html": b"<!doctype html>",
}  # fmt: skip


@pytest.mark.parametrize("format", BEGINNINGS)
def test_a_run_is_written_to_a_file(
    tts_ui: Cli, db: Path, run_ids: tuple[str, str], tmp_path: Path, format: str
) -> None:
    file = tmp_path / f"run.{format}"
    assert tts_ui("export", run_ids[0], "--format", format, "-o", file, "--db", db) == Outcome(0, "", "")
    assert file.read_bytes().startswith(BEGINNINGS[format])
    assert str(db).encode() not in file.read_bytes()
    if format != "png":
        out = tts_ui("export", run_ids[0], "--format", format, "--db", db).out
        assert out == file.read_text(encoding="utf-8")


def test_a_table_goes_through_a_pipe(tts_ui: Cli, db: Path, run_ids: tuple[str, str]) -> None:
    rows = list(csv.DictReader(io.StringIO(tts_ui("export", run_ids[0], "--format", "csv", "--db", db).out)))
    assert len(rows) == 13 and rows[-1]["correct"] == "true"


def test_a_comparison_is_a_document_or_a_page(tts_ui: Cli, db: Path, run_ids: tuple[str, str]) -> None:
    document = json.loads(tts_ui("export", "zz-comp", "--db", db).out)
    assert (document["format"], document["id"]) == ("tts-ui.comparison", "zz-comparison")
    assert [run["run"]["id"] for run in document["runs"]] == list(run_ids)
    page = tts_ui("export", "zz-comparison", "--format", "html", "--db", db)
    assert page.code == 0 and page.out.startswith("<!doctype html>")
    refused = tts_ui("export", "zz-comp", "--format", "png", "--db", db)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "tts-ui: --format: 'zz-comp' is a comparison; choose json or html, or one of its runs\n"


def test_what_is_neither_is_refused(tts_ui: Cli, db: Path, run_ids: tuple[str, str]) -> None:
    outcome = tts_ui("export", "nothing", "--format", "html", "--db", db)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith("tts-ui: RUN: no run id begins with 'nothing'")


def test_labels_of_runs_are_one_file(tts_ui: Cli, db: Path, run_ids: tuple[str, str], tmp_path: Path) -> None:
    with Store.open(str(db)) as store:
        for run_id, rating in zip(run_ids, (1, -1), strict=True):
            store.label(run_id, "Ann", {1: rating})
        store.label(run_id, "Bob", {2: 1})
    file = tmp_path / "labels.jsonl"
    wanted = ("export", *run_ids, "--format", "trl", "--labels", "Ann", "--db", db)
    assert tts_ui(*wanted, "-o", file) == Outcome(0, "", "")
    assert [json.loads(line)["labels"] for line in file.read_text().splitlines()] == [[True], [False]]
    assert tts_ui(*wanted).out == file.read_text()
    for more, said in (
        (["--format", "trl"], "--labels: run"),
        (["--format", "trl", "--labels", "Eve"], "--labels: there are no labels by 'Eve'"),
        (["--format", "csv", "--labels", "Ann"], "--labels: csv holds all labels"),
        (["--format", "csv"], "RUN: 2 runs are written as prm800k, processbench, trl only"),
    ):
        refused = tts_ui("export", *run_ids, *more, "--db", db)
        assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1) and said in refused.err, refused
