"""A run document read back is the same run; what is no run document is refused with one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.sample_runs import record_all, whole_run

from engine.errors import InvalidInput
from engine.store import Store
from engine.store.document import document
from engine.store.ids import new_run_id
from engine.store.imports import import_document


@pytest.fixture
def exported(store: Store) -> dict[str, Any]:
    run_id = new_run_id()
    record_all(store, run_id, whole_run(run_id))
    store.flush()
    written: dict[str, Any] = json.loads(json.dumps(document(*store.read(run_id))))
    return written


def test_an_imported_run_is_exported_as_it_came(exported: dict[str, Any], tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "other.db")) as other:
        run_id = import_document(other, exported | {"a field of a later version": 1})
        again = document(*other.read(run_id))
    assert again["run"]["origin"] == "import"
    assert again | {"run": again["run"] | {"origin": "search"}} == exported


def test_importing_twice_changes_nothing(store: Store, exported: dict[str, Any]) -> None:
    before = document(*store.read(exported["run"]["id"]))
    assert import_document(store, exported) == exported["run"]["id"]
    assert document(*store.read(exported["run"]["id"])) == before
    assert len(store.runs()) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 2}, "version"),
        ({"format": "somebody.else"}, "format"),
        ({"nodes": [{"id": 1}]}, "nodes.0"),
        ({"run": None}, "run"),
    ],
)
def test_another_kind_of_document_is_refused(
    store: Store, exported: dict[str, Any], change: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInput, match=named) as refused:
        import_document(store, exported | change)
    assert "\n" not in str(refused.value)


def test_a_document_with_a_step_missing_is_refused(tmp_path: Path, exported: dict[str, Any]) -> None:
    torn = exported | {"nodes": [node for node in exported["nodes"] if node["id"] != 2]}
    with Store.open(str(tmp_path / "other.db")) as other, pytest.raises(InvalidInput, match="is inconsistent"):
        import_document(other, torn)
