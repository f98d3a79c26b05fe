"""`make examples`: find the problems of the menu's examples anew, and record the runs that come with the product.

Needed when the built-in models or the strategies change. The first visit's run is the beam search of "Search beats
best-of-N"; the lesson on over-optimisation is the pair of beam searches of "More samples make it worse".
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
from engine.runs import teaching
from engine.runs.host import Host
from engine.runs.question import Question
from engine.runs.sweeps.sweep import Sweep
from engine.runs.teaching import FEW, MANY, POLICY, TEACHING, Found, Side, Teaching, Trial
from engine.store import Store
from engine.store.document import document

#: How many problems are tried for each example; the one that holds for most seeds is taken.
TRIES = 700
#: The first visit's tree should have some depth, and choices to look at.
SHOWN_STEPS, SHOWN_PRUNED = 5, 3
#: By how much the biased judge must prefer the wrong answer: a difference visible in the tree.
SHOWN_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Lesson:
    """Recorded runs of one problem that show something together, and the files that hold their documents."""

    name: str
    files: tuple[str, ...]


SHOWCASE = Lesson("search_wins", ("beam_search",))
OVER_OPTIMISED = Lesson("more_is_worse", (f"beam_search_{FEW}_short_prm", f"beam_search_{MANY}_short_prm"))
#: Recorded by hand (see assets/examples/README.md): its model is no part of the product.
REAL_MODEL = Lesson("real_model", ("real_model",))
LESSONS = (SHOWCASE, OVER_OPTIMISED, REAL_MODEL)


def files(lesson: Lesson) -> list[Path]:
    """Where the runs of a lesson are kept, in order."""
    return [assets() / "examples" / f"{name}.json" for name in lesson.files]


def record() -> None:
    """Find a problem for each example of the menu, and write the recorded runs."""
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as scratch, Store.open(str(Path(scratch) / "runs.db")) as store:
        host = Host(store)
        try:
            trial = Trial(Sweep("examples", store, host.domains), host.catalogue)
            for kind in TEACHING:
                taken = {each.problem for each in found.values()}
                suitable = (pair for pair in _suitable(trial, host, kind) if pair[0].text not in taken)
                problem, held = max(suitable, key=lambda pair: pair[1])
                found[kind.name] = Found(problem.text, problem.answer, held)
                print(f"{kind.title} ({held} of {len(teaching.SEEDS)} seeds): {problem.text}", flush=True)
                for lesson in (SHOWCASE, OVER_OPTIMISED):
                    if lesson.name == kind.name:
                        _write(store, lesson, _runs(host, kind, problem))
        finally:
            host.close()
    teaching.write(found)


def _suitable(trial: Trial, host: Host, kind: Teaching) -> Iterator[tuple[Problem, int]]:
    for problem, held in trial.find(kind, _problems(kind)):
        if kind.name == OVER_OPTIMISED.name:
            few, many = (_best_score(host.store, run_id) for run_id in _runs(host, kind, problem))
            if many - few < SHOWN_MARGIN:
                continue
        if kind.name == SHOWCASE.name:
            (run_id,) = _runs(host, kind, problem)
            if sum(node.status == "pruned" for node in host.store.tree(run_id).nodes) < SHOWN_PRUNED:
                continue
        yield problem, held


def _problems(kind: Teaching) -> Iterator[Problem]:
    """Held out from all training."""
    least = SHOWN_STEPS if kind.name == SHOWCASE.name else 2
    return (problem for problem in islice(stream("lesson", "validation"), TRIES) if len(problem.steps) >= least)


def _runs(host: Host, kind: Teaching, problem: Problem) -> list[str]:
    """The runs of a lesson: what its example shows, or all of its sides where they are what it shows."""
    return [_search(host, problem, side) for side in (kind.sides if kind.name == OVER_OPTIMISED.name else [kind.shown])]


def _best_score(store: Store, run_id: str) -> float:
    """The elected answer's score; under a `max` rule it is the best."""
    return store.run(run_id).answers(store.tree(run_id))[0].weight


def _search(host: Host, problem: Problem, side: Side) -> str:
    running = host.submit(Question(problem.text, problem.answer), side.params, POLICY, side.scorer)
    running.future.result()
    host.store.flush(running.id)
    return running.id


def _write(store: Store, lesson: Lesson, run_ids: list[str]) -> None:
    for file, run_id in zip(files(lesson), run_ids, strict=True):
        file.write_text(json.dumps(document(*store.read(run_id)), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
