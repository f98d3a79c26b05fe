"""The recorded runs that the lessons show, and the steps that their words point at.

For each lesson the first problem of the test set is taken that shows what the lesson is about, with the form's own
seed. That is a choice, and the lesson says so; what proves anything are the effects over all problems.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.builtin_report.plan import JUDGE, TEST, WEAK_JUDGE
from benchmarks.lessons.effects import BEST_RULE, MOST, SMALL, USUAL
from engine.domains import Domains
from engine.domains.builtin.problems import Problem
from engine.domains.builtin.sets import problem_set
from engine.runs.host import Host
from engine.runs.judging import HALF
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.search.tree import Node, Tree
from engine.search.truth import Truth
from engine.store.document import document

#: Problems tried for a lesson, and what its trees should be: large enough to look at, small enough to be read.
TRIES, SHORTEST = 794, 3
FEWEST, MOST_NODES = 12, 90


@dataclass(frozen=True, slots=True)
class Side:
    """One search of a lesson, and whether its answer is right (None: it does not matter)."""

    params: RunParams
    right: bool | None
    scorer: str | None = JUDGE
    models: str = SMALL


@dataclass(frozen=True, slots=True)
class Found:
    """What a side came to on a problem."""

    run_id: str
    tree: Tree
    judge: str | None
    truth: Truth


#: Names the steps that a lesson points at, `a.NAME` in the first tree; None if the problem does not show them.
Points = Callable[[Sequence[Found]], dict[str, int] | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """The searches of a lesson, side by side, and what to point at."""

    sides: tuple[Side, ...]
    points: Points


def chosen(found: Sequence[Found]) -> dict[str, int] | None:
    """The leaf of each answer."""
    leaves = [each.tree.chosen for each in found]
    return {f"{letter}.chosen": leaf for letter, leaf in zip("ab", leaves, strict=False) if leaf is not None}


def missed(found: Sequence[Found]) -> dict[str, int] | None:
    """A wrong step that the first judge catches and the second takes for right."""
    good, weak = found
    for node in good.tree.nodes[1:]:
        same = _like(weak.tree, good.tree, node)
        if same is None or good.truth[node.id] != "wrong" or good.judge is None or weak.judge is None:
            continue
        if node.scores.get(good.judge, 1.0) < 0.1 and same.scores.get(weak.judge, 0.0) > 0.8:
            return {"a.wrong": node.id, "b.wrong": same.id}
    return None


def liked(found: Sequence[Found]) -> dict[str, int] | None:
    """The wrong answers that the judge likes best of all, and by how much it likes the right one less."""
    few, many = found
    assert few.judge and few.tree.chosen is not None and many.tree.chosen is not None
    low, high = (each.tree[each.tree.chosen or 0].scores.get(few.judge, 0.0) for each in found)
    return chosen(found) if high - low > 0.03 and low > HALF else None


def _like(tree: Tree, other: Tree, node: Node) -> Node | None:
    """The step of `tree` with the texts of `node`'s path."""
    wanted = [step.text for step in other.path(node)]
    return next((each for each in tree.nodes[1:] if [step.text for step in tree.path(each)] == wanted), None)


def _best(n: int, **more: Any) -> RunParams:
    return RunParams("best_of_n", n=n, **more)


def _search(strategy: str, n: int = USUAL) -> RunParams:
    return RunParams(strategy, n=n, width=4)


SHOWN: Mapping[str, Shown] = {
    "sampling": Shown((Side(RunParams("majority_vote", n=USUAL), True, None),), chosen),
    "judge": Shown((Side(_best(8), None), Side(_best(8), None, WEAK_JUDGE)), missed),
    "over-optimisation": Shown(
        (
            Side(_best(USUAL, select=BEST_RULE), True, WEAK_JUDGE),
            Side(_best(MOST, select=BEST_RULE), False, WEAK_JUDGE),
        ),
        liked,
    ),
    "beam-and-dvts": Shown((Side(_search("beam_search"), True), Side(_search("dvts"), True)), chosen),
    "looking-ahead": Shown((Side(_search("lookahead"), True), Side(_search("mcts"), False)), chosen),
    "who-pays": Shown(
        (Side(RunParams("majority_vote", n=MOST), False, None), Side(_best(USUAL), True)), chosen
    ),
    "compute-optimal": Shown((Side(_best(USUAL), False), Side(_search("beam_search"), True)), chosen),
    "small-and-large": Shown(
        (Side(_search("beam_search", MOST), True), Side(RunParams("greedy"), True, None, "builtin-m")), chosen
    ),
}  # fmt: skip


def record(host: Host, folder: Path, names: Sequence[str] = ()) -> None:
    """Write the runs of the lessons (where there are `names`, of those alone), and what they are to `runs.json`."""
    index = folder / "runs.json"
    kept = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}
    domains = Domains()
    try:
        for name in names or SHOWN:
            kept[name] = _lesson(host, domains, folder, name, SHOWN[name])
            print(f"{name}: {kept[name]['problem']}", flush=True)
    finally:
        domains.close()
    index.write_text(
        json.dumps({name: kept[name] for name in SHOWN if name in kept}, indent=1) + "\n", encoding="utf-8"
    )


def _lesson(host: Host, domains: Domains, folder: Path, name: str, shown: Shown) -> dict[str, Any]:
    for problem in problem_set(TEST)[:TRIES]:
        if len(problem.steps) < SHORTEST:
            continue
        found = _try(host, domains, problem, shown)
        points = shown.points(found) if found else None
        if points is None:
            continue
        sides = []
        for letter, each, side in zip("ab", found, shown.sides, strict=False):
            file = folder / f"{name}-{letter}.json"
            written = document(*host.store.read(each.run_id))
            file.write_text(json.dumps(written, separators=(",", ":")) + "\n", encoding="utf-8")
            params = {key: value for key, value in asdict(side.params).items() if value != getattr(_DEFAULT, key)}
            params["strategy"] = side.params.strategy
            sides.append({"file": file.name, "models": side.models, "scorer": side.scorer, "params": params})
        return {"problem": problem.text, "answer": problem.answer, "sides": sides, "points": points}
    raise LookupError(f"no problem shows what the lesson {name} is about")


_DEFAULT = RunParams("best_of_n")


def _try(host: Host, domains: Domains, problem: Problem, shown: Shown) -> list[Found]:
    """The sides on a problem; empty as soon as one is not as it should be."""
    found = []
    for side in shown.sides:
        running = host.submit(Question(problem.text, problem.answer), side.params, side.models, side.scorer)
        correct = bool(running.future.result().correct)
        host.store.flush(running.id)
        tree = host.store.tree(running.id)
        small = side.params.strategy != "greedy" and not FEWEST <= len(tree) <= 2 * MOST_NODES
        if small or (side.right is not None and correct is not side.right) or tree.chosen is None:
            return []
        checker = domains["maths"].step_checker(problem.text)
        assert checker is not None, "problems of the test set can be checked"
        truth = Truth(checker)
        truth.take(tree.nodes[1:])
        found.append(Found(running.id, tree, side.scorer, truth))
    return found
