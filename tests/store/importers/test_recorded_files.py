"""Real files of other tools, where they lie beside the project: they come in, and their figures are what they were."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from support.places import SHARED_DATA

from engine.runs.importing import import_file
from engine.search.selection import answer_groups
from engine.search.tree import Node
from engine.store import RunRecord, Store

RECORDED, LABELS = SHARED_DATA / "recorded", SHARED_DATA / "step_labels"
ONE_B = RECORDED / "beam_llama3.2-1b-awq_n16_q20.jsonl"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded files are not beside the project")


def _right(record: RunRecord, leaf: Node) -> bool:
    return leaf.answer is not None and bool(record.grades[leaf.answer].correct)


def test_the_accuracies_of_the_1b_file_are_those_that_were_measured_on_it(store: Store) -> None:
    """45.6 % of the completions are right, and 70 % of the problems have a right one; the best last score is right on
    55 % and the majority on 60 %, where ties go to the first completion of the file."""
    came = import_file(store, ONE_B)
    records = [store.run(run_id) for run_id in came.run_ids]
    assert (len(records), came.warnings, {record.strategy for record in records}) == (20, (), {"beam_search"})
    completions = [json.loads(line)["completions"] for line in ONE_B.read_text(encoding="utf-8").splitlines()]
    right = solved = best = majority = 0.0
    for record, told in zip(records, completions, strict=True):
        tree = store.tree(record.id)
        leaves = {"".join(node.text for node in tree.path(leaf)): leaf for leaf in tree.completions()}
        drawn = [leaves[text] for text in told]
        assert Counter(leaf.id for leaf in drawn) == {leaf.id: leaf.copies for leaf in leaves.values()}
        right += sum(_right(record, leaf) for leaf in drawn) / len(drawn)
        solved += any(_right(record, leaf) for leaf in drawn)
        best += _right(record, max(drawn, key=lambda leaf: leaf.scores[record.judge or ""]))
        groups = answer_groups(tree, record.grades, "majority_vote", None)
        most = {node for group in groups if group.answer for node in group.nodes if group.votes == groups[0].votes}
        majority += _right(record, next(leaf for leaf in drawn if leaf.id in most))
    assert round(100 * right / 20, 1) == 45.6
    assert (100 * solved / 20, 100 * best / 20, 100 * majority / 20) == (70, 55, 60)


def test_the_file_whose_completions_are_mixed_up_is_warned_of_wherever_it_is_shown(store: Store) -> None:
    came = import_file(store, RECORDED / "DEFECTIVE_bon_llama3.2-3b-awq_n16_q100.jsonl")
    assert len(came.run_ids) == 100 and len(came.warnings) > 90
    assert all("other problems" in (store.run(run_id).warning or "") for run_id in came.run_ids)


@pytest.mark.parametrize("name", ["beam_llama3.1-8b-awq_n4_q100.jsonl", "beam_qwen2.5-math-7b_n4_q100.jsonl"])
def test_sound_files_are_hardly_warned_of(store: Store, name: str) -> None:
    came = import_file(store, RECORDED / name)
    assert len(came.run_ids) == 100 and sum("other problems" in warning for warning in came.warnings) <= 1
    torn = [warning for warning in came.warnings if "left out" in warning]
    assert [warning.count("completions[") for warning in torn] == ([3] if "qwen" in name else [])


@pytest.mark.parametrize(
    ("path", "runs", "nodes"),
    [
        (RECORDED / "openr_samples_math-aps-tree.jsonl", 3, 143 + 90 + 24 - 3),
        (RECORDED / "mcts-reasoning_gpu_selfconsistency_12sim.json", 1, None),
        (RECORDED / "thinkbooster_cached_examples.json", 10, None),
        (LABELS / "processbench_gsm8k.json", 400, None),
        (LABELS / "tongyx361_RM-scored-example.json", 1, 4),
        (LABELS / "tongyx361_prm800k-phase1-train-example.json", 3, None),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else None,
)
def test_every_recorded_file_comes_in_once(store: Store, path: Path, runs: int, nodes: int | None) -> None:
    came = import_file(store, path)
    assert (len(came.run_ids), came.known) == (runs, 0)
    if nodes is not None:
        drawn = sum(node.copies for run_id in came.run_ids for node in store.tree(run_id).nodes[1:])
        assert drawn == nodes
    assert all(store.run(run_id).source == path.name for run_id in came.run_ids)
    again = import_file(store, path)
    assert (again.run_ids, again.known) == ((), runs)
