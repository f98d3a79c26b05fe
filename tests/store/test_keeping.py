"""Tags, notes, and deletion: undone, refused, forgotten in the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import create_engine, select, update
from support.sample_runs import record_all, started, whole_run

from engine.errors import InvalidInput
from engine.search.events import RunStarted, Usage
from engine.store import ComparisonRecord, Store
from engine.store.address import resolve
from engine.store.document import document
from engine.store.imports import import_document
from engine.store.keeping import KEPT_S, LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, note_in, tags_in
from engine.store.listing import Wanted
from engine.store.tables import bills, comparisons, decisions, nodes, raises, runs, scores, tags


def listed(store: Store, **wanted: str) -> list[str]:
    return sorted(each.record.id for each in store.listed(Wanted(**wanted), 100))  # type: ignore[arg-type]


def with_runs(store: Store, *run_ids: str) -> None:
    for run_id in run_ids:
        record_all(store, run_id, whole_run(run_id))
    store.flush()


def test_tags_and_a_note_are_kept_and_replaced(url: str) -> None:
    with Store.open(url) as store:
        with_runs(store, "a", "b")
        store.describe("a", ("lesson", "zebra"), "a <b>note</b>")
        [first] = store.listed(Wanted(tag="zebra"), 10)
        assert (first.record.id, first.tags, first.record.note) == ("a", ("lesson", "zebra"), "a <b>note</b>")
        store.describe("a", (), None)
        assert {each.record.id: (each.tags, each.record.note) for each in store.listed(Wanted(), 10)} == {
            "a": ((), None), "b": ((), None),
        }  # fmt: skip
        with pytest.raises(InvalidInput, match="no such run"):
            store.describe("nobody", ("x",), None)


def test_what_people_write_becomes_tags_and_a_note() -> None:
    assert tags_in(" b,a ,, B, two  words,") == ("a", "b", "two words")
    assert tags_in("") == () and note_in("  \n ") is None and note_in(" x\x00 ") == "x\ufffd"
    for text, argument in ((",".join(map(str, range(MOST_TAGS + 1))), "tags"), ("x" * (LONGEST_TAG + 1), "tags")):
        with pytest.raises(InvalidInput) as caught:
            tags_in(text)
        assert caught.value.argument == argument
    assert len(tags_in(",".join(map(str, range(MOST_TAGS))))) == MOST_TAGS
    assert note_in("x" * LONGEST_NOTE) and tags_in("x" * LONGEST_TAG)
    with pytest.raises(InvalidInput, match=f"{LONGEST_NOTE} is the most"):
        note_in("x" * (LONGEST_NOTE + 1))


def test_a_deleted_run_is_nowhere_and_comes_back_whole(url: str) -> None:
    with Store.open(url) as store:
        with_runs(store, "a", "b")
        store.describe("a", ("x",), "note")
        before = store.read("a")
        assert store.delete(["a", "nobody"]) == ["a"] and store.delete(["a"]) == []
        assert listed(store) == ["b"] and listed(store, outcome="deleted") == ["a"] and store.count(Wanted()) == 1
        for ask in (store.run, store.whole_run, store.read, store.events, store.tree):
            with pytest.raises(InvalidInput, match="was deleted"):
                ask("a")
        assert store.restore(["a", "b"]) == ["a"]
        assert listed(store) == ["a", "b"] and store.read("a") == before
        assert [each.tags for each in store.listed(Wanted(tag="x"), 10)] == [("x",)]


def test_a_running_run_and_an_example_stay_and_so_do_the_others(url: str) -> None:
    with Store.open(url) as store:
        with_runs(store, "a")
        store.record([started("running")], Usage(), "running")
        whole = document(*store.read("a"))
        import_document(store, whole | {"run": whole["run"] | {"id": "example"}}, origin="example")
        for run_id, why in (("running", "stop it first"), ("example", "comes with the tool")):
            with pytest.raises(InvalidInput, match=why):
                store.delete(["a", run_id])
        assert listed(store) == ["a", "example", "running"]


def test_a_deleted_run_that_is_imported_again_is_there_again(url: str) -> None:
    with Store.open(url) as store:
        with_runs(store, "a")
        exported = document(*store.read("a"))
        store.delete(["a"])
        assert import_document(store, exported) == "a"
        assert document(*store.read("a")) == exported


def test_after_a_day_a_deleted_run_is_removed_with_all_it_consists_of(url: str) -> None:
    with Store.open(url) as store:
        compared = ComparisonRecord("c", "2026", True, None, Usage(), ("old", "older"))
        for run_id in compared.run_ids:
            for events in whole_run(run_id):
                begun = [replace(each, comparison_id="c") if isinstance(each, RunStarted) else each for each in events]
                store.record(begun, Usage(), run_id, compared)
        with_runs(store, "kept", "fresh")
        store.describe("old", ("x",), None)
        store.delete(["old", "older", "fresh"])
    engine = create_engine(resolve(url))
    with engine.begin() as connection:  # as if they had been deleted so long ago
        aged = update(runs).where(runs.c.id.in_(compared.run_ids))
        connection.execute(aged.values(deleted_at=runs.c.deleted_at - KEPT_S - 1))
    engine.dispose()
    with Store.open(url) as store:
        assert listed(store) == ["kept"] and listed(store, outcome="deleted") == ["fresh"]
        assert store.restore(["old", "older"]) == []
        with store._engine.connect() as connection:
            for table in (nodes, scores, decisions, raises, bills, tags):
                assert set(connection.execute(select(table.c.run_id)).scalars()) <= {"kept", "fresh"}, table.name
            assert not connection.execute(select(comparisons)).all()
        assert store.run("kept").status == "done"
