"""Importing recorded files of other tools: nodes a second, and how much longer it takes than parsing the same file.

The files lie in `../shared/data/recorded` (search-and-learn, ThinkBooster, OpenR, mcts-reasoning) and are not part of
the project; without them there is nothing to measure. Each is imported into an empty SQLite file. "Graded" is the whole
import, the answers compared with the references by the worker process, whose start is part of it; "not graded" leaves
only that out, and is the best of three. The last figure is a long file: the first one again and again, as others.
"""

from __future__ import annotations

import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.report import Figure
from engine.domains import Domains
from engine.runs.importing import import_file
from engine.search.events import Grade
from engine.store import Store, importers
from engine.store.importers.json_values import json_values

TITLE = "importing recorded files, and json.loads of the same file"
RECORDED = Path(__file__).parents[2] / "shared" / "data" / "recorded"
TIMES, LONG_MB = 3, 100


def measure() -> list[Figure]:
    files = sorted(path for path in RECORDED.glob("*.json*") if path.is_file())
    if not files:
        return [Figure(f"no recorded files in {RECORDED}", "not measured")]
    figures = []
    for path in files:
        parsed = min(_seconds(lambda path=path: _parse(path)) for _ in range(TIMES))  # type: ignore[misc]
        graded = _imported(path, import_file)
        plain = min(_imported(path, _ungraded) for _ in range(TIMES))
        for name, (seconds, nodes) in (("graded", graded), ("not graded", plain)):
            times = f"{seconds / parsed:.0f} x json.loads ({1000 * parsed:.1f} ms)"
            figures.append(
                Figure(f"{path.name[:44]}, {name}", f"{nodes / seconds:,.0f} nodes/s, {seconds:.2f} s, {times}")
            )
    return [*figures, _long(files[0])]


def _parse(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        json.loads(text)
    else:
        for line in text.splitlines():
            json.loads(line)


def _seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def _imported(path: Path, importing: Callable[[Store, Path], object]) -> tuple[float, int]:
    """Seconds, and the nodes that were written."""
    with tempfile.TemporaryDirectory() as folder, Store.open(str(Path(folder) / "runs.db")) as store:
        seconds = _seconds(lambda: importing(store, path))
        return seconds, sum(len(store.tree(record.id)) for record in store.runs(limit=10_000))


class _Ungraded:
    """Answers are read, and not compared with anything."""

    def __init__(self, domains: Domains) -> None:
        self._domain = domains["maths"]

    def answer_of(self, text: str) -> str | None:
        return self._domain.answer_of(text)

    def grades(self, answers: Sequence[str], reference: str | None) -> dict[str, Grade]:
        return self._domain.quick_grades(answers, None)


def _ungraded(store: Store, path: Path) -> object:
    with Domains() as domains:
        return importers.import_file(store, path, _Ungraded(domains))


def _long(path: Path) -> Figure:
    """A file of many records: its time, and the memory that Python holds at the most."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder, Store.open(str(Path(folder) / "runs.db")) as store:
        long = Path(folder) / "long.jsonl"
        with open(long, "w", encoding="utf-8") as file:
            for turn in range(10_000):
                for record in records:
                    file.write(json.dumps(record | {"unique_id": f"{turn}"}) + "\n")
                if file.tell() > LONG_MB << 20:
                    break
        size = long.stat().st_size / (1 << 20)
        seconds = _seconds(lambda: _ungraded(store, long))
        tracemalloc.start()
        for _ in json_values(long):
            pass
        peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
        tracemalloc.stop()
        runs = store.count()
    return Figure(f"{size:.0f} MB, not graded", f"{runs:,} runs in {seconds:.0f} s; reading holds {peak:.1f} MB")
