"""The example runs that come with the product, recorded again by `make examples` when the built-in models change.

The first visit's example is a problem that greedy decoding and the majority get wrong and beam search gets right. The
lesson on over-optimisation is a pair of best-of-N runs under the weak PRM: the best-scored of 16 samples is right, and
among 64 samples, the same 16 included, there is a wrong one that the judge scores higher.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from engine.assets import assets
from engine.domains.builtin.problems import Problem, stream
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.events import RunFinished
from engine.search.params import RunParams
from engine.store import Store
from engine.store.document import document

#: How many problems are tried before giving up the search for an example.
TRIES = 4000
EASIEST = 3
#: The first visit's tree should have some depth, and choices to look at.
SHOWN_STEPS, SHOWN_PRUNED = 5, 8
#: By how much the poor judge must prefer the wrong answer: a difference visible in the tree.
SHOWN_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Lesson:
    """Runs of one problem that show something together, and where their documents are kept."""

    name: str
    runs: dict[str, RunParams]
    scorer: str | None = None


SHOWCASE = Lesson("showcase", {"beam_search": RunParams("beam_search", n=16, width=4)})
OVER_OPTIMISED = Lesson(
    "over_optimised",
    {f"best_of_{n}_weak_prm": RunParams("best_of_n", n=n, select="prm_last_max") for n in (16, 64)},
    "builtin-prm-weak",
)


def folder() -> Path:
    return assets() / "examples"


def files(lesson: Lesson) -> list[Path]:
    """Where the runs of a lesson are kept, in order."""
    return [folder() / f"{name}.json" for name in lesson.runs]


def record() -> None:
    """Find a problem for each lesson and write its runs."""
    with tempfile.TemporaryDirectory() as scratch, Store.open(str(Path(scratch) / "runs.db")) as store:
        host = Host(store)
        try:
            _write(store, SHOWCASE, _showcase(host))
            _write(store, OVER_OPTIMISED, _over_optimised(host))
        finally:
            host.close()


def _problems() -> Iterator[Problem]:
    """Held out from all training; the longer ones."""
    return (problem for problem in islice(stream("lesson", "validation"), TRIES) if problem.difficulty >= EASIEST)


def _showcase(host: Host) -> list[str]:
    for problem in _problems():
        if len(problem.steps) < SHOWN_STEPS:
            continue
        fails = (RunParams("greedy"), RunParams("majority_vote"))
        if any(_search(host, problem, params)[1].correct for params in fails):
            continue
        run_id, end = _search(host, problem, SHOWCASE.runs["beam_search"])
        pruned = sum(node.status == "pruned" for node in host.store.tree(run_id).nodes)
        if end.correct and pruned >= SHOWN_PRUNED:
            return [run_id]
    raise RuntimeError("no problem suits the showcase")


def _over_optimised(host: Host) -> list[str]:
    few, many = OVER_OPTIMISED.runs.values()
    for problem in _problems():
        first, right = _search(host, problem, few, OVER_OPTIMISED.scorer)
        if not right.correct:
            continue
        second, end = _search(host, problem, many, OVER_OPTIMISED.scorer)
        if end.correct is not False or end.answer is None:
            continue
        if _best_score(host.store, second) - _best_score(host.store, first) >= SHOWN_MARGIN:
            return [first, second]
    raise RuntimeError("no problem shows over-optimisation")


def _best_score(store: Store, run_id: str) -> float:
    """The elected answer's score; under a `max` rule it is the best."""
    return store.run(run_id).answers(store.tree(run_id))[0].weight


def _search(host: Host, problem: Problem, params: RunParams, scorer: str | None = None) -> tuple[str, RunFinished]:
    running = host.submit(Question(problem.text, problem.answer), params, scorer=scorer)
    end = running.future.result()
    host.store.flush(running.id)
    return running.id, end


def _write(store: Store, lesson: Lesson, run_ids: list[str]) -> None:
    for file, run_id in zip(files(lesson), run_ids, strict=True):
        file.write_text(json.dumps(document(*store.read(run_id)), indent=1) + "\n", encoding="utf-8")
        print(f"{file.name}: {store.run(run_id).problem}")


if __name__ == "__main__":
    record()
