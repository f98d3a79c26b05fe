"""Problem sets by name: the built-in ones, and those of the Hub from a stand-in server with the Hub's own addresses."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from huggingface_hub import constants
from support.hub_stand_in import Hub, Repository
from support.places import SHARED_DATA

from engine.errors import InvalidInput, ModelError
from engine.runs.problem_sets import names, problem_set
from engine.runs.problem_sets.hub_sets import HUB_SETS
from engine.search.domain import Domain


def parquet(*rows: dict[str, Any]) -> bytes:
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), written)
    return written.getvalue()


PROBLEMS = SHARED_DATA / "problems"
MATH = {"problem": "$1+1$?", "solution": "...", "answer": "2", "subject": "Algebra", "level": 4, "unique_id": "t/1"}
AIME = {"id": 60, "problem": "Aya walks.", "solution": "\\boxed{204}", "answer": "025", "url": "u", "year": "2024"}
AMC = "https://artofproblemsolving.com/wiki/index.php/{}_AMC_12A_Problems/Problem_1"
FILES = {
    "HuggingFaceH4/MATH-500": {"test.jsonl": json.dumps(MATH).encode() + b"\n"},
    "HuggingFaceH4/aime_2024": {"data/train-00000-of-00001.parquet": parquet(AIME)},
    "AI-MO/aimo-validation-amc": {
        "data/train-00000-of-00001.parquet": parquet(
            {"id": 0, "problem": "Of 2022.", "answer": 5.0, "url": AMC.format(2022)},
            {"id": 43, "problem": "Of 2023.", "answer": 27.0, "url": AMC.format(2023)},
        )
    },
    "openai/gsm8k": {
        "main/test-00000-of-00001.parquet": parquet({"question": "Ducks?", "answer": "3 - 1 = <<3-1=2>>2\n#### 1,002"})
    },
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The stand-in, and an empty cache; the Hub's library reads their addresses only when it is first imported."""
    serving = Hub({name: Repository(files) for name, files in FILES.items()})
    monkeypatch.setattr(constants, "ENDPOINT", serving.url)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix("https://huggingface.co")
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", serving.url + template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    yield serving
    serving.close()


@pytest.mark.parametrize(
    ("name", "problem", "answer", "id", "level", "subject"),
    [
        ("math-500", "$1+1$?", "2", "t/1", "4", "Algebra"),
        ("aime-2024", "Aya walks.", "025", "60", None, None),
        ("amc-2023", "Of 2023.", "27", "43", None, None),
        ("gsm8k", "Ducks?", "1,002", "row 1", None, None),
    ],
)
def test_a_set_of_the_hub_is_downloaded_once_at_its_commit(
    hub: Hub, name: str, problem: str, answer: str, id: str, level: str | None, subject: str | None
) -> None:
    first = problem_set(name)
    (found,) = first.problems
    assert (found.question.problem, found.question.reference) == (problem, answer)
    assert (found.id, found.level, found.subject) == (id, level, subject)
    assert first.revision == HUB_SETS[name].revision and not first.guessed
    assert any(f"/resolve/{first.revision}/" in path for path in hub.requests)
    asked = len(hub.requests)
    assert astuple(problem_set(name)) == astuple(first)
    assert len(hub.requests) == asked


async def test_an_answer_is_right_whatever_zeros_and_commas_the_set_writes(hub: Hub, maths: Domain) -> None:
    for name, answer in (("aime-2024", "25"), ("gsm8k", "1002"), ("amc-2023", "27")):
        reference = problem_set(name).problems[0].question.reference
        assert (await maths.grades([answer], reference))[answer].correct


def test_what_the_hub_lacks_is_said_in_one_line(hub: Hub) -> None:
    hub.repositories.pop("openai/gsm8k")
    hub.repositories["HuggingFaceH4/MATH-500"].files.pop("test.jsonl")
    for name, says in (("gsm8k", "no dataset openai/gsm8k"), ("math-500", "the Hub answers 404")):
        with pytest.raises(ModelError) as refusal:
            problem_set(name)
        assert says in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_hub_that_nobody_answers_at_is_said_at_once(hub: Hub) -> None:
    hub.close()
    with pytest.raises(ModelError, match="openai/gsm8k is not on this machine and the Hub cannot be.*or give a file"):
        problem_set("gsm8k")


def test_builtin_sets_keep_difficulty_and_family() -> None:
    found = problem_set("builtin-hard", limit=7)
    assert {each.level for each in found.problems} <= {"5", "6"}
    assert all(each.subject and each.question.reference for each in found.problems)
    assert found.said == "builtin-hard: 7 problems of 150"


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput) as refusal:
        problem_set("MATH500")
    assert "did you mean math-500?" in str(refusal.value)
    assert all(name in str(refusal.value) for name in names())


def test_what_cannot_be_asked_of_a_named_set_is_refused() -> None:
    with pytest.raises(InvalidInput, match="limit"):
        problem_set("builtin-easy", limit=0)
    with pytest.raises(InvalidInput, match="are known; leave them out"):
        problem_set("builtin-easy", columns={"problem": "x"})


@pytest.mark.skipif(not PROBLEMS.is_dir(), reason="the real problem files are not here")
@pytest.mark.parametrize(("file", "count"), [("math500", 500), ("aime24", 30), ("amc23", 40), ("gsm8k_test", 1319)])
def test_the_real_files_are_read_whole(file: str, count: int) -> None:
    found = problem_set(str(PROBLEMS / f"{file}.jsonl"))
    assert len(found.problems) == count and not found.dropped
    if file == "math500":
        assert {each.level for each in found.problems} == {"1", "2", "3", "4", "5"}
