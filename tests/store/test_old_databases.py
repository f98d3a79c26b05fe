"""Databases of earlier versions, made by their own migrations and filled by SQL: they open, and keep what they had."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from support.old_databases import upgraded

from engine.runs.examples import LESSONS
from engine.search.events import Decision, Grade, ModelInfo, RunFinished, StepSampled, StepScored, Usage
from engine.search.selection import recorded
from engine.search.tree import Tree
from engine.store import Store
from tts_ui.web.parts.lessons import import_all, run_ids

RUN = {
    "id": "old", "created_at": "2026-01-02T03:04:05.678Z", "problem": "3 + 4", "reference_answer": "7",
    "strategy": "beam_search", "params": '{"n": 4, "select": "prm_last_vote"}', "status": "done", "origin": "search",
    "answer": "7", "correct": True, "graded_by": "exact",
    "grades": '{"7": {"group": "7", "correct": true, "rule": "x"}}',
    "policy": "p", "policy_parameters": 10, "policy_context_window": 512, "policy_digest": "", "policy_dtype": "",
    "policy_device": "", "policy_template": "", "scorer": "prm", "scorer_parameters": 20, "scorer_context_window": 512,
    "scorer_digest": "", "scorer_dtype": "", "scorer_device": "", "scorer_template": "", "generated_tokens": 12,
    "prompt_tokens": 3, "prompt_tokens_reused": 0, "scored_tokens": 9, "scored_tokens_reused": 0, "policy_calls": 1,
    "scorer_calls": 1, "flops_paper": 240.0, "flops_all": 300.0, "wall_s": 0.5, "product_version": "0.0.9",
    "owner_host": "here", "owner_pid": 1, "owner_started": "", "heartbeat": 0.0,
}  # fmt: skip
NODE = {
    "run_id": "old", "depth": 1, "text": "a", "tokens": 3, "finish": "step", "origin": "policy", "copies": 1,
    "first_copies": 1,
}  # fmt: skip
NODES: list[dict[str, Any]] = [
    NODE | {"id": 0, "depth": 0, "text": "3 + 4", "tokens": 0, "seq": 0, "revised_seq": 0},
    NODE | {"id": 1, "parent": 0, "copies": 5, "first_copies": 2, "seq": 1, "revised_seq": 4, "token_ids": "[7, 8]"},
    NODE | {"id": 2, "parent": 1, "seq": 2, "revised_seq": 2, "finish": "eos", "depth": 2, "text": "b", "answer": "7",
            "logprob": -0.5},
]  # fmt: skip
SCORE = {"run_id": "old", "seq": 3, "node": 2, "scorer": "prm", "value": 0.75, "kind": "measured"}
DECISION = {"run_id": "old", "seq": 5, "node": 2, "action": "finish", "reason": "eos", "numbers": "{}"}

FIRST, LEAF = (
    StepSampled(1, 1, 0, 1, "a", (7, 8), 3, None, "step", 2),
    StepSampled(2, 2, 1, 2, "b", None, 3, -0.5, "eos", 1, answer="7"),
)
LOG = [
    FIRST, LEAF, StepScored(3, 2, "prm", 0.75), StepSampled(4, 1, 0, 1, "a", (7, 8), 3, None, "step", 5),
    Decision(5, 2, "finish", "eos"), RunFinished("done", None, "7", True, "exact", None, {"7": Grade("7", True, "x")}),
]  # fmt: skip


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    places = ", ".join("?" * len(row)) if connection.dialect.name == "sqlite" else ", ".join(["%s"] * len(row))
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))


@pytest.fixture(params=["0001", "0002"])
def old(request: pytest.FixtureRequest, url: str) -> str:
    """A database as that version left it, with a finished run in it."""
    engine = upgraded(url, request.param)
    with engine.begin() as connection:
        insert(connection, "runs", RUN)
        for node in NODES:
            insert(connection, "nodes", node)
        insert(connection, "scores", SCORE)
        insert(connection, "decisions", DECISION)
        if request.param == "0002":
            row = {"id": "c", "created_at": "", "paired": True, "run_ids": '["old", "older"]'} | vars_of(Usage(5))
            insert(connection, "comparisons", row)
    engine.dispose()
    return url


def vars_of(usage: Usage) -> dict[str, Any]:
    return {name: getattr(usage, name) for name in Usage.__slots__}


def test_an_old_database_opens_and_its_run_reads_as_it_was(old: str) -> None:
    with Store.open(old) as store:
        record, log = store.read("old")
        assert log[1:] == LOG
        assert (record.domain, record.origin, record.status, record.scorings) == ("maths", "search", "done", ())
        assert record.policy == ModelInfo("p", 10, 512) and record.judge == "prm"
        assert record.usage == Usage(12, 3, 0, 9, 0, 1, 1, 240.0, 300.0, 0.5)
        assert Tree.from_events(log)[1].copies == 5
        assert store.events("old", 3)[0] == LOG[3]
        early, events = store.read("old", until_seq=3)
        assert (early.status, early.bill_known, events[1:]) == ("running", False, LOG[:3])


def test_an_old_run_can_be_scored_and_new_ones_are_recorded_beside_it(old: str) -> None:
    with Store.open(old) as store:
        store.add_scoring(
            "old", ModelInfo("another", 0, 0), "imported", [StepScored(0, 1, "another", 1.0, "imported")], Usage()
        )
        added = store.events("old")[-1]
        assert isinstance(added, StepScored) and (added.seq, added.node, added.kind) == (6, 1, "imported")
        import_all(store)
        assert {record.id for record in store.runs()} == {
            "old",
            *(each for lesson in LESSONS for each in run_ids(lesson)),
        }


def test_the_comparisons_of_the_second_version_are_kept(file: Path) -> None:
    engine = upgraded(str(file), "0002")
    with engine.begin() as connection:
        row = {"id": "c", "created_at": "", "paired": True, "run_ids": '["a", "b"]'} | vars_of(Usage(5))
        insert(connection, "comparisons", row)
    engine.dispose()
    with Store.open(str(file)) as store:
        found = store.comparison("c")
        assert (found.run_ids, found.paired, found.budget, found.shared) == (("a", "b"), True, None, Usage(5))


@pytest.mark.parametrize("revision", ["0001", "0006"])
def test_old_runs_have_no_numbers_on_how_sure_the_policy_was(url: str, revision: str) -> None:
    engine = upgraded(url, revision)
    with engine.begin() as connection:
        insert(connection, "runs", RUN | ({"domain": "maths"} if revision == "0006" else {}))
        for node in NODES:
            kept = node if revision == "0001" else {name: node[name] for name in node if name != "revised_seq"}
            insert(connection, "nodes", kept)
    engine.dispose()
    with Store.open(url) as store:
        record, log = store.read("old")
        tree = Tree.from_events(log)
        assert [(node.confidence, node.certainty) for node in tree.nodes] == [(None, None)] * 3
        assert record.answer == "7" and not recorded(finished(tree), "confidence_vote", None)


def finished(tree: Tree) -> Tree:
    tree.apply(Decision(9, 2, "finish", "eos"))
    return tree


def test_a_column_that_went_is_gone(file: Path) -> None:
    upgraded(str(file), "0002").dispose()
    Store.open(str(file)).close()
    connection = sqlite3.connect(file)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(nodes)")}
    connection.close()
    assert "revised_seq" not in columns and {"copies", "first_copies", "seq"} <= columns


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_recorded_examples_import(store: Store, lesson: Any) -> None:
    import_all(store)
    for run_id in run_ids(lesson):
        record, log = store.read(run_id)
        assert (record.origin, record.domain, record.status) == ("example", "maths", "done")
        assert record.judge is not None and isinstance(log[-1], RunFinished)
        assert record.answers(store.tree(run_id))[0].answer == record.answer
