"""Whatever is in a file that is imported: it becomes runs that everything can show, or it is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import import_samples as samples
from support.every_view import viewing
from support.finished_runs import Solve
from support.odd import as_json, damaged, mutated, nested

from engine.errors import InvalidInput
from engine.runs.importing import import_file
from engine.store.exporters import render
from engine.store.importers import Imported

SEEDS = Path(__file__).with_name("seeds") / "imports"
#: One record of every kind that other tools write.
OTHERS: list[Any] = [
    samples.BEAMS, samples.OPENR, samples.OPENR_PREFIXES, samples.TREEQUEST, samples.MCTS, *samples.PROCESSBENCH,
    samples.PRM800K, samples.PRM800K_PHASE_2, samples.RATED, samples.THINKBOOSTER, samples.THINKBOOSTER_RESULT,
    *samples.PLAIN,
]  # fmt: skip

Import = Callable[[bytes], Imported | None]


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Import]:
    """Takes the content of a file in and looks at the first runs that came of it; None where it was refused."""
    folder = tmp_path_factory.mktemp("imports")
    file = folder / "file.json"
    with viewing(folder) as views:

        def take(content: bytes) -> Imported | None:
            file.write_bytes(content)
            try:
                imported = import_file(views.store, file)
            except InvalidInput as refused:
                assert "\n" not in str(refused) and len(str(refused)) < 1000, str(refused)
                return None
            for run_id in imported.run_ids[:2]:
                views.show(run_id)
            return imported

        yield take


@pytest.fixture(scope="module")
def documents(solved: Solve) -> Sequence[Any]:
    """Run documents of searches of ours, small ones, and a comparison of two of them."""
    runs = [solved("beam_search", n=4, width=2), solved("mcts", n=4), solved("best_of_n", n=2)]
    return [json.loads(render("json", each.record, each.events)) for each in runs]


@given(data=st.data())
def test_documents_of_ours_with_something_wrong(
    importing: Import, documents: Sequence[Any], data: st.DataObject
) -> None:
    importing(as_json(data.draw(mutated(documents))))


@given(record=mutated(OTHERS))
@example(record=nested(900))
def test_records_of_other_tools_with_something_wrong(importing: Import, record: Any) -> None:
    importing(as_json(record))


@given(records=st.lists(mutated(OTHERS) | st.sampled_from(OTHERS), min_size=2, max_size=3), lines=st.booleans())
def test_several_records(importing: Import, records: list[Any], lines: bool) -> None:
    importing(b"\n".join(map(as_json, records)) if lines else as_json(records))


@given(content=damaged([as_json(each) for each in OTHERS]))
@example(content=b"[" * 100_000)
@example(content=b'{"a":' * 100_000)
@example(content=b"SQLite format 3\0")
def test_bytes(importing: Import, content: bytes) -> None:
    importing(content)


@pytest.mark.parametrize("seed", sorted(SEEDS.glob("*")), ids=lambda seed: seed.name)
def test_what_was_a_fault_once(importing: Import, seed: Path) -> None:
    importing(seed.read_bytes())


def test_what_is_whole_comes_in(importing: Import, documents: Sequence[Any]) -> None:
    """The looking itself finds no fault with what is right; else the tests above would hold nothing."""
    for record in (*OTHERS, *documents):
        assert importing(as_json(record)) is not None
