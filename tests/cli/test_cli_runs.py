"""`tts-ui runs` and its filters."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.command_line import Cli
from support.sample_runs import started

from engine.search.events import RunFinished, Usage
from engine.store import Store
from engine.store.owner import this_process
from engine.store.sweep_records import SweepRecord

SWEEP = SweepRecord(
    "", "", "2026-01-02T03:04:05+00:00", "done", "builtin-1000", 1, 2, 2, 2, {}, (), 0.0, None, "", this_process(), 0.0
)


@pytest.fixture
def some(db: Path) -> Path:
    """A database with three runs, one of them tagged and one deleted."""
    with Store.open(str(db)) as store:
        for number, (strategy, correct) in enumerate((("dvts", True), ("greedy", False), ("greedy", None)), 1):
            begun = replace(started(f"r{number}"), strategy=strategy, created_at=f"2026-01-0{number}T12:00:00Z")
            store.record([begun, RunFinished("done", answer="7", correct=correct)], Usage(100 - number), f"r{number}")
        store.flush()
        store.describe("r2", ("odd",), "look again")
        store.delete(["r3"])
    return db


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", "r2 r1"), ("--strategy dvts", "r1"), ("--policy built-in --scorer built-in-prm", "r2 r1"),
        ("--scorer none", ""), ("--outcome wrong", "r2"), ("--outcome deleted", "r3"), ("--origin import", ""),
        ("--tag odd", "r2"), ("--search again", "r2"), ("--since 2026-01-02", "r2"), ("--until 2026-01-01", "r1"),
        ("--sort oldest", "r1 r2"), ("--sort tokens", "r1 r2"), ("--sort strategy --limit 1", "r1"),
    ],
)  # fmt: skip
def test_the_filters_of_the_page(tts_ui: Cli, some: Path, options: str, expected: str) -> None:
    document = json.loads(tts_ui("runs", "--json", "--db", some, *options.split()).out)
    assert " ".join(run["id"] for run in document["runs"]) == expected


def test_a_filter_that_nothing_passes(tts_ui: Cli, some: Path) -> None:
    assert tts_ui("runs", "--db", some, "--tag", "none").out == "no run matches\n"


@pytest.mark.parametrize("wrong", ["--since soon", "--outcome good", "--sort sideways"])
def test_a_filter_that_is_none_is_refused_in_one_line(tts_ui: Cli, some: Path, wrong: str) -> None:
    outcome = tts_ui("runs", "--db", some, *wrong.split())
    assert outcome.code == 2 and outcome.err.count("\n") == 1 and wrong.split()[0].lstrip("-") in outcome.err


@pytest.mark.parametrize("named", ["odd", "s1", "s"])
def test_the_runs_of_a_sweep_by_its_name_or_id(tts_ui: Cli, db: Path, named: str) -> None:
    with Store.open(str(db)) as store:
        for run_id, sweep_id in (("r1", "s1/a"), ("r2", "s1/b"), ("r3", "s10/a"), ("r4", None)):
            store.record([replace(started(run_id), sweep_id=sweep_id), RunFinished("done")], Usage(), run_id)
        store.save_sweep(replace(SWEEP, id="s1", name="odd"))
    document = json.loads(tts_ui("runs", "--json", "--db", db, "--sweep", named).out)
    assert [run["id"] for run in document["runs"]] == ["r2", "r1"]
    refused = tts_ui("runs", "--db", db, "--sweep", "even")
    assert refused.code == 2 and refused.err.count("\n") == 1 and "no sweep is called 'even'" in refused.err


def test_a_deleted_run_is_not_shown(tts_ui: Cli, some: Path) -> None:
    outcome = tts_ui("show", "r3", "--db", some)
    assert outcome.code == 2 and "was deleted" in outcome.err
