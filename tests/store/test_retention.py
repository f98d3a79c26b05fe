"""Who started which run, and how long runs are kept: what goes, what stays, what hangs on what, and odd clocks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, update
from support.sample_runs import record_all, started, whole_run

from engine.errors import InvalidInput
from engine.search.events import RunStarted, Usage
from engine.store import ComparisonRecord, Store
from engine.store.address import resolve
from engine.store.document import document
from engine.store.ids import new_run_id
from engine.store.imports import import_document
from engine.store.retention import Clock, span
from engine.store.tables import metadata, runs

LONG_AGO = "2020-01-01T00:00:00.000+00:00"
DAY_S = 24 * 3600.0


def with_runs(store: Store, *run_ids: str) -> None:
    for run_id in run_ids:
        record_all(store, run_id, whole_run(run_id))
    store.flush()


def age(url: str, *run_ids: str) -> None:
    """Make runs old."""
    engine = create_engine(resolve(url))
    with engine.begin() as connection:
        old = update(runs).where(runs.c.id.in_(run_ids)).values(created_at=LONG_AGO, heartbeat=0.0)
        connection.execute(old)
    engine.dispose()


def rows_of(url: str, run_id: str) -> dict[str, int]:
    """How many rows of each table belong to a run."""
    engine = create_engine(resolve(url))
    tables = {name: table for name, table in metadata.tables.items() if "run_id" in table.c}
    with engine.connect() as connection:
        found = {
            name: connection.execute(
                select(func.count()).select_from(table).where(table.c.run_id == run_id)
            ).scalar_one()
            for name, table in tables.items()
        }
    engine.dispose()
    return found


def test_a_visitor_s_runs_are_his_until_he_is_forgotten(url: str) -> None:
    with Store.open(url) as store:
        with_runs(store, "a", "b", "c")
        store.started("one", ["a", "b", "nobody"])
        store.started("two", ["b", "c"])  # who came first stays
        assert (store.starter("a"), store.starter("b"), store.starter("c")) == ("one", "one", "two")
        assert store.starter("nobody") is None
        assert store.started_by("one", 10) == ["b", "a"] and store.started_by("one", 1) == ["b"]
        store.forget_visitor("one")
        assert store.started_by("one", 10) == [] and store.starter("a") == ""
        assert store.whole_run("a").status == "done"
        assert store.started_by_nobody(10) == [], "a stranger's they stay"


def test_old_runs_go_with_all_that_hangs_on_them_and_kept_ones_stay(url: str) -> None:
    with Store.open(url) as store:
        with_runs(store, "new", "old", "kept")
        store.record([started("running")], Usage(), "running")
        whole = document(*store.read("new"))
        for run_id, origin in (("example", "example"), ("imported", "import")):
            import_document(store, whole | {"run": whole["run"] | {"id": run_id}}, origin=origin)  # type: ignore[arg-type]
        first = replace(started("swept"), sweep_id="sweep/cell")
        levels = whole_run("swept")
        record_all(store, "swept", [[first, *levels[0][1:]], *levels[1:]])
        store.flush()
        store.describe("old", ("lesson",), "a note")
        store.describe("kept", ("Keep",), None)
        store.started("one", ["old", "new"])
        age(url, "old", "kept", "example", "running", "swept")
        assert rows_of(url, "old")["nodes"] > 0 and rows_of(url, "old")["started"] == 1
        before = time.time() - DAY_S
        assert [record.id for record in store.expired(before)] == ["old"]
        assert store.prune(before) == 1 and store.prune(before) == 0
        assert not any(rows_of(url, "old").values())
        for stays in ("new", "kept", "example", "imported", "running", "swept"):
            assert store.whole_run(stays).id == stays
        assert store.started_by("one", 10) == ["new"]


def test_the_runs_of_a_comparison_go_together(url: str) -> None:
    old, kept, fresh = (ComparisonRecord(new_run_id(), LONG_AGO, True, None, Usage(), run_ids) for run_ids in
                        (("a1", "a2"), ("b1", "b2"), ("c1", "c2")))  # fmt: skip
    with Store.open(url) as store:
        for record in (old, kept, fresh):
            for run_id in record.run_ids:
                (first,), *rest = whole_run(run_id)
                assert isinstance(first, RunStarted)
                store.record([replace(first, comparison_id=record.id)], Usage(), run_id, record)
                for events in rest:
                    store.record(events, Usage(), run_id, record)
        store.flush()
        store.describe("b2", ("keep",), None)
        age(url, "a1", "a2", "b1", "b2", "c1")
        before = time.time() - DAY_S
        assert sorted(run.id for run in store.expired(before)) == ["a1", "a2"]
        assert store.prune(before) == 2 and store.prune(before) == 0
        assert store.comparison_of(["b1", "b2"]) and store.comparison_of(["c1", "c2"])
        store.describe("b2", (), None)
        age(url, "c2")
        assert store.prune(before) == 4


def test_an_imported_run_ages_from_its_import_and_not_from_when_it_was_made(store: Store) -> None:
    with_runs(store, "a")
    whole = document(*store.read("a"))
    old = whole | {"run": whole["run"] | {"id": "b", "created_at": LONG_AGO}}
    import_document(store, old)
    assert store.prune(time.time() - DAY_S) == 0
    assert store.prune(time.time() + DAY_S) == 2


def test_many_go_a_few_at_a_time(store: Store) -> None:
    with_runs(store, *(f"r{place}" for place in range(60)))
    assert store.prune(time.time() + DAY_S) == 60
    assert store.count() == 0


def test_what_a_visitor_deletes_is_gone_but_not_what_runs_nor_an_example(store: Store) -> None:
    with_runs(store, "a")
    store.record([started("running")], Usage(), "running")
    store.flush()
    assert store.erase(["a", "running", "nobody"]) == ["a"]
    with pytest.raises(InvalidInput, match="[Nn]o run has"):
        store.whole_run("a")
    assert store.restore(["a"]) == []


def test_the_file_shrinks_where_asked_and_its_room_is_used_again_else(file: Path) -> None:
    with Store.open(str(file)) as store:
        names = [f"r{place}" for place in range(80)]
        with_runs(store, *names)
        store.shrink()
        full = file.stat().st_size
        assert store.prune(time.time() + DAY_S) == 80
        with_runs(store, *(f"s{place}" for place in range(70)))
        assert file.stat().st_size <= 1.1 * full  # fewer runs fit into the room of those that went
        store.prune(time.time() + DAY_S)
        assert store.shrink()
        assert file.stat().st_size < full / 2


def test_no_clock_that_is_set_makes_runs_go_early() -> None:
    wall, passed = 1000.0, 50.0
    clock = Clock(lambda: wall, lambda: passed)
    assert clock.now() == 1000.0
    wall, passed = 10_000_000.0, 60.0  # set forward
    assert clock.now() == 1010.0
    wall, passed = 500.0, 70.0  # set back
    assert clock.now() == 500.0


@pytest.mark.parametrize(("text", "seconds"), [("12h", 43200), ("7d", 604800), (" 2 w ", 1209600), ("1h", 3600)])
def test_a_time_is_written_in_hours_days_or_weeks(text: str, seconds: int) -> None:
    assert span(text, "keep") == seconds


@pytest.mark.parametrize(
    "text", ["", "7", "d", "0d", "-1d", "7m", "1.5d", "7d7d", "٣d", "999999w", "7d\n8d", "forever"]
)
def test_any_other_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidInput, match="write hours, days or weeks") as caught:
        span(text, "keep")
    assert caught.value.argument == "keep" and "\n" not in str(caught.value)
