"""A database of ours is added to another one: runs with their bills, later scores and comparisons, once."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from support.sample_runs import record_all, whole_run

from engine.errors import InvalidInput
from engine.runs.importing import import_file
from engine.search.events import ModelInfo, RunStarted, StepScored, Usage
from engine.store import ComparisonRecord, Store
from engine.store.document import document
from engine.store.ids import new_run_id


def _filled(path: Path) -> tuple[list[str], ComparisonRecord]:
    """Two runs of one comparison, one of them scored again by another judge."""
    ids = [new_run_id(), new_run_id()]
    comparison = ComparisonRecord(
        new_run_id(), "2026-01-02T03:04:05Z", True, None, Usage(generated_tokens=9), tuple(ids)
    )
    with Store.open(str(path)) as store:
        for run_id in ids:
            rounds = list(whole_run(run_id))
            first = rounds[0][0]
            assert isinstance(first, RunStarted)
            store.record([replace(first, comparison_id=comparison.id), *rounds[0][1:]], Usage(), run_id, comparison)
            record_all(store, run_id, rounds[1:])
        store.flush()
        store.add_scoring(
            ids[0], ModelInfo("another", 0, 0), "measured", [StepScored(0, 1, "another", 0.5)], Usage(scored_tokens=7)
        )
    return ids, comparison


def test_everything_that_is_known_of_a_run_comes_along(store: Store, tmp_path: Path) -> None:
    ids, comparison = _filled(tmp_path / "colleague.db")
    before = (tmp_path / "colleague.db").read_bytes()
    came = import_file(store, tmp_path / "colleague.db")
    assert (sorted(came.run_ids), came.format) == (sorted(ids), "tts-ui database")
    with Store.reading(str(tmp_path / "colleague.db")) as theirs:
        for run_id in ids:
            mine, original = store.read(run_id), theirs.read(run_id)
            assert mine[1][1:] == original[1][1:]
            assert (mine[0].origin, mine[0].source) == ("import", "colleague.db")
            own, same = document(*mine), document(*original)
            assert own["scores"] == same["scores"] and own.get("scorings") == same.get("scorings")
            assert store.bills(run_id) == theirs.bills(run_id)
            assert store.read(run_id, until_seq=3)[0].usage == theirs.read(run_id, until_seq=3)[0].usage
    assert store.comparison(comparison.id) == comparison and store.comparison_of(ids) == comparison
    assert (tmp_path / "colleague.db").read_bytes() == before
    again = import_file(store, tmp_path / "colleague.db")
    assert (again.run_ids, again.known) == ((), 2)


def test_a_run_that_is_still_running_is_left_out_with_a_warning(store: Store, tmp_path: Path) -> None:
    ids, _ = _filled(tmp_path / "busy.db")
    with Store.open(str(tmp_path / "busy.db")) as busy:
        running = new_run_id()
        busy.record(whole_run(running)[0], Usage(), running)
        busy.flush()
        came = import_file(store, tmp_path / "busy.db")
    assert sorted(came.run_ids) == sorted(ids)
    assert came.warnings == (f"run {running[:18]}: it is still running, and is left out",)


def test_a_run_that_does_not_fit_is_refused_with_its_id(store: Store, tmp_path: Path) -> None:
    ids, _ = _filled(tmp_path / "torn.db")
    with sqlite3.connect(tmp_path / "torn.db") as database:
        database.execute("UPDATE scores SET value = 7 WHERE run_id = ? AND node = 2", (ids[1],))
    with pytest.raises(InvalidInput, match=rf"torn\.db, run {ids[1][:36]}.*: 7\.0 is not between 0 and 1"):
        import_file(store, tmp_path / "torn.db")
    assert store.runs() == []


@pytest.mark.parametrize("kind", ["another program's", "no database"])
def test_another_programs_database_is_refused(store: Store, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other.db"
    if kind == "no database":
        path.write_bytes(b"SQLite format 3\x00" + b"\x00" * 500)
    else:
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(InvalidInput, match=r"other\.db is no database of tts-ui"):
        import_file(store, path)
    assert not store.runs()
