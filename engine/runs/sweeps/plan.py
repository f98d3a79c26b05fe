"""The plan of a sweep: which configurations are run, what is read from others instead, what is there already, and what
the rest will cost. Nothing is loaded for it.

Best-of-N and majority votes are run at the largest N alone: smaller ones are read from its draws. A majority vote is
not run at all where best-of-N draws the same samples.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.problem_sets import Problem, problem_set
from engine.runs.question import Question
from engine.runs.run import UNGUIDED
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.declared import Declared
from engine.runs.sweeps.forecast import Cost, forecast
from engine.search.params import RunParams
from engine.search.selection import RULES
from engine.search.strategies import STRATEGIES
from engine.store import Store
from engine.store.ids import new_run_id
from engine.store.sweep_records import SweepRecord


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep that can be run: `id` begins the `sweep_id` of its runs. `notes` say in a line each what is not run, and
    why; `done` are the problems that are done under each cell."""

    id: str
    name: str
    declared: Declared
    problems: tuple[Problem, ...]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    done: Mapping[Cell, frozenset[str]] = field(default_factory=dict)
    cost: Cost = Cost()
    created_at: str = ""
    elapsed_s: float = 0.0

    @property
    def runs(self) -> int:
        return len(self.cells) * len(self.problems)

    @property
    def runs_done(self) -> int:
        return sum(map(len, self.done.values()))

    def left(self, cell: Cell) -> int:
        return len(self.problems) - len(self.done.get(cell, ()))

    @property
    def levels(self) -> dict[str, str]:
        return {each.question.problem: each.level for each in self.problems if each.level is not None}


def new_plan(store: Store, catalogue: Catalogue, declared: Declared) -> Plan:
    """The plan of a sweep that has not begun. Raises `InvalidInput` for what the catalogue or the set does not have, or
    a name that is taken."""
    cells, notes = cells_of(declared, catalogue)
    found = problem_set(declared.problems, limit=declared.limit, columns=declared.columns or None)
    now = datetime.now(UTC)
    taken = {name for each in store.sweeps() for name in (each.name, each.id)}
    name = declared.name or _free(f"{found.name} {now:%Y-%m-%d %H:%M:%S}", taken)
    if name in taken:
        raise InvalidInput("name", f"a sweep is called {name!r} already; give another, or go on with --resume {name!r}")
    notes = [found.said, *notes] if found.dropped or found.guessed else notes
    plan = Plan(new_run_id(), name, declared, found.problems, cells, tuple(notes), created_at=_iso(now))
    return _with_cost(store, catalogue, plan)


def _free(name: str, taken: Collection[str]) -> str:
    """`name`, numbered where another sweep began in the same second."""
    numbered = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(each for each in numbered if each not in taken)


def resumed(store: Store, catalogue: Catalogue, record: SweepRecord) -> Plan:
    """The plan of a sweep that began: the same cells and problems, without what is done."""
    if record.status == "running":
        raise InvalidInput(
            "resume",
            f"{record.name} is running (process {record.owner.pid}); wait for it, or stop it with Ctrl-C there",
        )
    if not record.configuration:
        raise InvalidInput("resume", f"{record.name} was not declared here, so nobody knows how it went on; start anew")
    declared = Declared.of(record.configuration)
    cells, notes = cells_of(declared, catalogue)
    plan = Plan(
        record.id, record.name, declared, tuple(_problem(each) for each in record.questions), cells, tuple(notes),
        created_at=record.created_at, elapsed_s=record.elapsed_s,
    )  # fmt: skip
    known = store.done([cell.sweep_id(plan.id) for cell in cells])
    asked = {each.question.problem for each in plan.problems}
    done = {cell: frozenset(known[cell.sweep_id(plan.id)] & asked) for cell in cells}
    return _with_cost(store, catalogue, replace(plan, done=done))


