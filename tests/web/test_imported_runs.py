"""Where an imported run comes from, and what looked wrong with its file, stand above its tree as plain text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support import import_samples as samples

from engine.runs.importing import import_file
from engine.store import Store
from tts_ui.web.parts.fragments import detail, strip


def test_the_strip_names_the_source_and_the_warning(tmp_path: Path) -> None:
    torn = samples.BEAMS | {"scores": [[0.9, 0.8, 0.7], [0.9, 0.8, 0.7], [0.9, 0.2], [0.1, 0.05]]}
    with Store.open(str(tmp_path / "runs.db")) as store:
        (run_id,) = import_file(store, samples.lines(tmp_path / "beams.jsonl", [torn])).run_ids
        record, tree = store.run(run_id), store.tree(run_id)
    shown = strip(record, tree)
    assert "imported from beams.jsonl (search-and-learn completions)" in shown
    assert "Warning: completions[2] has 3 steps and 2 scores, which are left out" in shown
    assert "cost not recorded" in shown and "tokens" not in shown and "n/a" not in shown
    assert "imported from beams.jsonl" in detail(record, tree, tree.root, record.judge)
    assert "n/a tokens" in detail(record, tree, tree[1], record.judge)


def test_a_files_name_and_a_warning_are_text(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "runs.db")) as store:
        (run_id,) = import_file(store, samples.lines(tmp_path / "a.jsonl", [samples.BEAMS])).run_ids
        record, tree = store.run(run_id), store.tree(run_id)
    odd = replace(record, source="<img src=x>", source_format="<b>", warning="<script>alert(1)</script>")
    shown = strip(odd, tree)
    assert "<img" not in shown and "<script" not in shown and "&lt;script&gt;" in shown
