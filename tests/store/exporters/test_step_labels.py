"""Files of step labels: what is in them, and that what was imported is written again as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.places import SHARED_DATA
from support.sample_runs import started

from engine.errors import InvalidInput
from engine.runs.importing import import_file
from engine.search.events import Decision, Grade, RunFinished, StepSampled, Usage
from engine.store import Store
from engine.store.exporters import LABELS, render_labels
from engine.store.ids import new_run_id

FORMATS = list(LABELS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(str(tmp_path / "runs.db")) as opened:
        yield opened


def searched(store: Store) -> str:
    """A run with a chosen path of three steps, an end that says nothing, and one step beside the first."""
    run_id = new_run_id()
    grade = Grade("7", True, "exact")
    store.record([
        started(run_id),
        StepSampled(1, 1, 0, 1, "3 + 4 = 7\n\n", (1,), 3, -0.1, "step"),
        StepSampled(2, 2, 0, 1, "3 + 4 = 8\n\n", (2,), 3, -0.2, "step"),
        StepSampled(3, 3, 1, 2, "So 7.\n\n", (3,), 3, -0.1, "step"),
        StepSampled(4, 4, 3, 3, "\\boxed{7}", (4,), 3, -0.1, "step"),
        StepSampled(5, 5, 4, 4, "", (0,), 1, -0.1, "eos", answer="7"),
        Decision(6, 5, "finish", "eos"),
        Decision(7, 5, "choose", "rule", {"weight": 1, "votes": 1, "of": 1}),
        RunFinished("done", None, "7", True, "exact", grades={"7": grade}),
    ], Usage(16), run_id)  # fmt: skip
    store.flush()
    return run_id


def labelled(store: Store) -> str:
    """A run whose chosen path is labelled right as far as its last step, which is wrong."""
    run_id = searched(store)
    tree = store.tree(run_id)
    assert tree.chosen is not None
    *before, last = [step for step in tree.path(tree[tree.chosen]) if step.text.strip()]
    store.label(run_id, "Ann", {step.id: 1 for step in before} | {last.id: -1})
    siblings = [child for child in tree.children(tree.root) if child not in before]
    store.label(run_id, "Ann", {siblings[0].id: 0})
    return run_id


def exported(store: Store, run_ids: list[str], format: str, labels: str | None = None) -> bytes:
    return render_labels(format, [store.read(run_id) for run_id in run_ids], labels)


def entries(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.decode("ascii").splitlines()]


def real(name: str) -> Path:
    file = SHARED_DATA / "step_labels" / name
    if not file.exists():
        pytest.skip(f"{file} is not here")
    return file


def again(tmp_path: Path, content: bytes, format: str) -> bytes:
    """The file imported into another database, and exported from there."""
    file = tmp_path / "labels.jsonl"
    file.write_bytes(content)
    with Store.open(str(tmp_path / "other.db")) as other:
        imported = import_file(other, file)
        return exported(other, list(imported.run_ids), format)


def test_labels_are_written_in_the_shape_of_each_format(store: Store) -> None:
    run_id = labelled(store)
    tree = store.tree(run_id)
    assert tree.chosen is not None
    path = [step for step in tree.path(tree[tree.chosen]) if step.text.strip()]
    texts = [step.text.removesuffix("\n\n") for step in path]

    (whole,) = [each for each in entries(exported(store, [run_id], "trl")) if each["completions"] == texts]
    assert list(whole) == ["prompt", "completions", "labels"]
    assert (whole["prompt"], whole["completions"]) == (tree.root.text, texts)
    assert whole["labels"] == [True] * (len(path) - 1) + [False]

    (bench,) = entries(exported(store, [run_id], "processbench"))
    assert list(bench) == ["id", "generator", "problem", "steps", "final_answer_correct", "label"]
    assert (bench["steps"], bench["label"]) == (texts, len(path) - 1)
    assert bench["id"] == f"{run_id}-{tree.chosen}" and bench["final_answer_correct"] is True

    (prm,) = entries(exported(store, [run_id], "prm800k"))
    first = prm["label"]["steps"][0]
    assert (prm["labeler"], prm["label"]["finish_reason"]) == ("Ann", "found_error")
    assert {each["rating"] for each in first["completions"]} == {1, 0}
    assert first["completions"][first["chosen_completion"]]["text"] == texts[0]
    assert [step["chosen_completion"] for step in prm["label"]["steps"]][-1] is None


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_of_ours_comes_back_as_the_same_bytes(store: Store, tmp_path: Path, format: str) -> None:
    content = exported(store, [labelled(store), labelled(store)], format)
    assert again(tmp_path, content, format) == content


@pytest.mark.parametrize("format", FORMATS)
def test_odd_texts_come_back_as_the_same_bytes(store: Store, tmp_path: Path, format: str) -> None:
    steps = ["  Zwei\n\nTeile é \u2028 \U0001f600", "a\r\nb\t\\boxed{1}", "ends blank\n\n"]
    record = {"problem": "Wie?", "steps": steps, "labels": [1, 0, -1]}
    (tmp_path / "odd.jsonl").write_text(json.dumps(record) + "\n")
    content = exported(store, list(import_file(store, tmp_path / "odd.jsonl").run_ids), format)
    assert steps[0] in json.dumps(entries(content), ensure_ascii=False).replace("\\n", "\n") or format == "prm800k"
    assert again(tmp_path, content, format) == content


def test_real_processbench_records_come_back_field_by_field(tmp_path: Path) -> None:
    file = real("processbench_gsm8k.json")
    original = json.loads(file.read_text())
    with Store.open(str(tmp_path / "bench.db")) as store:
        content = exported(store, list(import_file(store, file).run_ids), "processbench")
    assert content == "".join(f"{json.dumps(record)}\n" for record in original).encode()
    assert again(tmp_path, content, "processbench") == content


def test_real_prm800k_records_come_back_field_by_field(tmp_path: Path) -> None:
    file = real("tongyx361_prm800k-phase1-train-example.json")
    decoder, text, original = json.JSONDecoder(), file.read_text().strip(), []
    while text:
        record, end = decoder.raw_decode(text)
        original.append(record)
        text = text[end:].strip()
    with Store.open(str(tmp_path / "prm.db")) as store:
        content = exported(store, list(import_file(store, file).run_ids), "prm800k")
    assert content == "".join(f"{json.dumps(record)}\n" for record in original).encode()
    assert again(tmp_path, content, "prm800k") == content


def test_fields_that_nobody_knows_survive(store: Store, tmp_path: Path) -> None:
    record = {"prompt": "1 + 1?", "completions": ["It is 2.", "So 3."], "labels": [True, False], "split": {"a": [1]}}
    file = tmp_path / "trl.jsonl"
    file.write_text(json.dumps(record) + "\n")
    assert exported(store, list(import_file(store, file).run_ids), "trl") == file.read_bytes()


def test_whose_labels_is_asked_where_there_is_a_choice(store: Store) -> None:
    run_id = labelled(store)
    store.label(run_id, "Bob", {1: -1})
    with pytest.raises(InvalidInput, match="labels by 'Ann', 'Bob'; say whose with --labels"):
        exported(store, [run_id], "trl")
    assert [each["labels"] for each in entries(exported(store, [run_id], "trl", "Bob"))] == [[False]]
    assert exported(store, [run_id], "trl", "labels: Bob") == exported(store, [run_id], "trl", "Bob")
    with pytest.raises(InvalidInput, match="there are no labels by 'Eve'"):
        exported(store, [run_id], "trl", "Eve")
    with pytest.raises(InvalidInput, match="label steps first"):
        exported(store, [searched(store)], "trl")