def cells_of(declared: Declared, catalogue: Catalogue) -> tuple[tuple[Cell, ...], list[str]]:
    """The configurations to run, and in a line each what is not run. Raises `InvalidInput`."""
    cells: dict[Cell, None] = {}
    notes: dict[str, None] = {}
    for models in declared.models or (catalogue.default,):
        catalogue.entry(models)
        judges = _judges(declared, catalogue, models)
        for strategy in declared.strategies:
            method, found = STRATEGIES[strategy], 0
            for seed in declared.seeds if strategy != "greedy" else declared.seeds[:1]:
                for n in _sizes(declared, strategy):
                    for params in _params(declared, catalogue, models, strategy, n, seed, notes):
                        found += 1
                        for judge in judges if method.scored else (None,):
                            cells[Cell(models, params, judge)] = None
            if not found:
                sizes = ", ".join(map(str, declared.n))
                raise InvalidInput("n", f"{strategy} cannot be run at {sizes}: its M divides none; add a multiple of M")
    return _without_votes(tuple(cells), notes), list(notes)


def _judges(declared: Declared, catalogue: Catalogue, models: str) -> Sequence[str | None]:
    scored = [strategy for strategy in declared.strategies if STRATEGIES[strategy].scored]
    for scorer in declared.scorers or ():
        try:
            catalogue.scorer(models, scorer)
        except InvalidInput as error:
            raise InvalidInput("scorers", error.message) from None
    if scored and not declared.scorers and catalogue.scorer(models) is None:
        raise InvalidInput("scorers", f"{scored[0]} needs a PRM and {models} has none of its own; name some")
    return declared.scorers or (None,)


def _sizes(declared: Declared, strategy: str) -> Sequence[int]:
    if "n" not in STRATEGIES[strategy].options:
        return (RunParams().n,)
    return (max(declared.n),) if strategy in UNGUIDED else declared.n


def _params(
    declared: Declared, catalogue: Catalogue, models: str, strategy: str, n: int, seed: int, notes: dict[str, None]
) -> list[RunParams]:
    """Those of each setting that can be run at `n`."""
    own = catalogue.entry(models).policy.sampling.given()
    found = []
    for settings in declared.settings(strategy):
        given: dict[str, Any] = own | settings
        try:
            params = RunParams(strategy, n=n, seed=seed, **given)
        except (InvalidInput, TypeError) as error:
            width = int(given.get("width", RunParams().width))
            if isinstance(error, InvalidInput) and error.argument in ("width", "probe") and (n % width or n < width):
                notes[f"{strategy} is not run at N = {n}: M = {width} does not divide it"] = None
                continue
            if isinstance(error, InvalidInput):
                raise InvalidInput("parameters", f"{strategy}: {error.argument}: {error.message}") from None
            raise InvalidInput(
                "parameters", f"{strategy}: a value has the wrong type ({settings}); correct it"
            ) from None
        catalogue.check_rules(models, [params.rule])
        found.append(params)
    return found


def _without_votes(cells: tuple[Cell, ...], notes: dict[str, None]) -> tuple[Cell, ...]:
    """The cells without the majority votes whose samples best-of-N draws, too."""
    drawn = {_drawn(cell) for cell in cells if cell.params.strategy == "best_of_n"}
    kept = tuple(cell for cell in cells if cell.params.strategy != "majority_vote" or _drawn(cell) not in drawn)
    if len(kept) < len(cells):
        notes["majority_vote is read from the samples of best_of_n"] = None
    return kept


def _drawn(cell: Cell) -> tuple[object, ...]:
    """What decides which samples a vote or best-of-N draws, and who votes."""
    params = cell.params
    own = "" if RULES[params.rule].reducer else params.rule.replace("majority_vote", "")
    return (
        cell.models, params.n, params.seed, params.temperature, params.top_p, params.max_steps, params.max_tokens,
        params.max_tokens_total, params.votes, params.eligible_without_answer, own,
    )  # fmt: skip


def _with_cost(store: Store, catalogue: Catalogue, plan: Plan) -> Plan:
    left = {cell: runs for cell in plan.cells if (runs := plan.left(cell))}
    return replace(plan, cost=forecast(store, catalogue, left))


def _problem(entry: Mapping[str, Any]) -> Problem:
    question = Question(entry["problem"], entry["reference"], entry["domain"])
    return Problem(question, entry["id"], entry["level"], entry["subject"])


def question_entry(problem: Problem) -> dict[str, Any]:
    """A problem as it is kept with its sweep."""
    asked = problem.question
    return {
        "problem": asked.problem, "reference": asked.reference, "domain": asked.domain, "id": problem.id,
        "level": problem.level, "subject": problem.subject,
    }  # fmt: skip


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
