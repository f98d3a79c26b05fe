"""A run document read back is the same run; what is no run document is refused with one line."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from support.sample_runs import record_all, whole_run

from engine.errors import InvalidInput
from engine.store import Store
from engine.store.checked import checked
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
        ({"nodes": [{"id": 1}]}, r"nodes\[0\]"),
        ({"run": None}, "run"),
    ],
)
def test_another_kind_of_document_is_refused(
    store: Store, exported: dict[str, Any], change: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInput, match=named) as refused:
        import_document(store, exported | change)
    assert "\n" not in str(refused.value)


Place = tuple[str | int, ...]

#: Where the document is changed, to what (`GONE`: the entry is left out), and the place that is named.
GONE = object()
FAULTS: list[tuple[Place, Any, str]] = [
    (("nodes", 3, "parent"), 3, "nodes[3].parent: it is its own parent"),
    (("nodes", 3, "parent"), 99, "nodes[3].parent: there is no node 99"),
    (("nodes", 3, "parent"), 5, "nodes[3].parent: there is no node 5 before it"),
    (("nodes", 3, "parent"), -1, "nodes[3].parent: there is no node -1"),
    (("nodes", 3, "parent"), None, "nodes[3].parent: a run has one root"),
    (("nodes", 3, "parent"), "zero", "nodes[3].parent"),
    (("nodes", 3, "parent"), GONE, "nodes[3].parent"),
    (("nodes", 0, "parent"), 0, "nodes[0].parent: the first node is the problem"),
    (("nodes", 3, "id"), 2, "nodes[3].id: node 2 comes where node 3 is due"),
    (("nodes", 3, "id"), "<b>3</b>", "nodes[3].id"),
    (("nodes", 2), GONE, "nodes[2].id: node 3 comes where node 2 is due"),
    (("nodes", 3, "depth"), 7, "nodes[3].depth: 7 is not one more"),
    (("nodes", 3, "depth"), -1, "nodes[3].depth"),
    (("nodes", 3, "tokens"), -5, "nodes[3].tokens: -5"),
    (("nodes", 3, "tokens"), 2**70, "nodes[3].tokens"),
    (("nodes", 3, "copies"), 0, "nodes[3].copies: 0"),
    (("nodes", 3, "logprob"), 2.5, "nodes[3].logprob: 2.5"),
    (("nodes", 3, "logprob"), float("nan"), "nodes[3].logprob: nan"),
    (("nodes", 3, "seq"), 1, "nodes[3].seq: 1"),
    (("nodes", 3, "finish"), "<script>", "nodes[3].finish"),
    (("nodes",), [], "nodes: there is none"),
    (("scores", 1, "node"), 99, "scores[1].node: there is no node 99"),
    (("scores", 1, "value"), 1.5, "scores[1].value: 1.5"),
    (("scores", 1, "value"), float("inf"), "scores[1].value: inf"),
    (("scores", 1, "value"), None, "scores[1].value"),
    (("scores", 1, "seq"), 0, "scores[1].seq: 0"),
    (("scores", 1, "n"), 0, "scores[1].n: 0"),
    (("scores", 1, "low"), 1.0, "scores[1].low: 1.0"),
    (("scores", 1, "scoring"), "x", "scores[1].scoring: there is no scoring 'x'"),
    (("scores", 1, "kind"), "guessed", "scores[1].kind"),
    (("decisions", 0, "node"), 99, "decisions[0].node: there is no node 99"),
    (("decisions", 0, "numbers"), {}, "decisions[0].numbers.k: it is missing"),
    (("decisions", 0, "numbers", "rank"), GONE, "decisions[0].numbers.rank: it is missing"),
    (("decisions", 0, "numbers", "rank"), float("inf"), "decisions[0].numbers.rank: inf"),
    (("decisions", 0, "numbers", "end"), 99, "decisions[0].numbers.end: there is no node 99"),
    (("decisions", -1, "numbers"), {}, "numbers.of: it is missing"),
    (("decisions", 0, "action"), "<b>", "decisions[0].action"),
    (("decisions", 1, "seq"), 8, "decisions[1].seq"),
    (("answers", 0, "nodes"), [99], "answers[0].nodes[0]: there is no node 99"),
    (("run", "id"), "<img src=x onerror=alert(1)>", "run.id: '<img"),
    (("run", "id"), "", "run.id: ''"),
    (("run", "id"), "x" * 200, "run.id"),
    (("run", "id"), 7, "run.id"),
    (("run", "parent_run"), "a b", "run.parent_run: 'a b'"),
    (("run", "created_at"), "yesterday", "run.created_at: 'yesterday'"),
    (("run", "created_at"), "2026-13-01T00:00:00Z", "run.created_at"),
    (("run", "created_at"), "2026-01-01T00:00:00", "run.created_at"),
    (("run", "problem"), "  ", "run.problem: it is empty"),
    (("run", "params"), {}, "run.params.select: it is missing"),
    (("run", "params", "select"), "<b>best</b>", "run.params.select"),
    (("run", "params", "n"), float("nan"), "run.params.n: nan"),
    (("run", "params"), GONE, "run.params"),
    (("run", "status"), "odd", "run.status"),
    (("usage", "wall_s"), -1.0, "usage.wall_s: -1.0"),
    (("usage", "generated_tokens"), 2**64, "usage.generated_tokens"),
    (("usage", "flops_all"), float("inf"), "usage.flops_all: inf"),
    (("scorings",), [{"id": "<b>"}], "scorings[0]"),
]  # fmt: skip


def changed(document: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    again: dict[str, Any] = copy.deepcopy(document)
    inside: Any = again
    for step in place[:-1]:
        inside = inside[step]
    if value is GONE:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    return again


@pytest.mark.parametrize(("place", "value", "named"), FAULTS, ids=range(len(FAULTS)))
def test_what_does_not_fit_is_refused_with_its_place(
    exported: dict[str, Any], place: Place, value: Any, named: str
) -> None:
    checked(exported)
    with pytest.raises(InvalidInput) as refused:
        checked(changed(exported, place, value))
    said = str(refused.value)
    assert named in said and "\n" not in said and said.startswith("FILE: ")


def test_flops_that_are_not_known_are_null_and_come_back_so(exported: dict[str, Any], tmp_path: Path) -> None:
    unknown = changed(changed(exported, ("usage", "flops_paper"), None), ("usage", "flops_all"), None)
    with Store.open(str(tmp_path / "other.db")) as other:
        assert document(*other.read(import_document(other, unknown)))["usage"] == unknown["usage"]
