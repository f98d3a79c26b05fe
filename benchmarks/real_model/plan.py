"""What is run: one model as policy and as its own judge, on the same problems by four methods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.search.params import RunParams

N, WIDTH = 8, 4
#: Tokens of a completion at most: a small model may repeat itself until its context window is full.
LONGEST = 1024
#: The pair's name in the models file that is made here.
PAIR = "real"


def _cell(strategy: str, **params: Any) -> Cell:
    return Cell(PAIR, RunParams(strategy, max_tokens=LONGEST, **params))


#: What is timed together, by what it is called: majority and best-of-N read the same samples.
GROUPS: Mapping[str, tuple[Cell, ...]] = {
    "greedy": (_cell("greedy"),),
    "samples": (_cell("majority_vote", n=N), _cell("best_of_n", n=N)),
    "beam search": (_cell("beam_search", n=N, width=WIDTH),),
}


def models_file(model: Path) -> str:
    """A models file whose only pair is `model`, judged by itself; records call it by its folder's name."""
    path, name = json.dumps(str(model.resolve())), json.dumps(model.resolve().name)
    return f"""[[pair]]
name = "{PAIR}"
policy = {name}
scorer = {json.dumps(judge_name(model))}
[[policy]]
kind = "local"
name = {name}
path = {path}
[[scorer]]
kind = "likelihood"
name = {json.dumps(judge_name(model))}
path = {path}
"""


def judge_name(model: Path) -> str:
    return f"{model.resolve().name}-likelihood"


def questions(file: Path, first: int) -> list[Question]:
    """The first problems of a JSON Lines file in GSM8K's form (`question`, `answer` ending in "#### 18") or with
    `problem` and `answer`. Raises `InvalidInput`.
    """
    found: list[Question] = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if len(found) == first:
                break
            try:
                row = json.loads(line)
                problem = str(row["question"] if "question" in row else row["problem"])
                found.append(Question(problem, str(row["answer"]).rpartition("####")[2].strip()))
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidInput("problems", f"{file}, line {number}: no problem with an answer ({error})") from error
    if len(found) < first:
        raise InvalidInput("problems", f"{file} has {len(found)} problems, not {first}")
    return found
