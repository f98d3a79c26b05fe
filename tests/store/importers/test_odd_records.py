"""Whatever stands in a record: it becomes a sound run, or it is refused in one line that names the place."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

import pytest
from support import import_samples as samples

from engine.domains import Domains
from engine.errors import InvalidInput
from engine.search.events import Grade
from engine.store.importers import FORMATS
from engine.store.importers.conversion import Origin, Ready, drafted_run
from engine.store.importers.draft import Draft

RECORDS: dict[str, dict[str, Any]] = {
    "beams": samples.BEAMS, "openr": samples.OPENR, "prefixes": samples.OPENR_PREFIXES, "treequest": samples.TREEQUEST,
    "mcts": samples.MCTS, "processbench": samples.PROCESSBENCH[0], "prm800k": samples.PRM800K,
    "phase 2": samples.PRM800K_PHASE_2, "rated": samples.RATED, "thinkbooster": samples.THINKBOOSTER,
    "result": samples.THINKBOOSTER_RESULT,
    "result with a tree": samples.THINKBOOSTER_RESULT | {
        "step_candidates": [{"step": 1, "candidates": [
            {"text": "\\boxed{7}", "score": 0.5, "status": "selected", "beam_unique_id": 1},
        ]}],
    },
    "result with paths": samples.THINKBOOSTER_RESULT | {
        "all_trajectories": ["a\n\nb", "c"], "all_trajectory_steps": [["a", "b"], ["c"]],
        "all_step_scores": [[0.1, 0.2], [0.3]], "best_idx": 1,
    },
    **{f"plain {at}": record for at, record in enumerate(samples.PLAIN)},
}  # fmt: skip
ODD = [
    None,
    True,
    0,
    -3,
    2**70,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "  ",
    "\x00\ud800",
    "0.5",
    [],
    [None],
    {},
    {"a": 1},
]


class _Reader:
    def __init__(self, domains: Domains) -> None:
        self._domain = domains["maths"]

    def answer_of(self, text: str) -> str | None:
        return self._domain.answer_of(text)

    def grades(self, answers: Sequence[str], reference: str | None) -> dict[str, Grade]:
        return self._domain.quick_grades(answers, reference)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a record with each of its keys or places."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in [(value, key), *_places(value[key])]]


def _import(record: dict[str, Any], reader: _Reader) -> int:
    format = next((format for format in FORMATS if format.recognises(record)), None)
    if format is None:
        return 0
    origin = Origin("odd.json", format.NAME, "odd.json, line 1", "2026-01-02T03:04:05+00:00")
    count = 0
    for item in format.runs(record, origin.place):
        assert isinstance(item, Draft) and not isinstance(item, Ready)
        count += len(drafted_run(item, "x" * 36, origin, reader))
    return count


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_with_something_odd_in_it(name: str) -> None:
    draw = random.Random(name)
    with Domains() as domains:
        reader = _Reader(domains)
        assert _import(RECORDS[name], reader) > 0
        came = refused = 0
        for _ in range(400):
            record = copy.deepcopy(RECORDS[name])
            for _ in range(draw.choice((1, 1, 2))):
                inside, key = draw.choice(_places(record))
                inside[key] = copy.deepcopy(draw.choice(ODD))
            try:
                _import(record, reader)
                came += 1
            except InvalidInput as error:
                assert str(error).startswith("FILE: odd.json, line 1") and "\n" not in str(error)
                refused += 1
    assert came and refused
