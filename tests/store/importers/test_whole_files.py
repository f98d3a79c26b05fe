"""A file comes in as a whole or not at all, once, in any layout, and never as a whole in memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from support import import_samples as samples
from support.sample_runs import record_all, whole_run

from engine.errors import InvalidInput
from engine.runs.importing import import_file
from engine.store import Store
from engine.store.document import document
from engine.store.ids import ALPHABET, new_run_id
from engine.store.importers.json_values import json_values


def problem(number: int) -> dict[str, object]:
    return {"problem": f"What is {number} + 1?", "answer": str(number + 1), "completions": [f"\\boxed{{{number + 1}}}"]}


def test_a_fault_in_line_900_imports_nothing(store: Store, tmp_path: Path) -> None:
    records = [problem(number) for number in range(1000)]
    records[899] = {"problem": "What is 1 + 1?", "completions": ["\\boxed{2}", None]}
    path = samples.lines(tmp_path / "long.jsonl", records)
    with pytest.raises(InvalidInput, match=r"long\.jsonl, line 900, completions"):
        import_file(store, path)
    assert store.runs() == []
    records[899] = problem(899)
    came = import_file(store, samples.lines(path, records))
    assert (len(came.run_ids), came.known, came.warnings) == (1000, 0, ())


def test_importing_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    path = samples.lines(tmp_path / "a.jsonl", [problem(1), problem(2)])
    first = import_file(store, path)
    before = [document(*store.read(run_id)) for run_id in first.run_ids]
    again = import_file(store, path)
    assert (again.run_ids, again.known) == ((), 2)
    renamed = import_file(store, samples.lines(tmp_path / "renamed.jsonl", [problem(2), problem(3), problem(3)]))
    assert (len(renamed.run_ids), renamed.known) == (1, 2)
    assert [document(*store.read(run_id)) for run_id in first.run_ids] == before


def test_ids_follow_from_content_and_look_like_ours(store: Store, tmp_path: Path) -> None:
    (one,) = import_file(store, samples.lines(tmp_path / "a.jsonl", [problem(1)])).run_ids
    with Store.open(str(tmp_path / "other.db")) as other:
        (same,) = import_file(other, samples.whole(tmp_path / "b.json", [problem(1)])).run_ids
    assert one == same and len(one) == len(new_run_id()) and set(one) <= set(ALPHABET)


def test_runs_are_listed_in_the_order_of_the_file(store: Store, tmp_path: Path) -> None:
    came = import_file(store, samples.lines(tmp_path / "a.jsonl", [problem(number) for number in range(5)]))
    assert tuple(record.id for record in store.runs()) == came.run_ids


def _pretty(records: list[object]) -> str:
    return "\n".join(json.dumps(record, indent=4) for record in records)


LAYOUTS: dict[str, Callable[[list[object]], str]] = {
    "lines": lambda records: "\n".join(map(json.dumps, records)),
    "lines with blanks": lambda records: "\n\n".join(map(json.dumps, records)) + "\n\n",
    "windows": lambda records: "\ufeff" + "\r\n".join(map(json.dumps, records)),
    "array": json.dumps,
    "indented array": lambda records: json.dumps(records, indent=2),
    "one after another": _pretty,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_json_is_read(tmp_path: Path, layout: str) -> None:
    records: list[object] = [problem(number) for number in range(4)]
    path = tmp_path / "file.json"
    path.write_bytes(LAYOUTS[layout](records).encode())
    assert [value for _, value in json_values(path)] == records


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"hello", "line 1: it is not JSON"),
        (b'R\n{"a": 2\n{"a": 3}\n', "line 2: it is not JSON"),
        (b'{"a": 1\n{"a": 2}\n', "line 1: it is not JSON"),
        (b"[R, R", "line 1: the list of records does not end"),
        (b"[R R]", "between two records"),
        (b"[R]\n[]", "line 2: there is something after the end"),
        (b'{"a":\n 1,\n "b" 2}', "line 3: it is not JSON"),
        (b'{"a": 1}\n\xff\xfe{"a": 2}', "line 2: it is not text in UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"7", "a record is a JSON object"),
        (b'{"colour": "red", "size": 3}', "no format is known that has colour, size"),
        (b'{"format": "tts-ui.runs", "version": 1, "runs": []}', "a list of runs has no trees"),
        (b'{"format": "tts-ui.run", "version": 2}', "line 1: not a run document of version 1"),
        (b"\x89png\r\n\x1a\n", "not text in UTF-8"),
    ],
)
def test_what_is_no_such_file_is_refused_in_one_line(store: Store, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content.replace(b"R", json.dumps(problem(1)).encode()))
    with pytest.raises(InvalidInput, match=said) as refused:
        import_file(store, path)
    assert "\n" not in str(refused.value) and str(refused.value).startswith("FILE: odd.json")
    assert store.runs() == []


@pytest.mark.parametrize("name", ["nothing.json", "."])
def test_what_cannot_be_read_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        import_file(store, tmp_path / name)


@pytest.mark.parametrize("layout", ["lines", "array", "one after another"])
def test_a_long_file_is_never_in_memory_as_a_whole(tmp_path: Path, layout: str) -> None:
    record = {"problem": "x", "text": "words " * 10_000}
    path = tmp_path / "long.json"
    path.write_text(LAYOUTS[layout]([record] * 300), encoding="utf-8")
    told: list[tuple[int, int]] = []
    tracemalloc.start()
    try:
        count = sum(1 for _ in json_values(path, lambda done, total: told.append((done, total))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 300 and peak < path.stat().st_size / 2
    assert told[-1] == (path.stat().st_size,) * 2 and len(told) > 10


def test_our_own_document_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    run_id = new_run_id()
    record_all(store, run_id, whole_run(run_id))
    store.flush()
    exported = json.loads(json.dumps(document(*store.read(run_id))))
    with Store.open(str(tmp_path / "other.db")) as other:
        came = import_file(other, samples.whole(tmp_path / "run.json", exported))
        assert (came.run_ids, came.format) == ((run_id,), "tts-ui document")
        again = document(*other.read(run_id))
        assert (again["run"]["source"], again["run"]["source_format"]) == ("run.json", "tts-ui document")
        for name in ("source", "source_format"):
            del again["run"][name]
        assert again | {"run": again["run"] | {"origin": "search"}} == exported
        assert import_file(other, tmp_path / "run.json").known == 1


def test_a_warning_travels_with_the_run(store: Store, tmp_path: Path) -> None:
    torn = samples.BEAMS | {"scores": [[0.9, 0.8, 0.7], [0.9, 0.8, 0.7], [0.9, 0.2], [0.1, 0.05]]}
    (run_id,) = import_file(store, samples.lines(tmp_path / "torn.jsonl", [torn])).run_ids
    exported = document(*store.read(run_id))
    with Store.open(str(tmp_path / "other.db")) as other:
        import_file(other, samples.whole(tmp_path / "run.json", exported))
        record = other.run(run_id)
    assert record.warning == store.run(run_id).warning is not None
    assert (record.source, record.source_format) == ("torn.jsonl", "search-and-learn completions")
