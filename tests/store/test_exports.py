"""The run document and GraphML: names and shapes that others' scripts rely on."""

from __future__ import annotations

import io
import json

import networkx as nx
from support.sample_runs import POLICY, SCORER, ending, flat, levels, record_all, started, whole_run

from engine.search.events import Decision, Event, StepSampled, StepScored, Usage
from engine.store import Store
from engine.store.document import document, runs_document
from engine.store.exporters import render
from engine.store.ids import new_run_id

RUN = {
    "id", "created_at", "problem", "reference_answer", "strategy", "params", "policy", "scorer", "domain", "status",
    "stop_reason", "origin", "parent_run", "fork_node", "answer", "correct", "graded_by", "error",
}  # fmt: skip
USAGE = {
    "generated_tokens", "prompt_tokens", "prompt_tokens_reused", "scored_tokens", "scored_tokens_reused",
    "policy_calls", "scorer_calls", "flops_paper", "flops_all", "wall_s",
}  # fmt: skip
NODE = {
    "id", "parent", "depth", "text", "tokens", "logprob", "finish", "copies", "origin", "status", "answer", "seq",
}  # fmt: skip


def strict(content: object) -> object:
    """Through JSON and back, with nothing but JSON's own types."""
    return json.loads(json.dumps(content, allow_nan=False))


def test_the_document_has_the_contract_s_shape(store: Store) -> None:
    run_id = new_run_id()
    rounds = whole_run(run_id)
    record_all(store, run_id, rounds)
    store.flush()
    written = document(*store.read(run_id))
    assert strict(written) == written
    assert list(written) == ["format", "version", "run", "usage", "nodes", "scores", "decisions", "answers"]
    assert (written["format"], written["version"]) == ("tts-ui.run", 1)
    assert set(written["run"]) == RUN
    assert set(written["usage"]) == USAGE
    assert all(set(node) == NODE for node in written["nodes"])
    run = written["run"]
    assert (run["id"], run["policy"], run["scorer"]) == (run_id, POLICY.name, SCORER.name)
    assert (run["status"], run["answer"], run["correct"], run["graded_by"]) == ("done", "7", True, "exact")

    log = flat(rounds)
    assert [node["id"] for node in written["nodes"]] == list(range(len(written["nodes"])))
    root, leaf = written["nodes"][0], written["nodes"][-1]
    assert (root["parent"], root["depth"], root["seq"], root["text"]) == (None, 0, 0, run["problem"])
    assert (leaf["status"], leaf["copies"], leaf["answer"]) == ("finished", 2, "7")
    assert [node["status"] for node in written["nodes"][1:4]] == ["kept", "open", "pruned"]
    assert [entry["seq"] for entry in written["scores"]] == [e.seq for e in log if isinstance(e, StepScored)]
    assert [entry["seq"] for entry in written["decisions"]] == [e.seq for e in log if isinstance(e, Decision)]
    assert set(written["scores"][0]) == {"node", "scorer", "value", "kind", "seq"}
    assert set(written["decisions"][0]) == {"node", "action", "reason", "numbers", "seq"}
    assert written["answers"] == [
        {"answer": "7", "votes": 2, "weight": 1.5, "correct": True, "nodes": [leaf["id"]]},
    ]


def test_an_unfinished_run_has_a_document_too(store: Store) -> None:
    record_all(store, "r1", list(levels("r1", 2)))
    store.flush()
    written = document(*store.read("r1"))
    assert written["run"]["status"] == "running"
    assert written["answers"] == []
    assert strict(written) == written


def test_the_list_of_runs(store: Store) -> None:
    store.record([started("r1", scorer=None)], Usage(), "r1")
    store.flush()
    written = runs_document(store.runs())
    assert strict(written) == written
    assert (written["format"], written["version"]) == ("tts-ui.runs", 1)
    assert [set(run) for run in written["runs"]] == [RUN]
    assert written["runs"][0]["scorer"] is None
    assert runs_document([])["runs"] == []


def test_graphml_is_read_by_others_whatever_the_text(store: Store) -> None:
    odd = "a\x01\x0b\ufffe<b>&\U0001f600\n\n"
    step = StepSampled(1, 1, 0, 1, odd, None, 3, None, "step")
    steps: list[Event] = [started("r1"), step, StepScored(2, 1, "prm\x02", 0.5)]
    store.record([*steps, *ending(steps)], Usage(), "r1")
    store.flush()
    graph = nx.read_graphml(io.BytesIO(render("graphml", *store.read("r1"))))
    assert sorted(graph.nodes) == ["0", "1", "2"]
    assert sorted(graph.edges) == [("0", "1"), ("0", "2")]
    assert graph.nodes["1"]["text"] == "a<b>&\U0001f600\n\n"
    assert graph.nodes["1"]["score prm"] == 0.5
    assert graph.nodes["1"]["status"] == "open"
    assert "logprob" not in graph.nodes["1"]
    assert (graph.nodes["2"]["status"], graph.nodes["2"]["chosen"], graph.nodes["1"]["chosen"]) == (
        "finished",
        True,
        False,
    )
    assert graph.graph["answer"] == "7"
