"""What smaller N would have made of a run is what the engine itself says of every subset of its draws."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pytest
from sqlalchemy import event

from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Models
from engine.runs.question import Question
from engine.runs.statistics.subsets import pass_at_k
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.measured import Configuration, Measured, measured
from engine.runs.sweeps.outcomes import OF_SCORES, OF_VOTES, Finished, fill_in, outcomes
from engine.runs.sweeps.subsets import ENUMERATED, SAMPLED, smaller
from engine.runs.sweeps.sweep import Sweep
from engine.search.events import Decision, Event, Grade, ModelInfo, RunStarted, StepSampled, StepScored
from engine.search.params import RunParams
from engine.search.selection import answer_groups, choose
from engine.search.tree import Tree
from engine.store import Store

QUESTIONS = [Question(problem.text, problem.answer) for problem in problem_set("builtin-validation")[:4]]

#: A draw: its answer, its score, its mean log-probability, its text.
Draw = tuple[str | None, float | None, float, str]

GRADES = {
    "1": Grade("1", False), "7": Grade("7", True), "7.0": Grade("7", True), "9": Grade("9", False),
    "undecided": Grade("undecided", None),
}  # fmt: skip


def tree_of(draws: Sequence[Draw | None]) -> Tree:
    """A tree of one-step completions; equal draws are one node with several copies, None did not end."""
    model = ModelInfo("p", 10, 512)
    log: list[Event] = [RunStarted("r", "", "?", "7", "best_of_n", {}, model, model)]
    texts = [draw for draw in dict.fromkeys(draws) if draw is not None]
    for number, draw in enumerate(texts, 1):
        answer, score, logprob, text = draw
        copies = draws.count(draw)
        log.append(StepSampled(4 * number, number, 0, 1, text, None, 1, logprob, "eos", copies, answer=answer))
        if score is not None:
            log.append(StepScored(4 * number + 1, number, "prm", score))
        log.append(Decision(4 * number + 2, number, "finish", "eos"))
    return Tree.from_events(log)


def by_brute_force(draws: Sequence[Draw | None], rule: str, k: int, any_wins: bool, votes: str) -> float:
    """The share of subsets for which the engine's own selection chooses a right answer."""

    def right(subset: Sequence[Draw | None]) -> float:
        groups = answer_groups(tree_of(subset), GRADES, rule, "prm", eligible_without_answer=any_wins, votes=votes)
        winner = choose(groups, eligible_without_answer=any_wins)
        return float(bool(winner and winner.correct))

    return fmean(right(subset) for subset in combinations(draws, k))


def some_draws(seed: int, n: int) -> list[Draw | None]:
    """Draws with many ties, of scores, of log-probabilities and of whole texts; scores that binary fractions hold."""
    rng = random.Random(seed)
    kinds: list[Draw | None] = [
        (answer, rng.choice((None, 0.0, 0.25, 0.5, 1.0)), rng.choice((-1.0, -0.5)), f"{answer} {number}")
        for number, answer in enumerate(rng.choices((None, "1", "7", "7.0", "9", "undecided"), k=6))
    ]
    return rng.choices([*kinds, None], k=n)


@pytest.mark.parametrize("seed", range(12))
def test_the_rows_of_a_run_are_what_all_its_subsets_elect(seed: int) -> None:
    draws = some_draws(seed, 9)
    any_wins, votes = bool(seed % 2), ("draws", "distinct")[seed % 3 == 0]
    params = {"n": 9, "select": "prm_last_vote", "votes": votes, "eligible_without_answer": any_wins}
    run = Finished("r", "best_of_n", params, "prm", 0, GRADES, None)
    found = {(row.rule, row.n): row for row in outcomes(run, tree_of(draws), "s", "3")}
    assert set(found) == {(rule, n) for rule in (*OF_VOTES, *OF_SCORES) for n in (1, 2, 4, 8, 9)}
    for (rule, n), row in found.items():
        assert row.right == pytest.approx(by_brute_force(draws, rule, n, any_wins, votes)), (rule, n)
        passed = [any(d and d[0] in ("7", "7.0") for d in subset) for subset in combinations(draws, n)]
        assert row.pass_any == pytest.approx(fmean(passed))
        assert (row.sweep, row.level, row.drawn) == ("s", "3", 9)
        assert row.drawn_right == sum(d is not None and d[0] in ("7", "7.0") for d in draws)


def test_more_subsets_than_are_looked_at_are_sampled_without_bias() -> None:
    """Over many runs the sampled vote agrees with the vote over all subsets within its standard error."""
    errors = []
    for seed in range(12):
        draws = some_draws(100 + seed, 16)
        run = Finished(f"run {seed}", "majority_vote", {"n": 16, "select": "majority_vote"}, None, 0, GRADES, None)
        row = {row.n: row for row in outcomes(run, tree_of(draws), "s")}[8]
        again = {row.n: row for row in outcomes(run, tree_of(draws), "s")}[8]
        assert row == again
        errors.append(row.right - by_brute_force_majority(draws, 8))
    spread = 0.5 / SAMPLED**0.5
    assert max(map(abs, errors)) < 5 * spread and abs(fmean(errors)) < 3 * spread / len(errors) ** 0.5
    assert any(errors) and ENUMERATED < 12870


def by_brute_force_majority(draws: Sequence[Draw | None], k: int) -> float:
    """As `by_brute_force`, with each multiset of draws asked once."""
    seen: dict[tuple[int, ...], float] = {}
    numbers = {draw: number for number, draw in enumerate(dict.fromkeys(draws))}
    kinds = list(numbers)
    total = count = 0.0
    for subset in combinations(range(len(draws)), k):
        key = tuple(sorted(numbers[draws[place]] for place in subset))
        if key not in seen:
            groups = answer_groups(tree_of([kinds[number] for number in key]), GRADES, "majority_vote", None)
            winner = choose(groups)
            seen[key] = float(bool(winner and winner.correct))
        total, count = total + seen[key], count + 1
    return total / count


def test_pass_at_k_on_known_cases() -> None:
    assert pass_at_k(0, 64, 8) == 0.0 and pass_at_k(64, 64, 8) == 1.0
    assert pass_at_k(3, 10, 1) == pytest.approx(0.3)
    assert pass_at_k(2, 5, 2) == pytest.approx(1 - 3 / 10)
    assert smaller(1) == [1] and smaller(6) == [1, 2, 4, 6] and smaller(64) == [1, 2, 4, 8, 16, 32, 64]


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    with Domains() as domains, Store.open(str(tmp_path / "sweep.db")) as store:
        yield Sweep("test", store, domains, {QUESTIONS[0].problem: "5"})


def test_what_a_sweep_measured_comes_from_one_query(sweep: Sweep, models: Models) -> None:
    cells = [
        Cell("builtin-xs", RunParams("best_of_n", n=8)),
        Cell("builtin-xs", RunParams("majority_vote", n=8)),
        Cell("builtin-xs", RunParams("dvts", n=8, width=2)),
        Cell("builtin-xs", RunParams("greedy", seed=3)),
    ]
    sweep.run(dict.fromkeys(cells, models), QUESTIONS)
    asked: list[str] = []
    engine = sweep.store._engine
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    rows = measured(sweep.store)
    assert sum(statement.startswith("SELECT") for statement in asked) == 1
    assert measured(sweep.store, ["test"]) == rows and measured(sweep.store, ["other"]) == []
    votes = {("best_of_n", rule, n) for rule in ("prm_last_max", "prm_last_vote") for n in (1, 2, 4, 8)}
    expected = votes | {("majority_vote", "majority_vote", n) for n in (1, 2, 4, 8)}
    expected |= {("dvts", "prm_last_vote", 8), ("greedy", "majority_vote", 1)}
    found = {key(row) for row in rows}
    assert {(c.strategy, c.rule, c.n) for c in (row.configuration for row in rows)} == expected
    assert len(rows) == len(found) == len(expected) * len(QUESTIONS)
    assert {row.level for row in rows if row.problem == QUESTIONS[0].problem} == {"5"}
    assert {row.configuration.settings for row in rows} == {(), (("width", "2"),)}
    assert {row.seed for row in rows if row.configuration.strategy == "greedy"} == {3}
    for row in rows:
        run = sweep.store.whole_run(row.run_id)
        if row.configuration.n == run.params.get("n", 1) and row.configuration.rule == run.params["select"]:
            assert row.right == float(bool(run.correct))
            assert row.flops_all == pytest.approx(run.usage.flops_all)
            assert row.scored_tokens == run.usage.scored_tokens and row.generated_tokens == run.usage.generated_tokens


def test_a_smaller_n_costs_what_it_would_have_cost(sweep: Sweep, models: Models) -> None:
    """Over seeds, the bills of runs with N = 4 are those that are read for 4 of 16 draws."""
    few = [Cell("builtin-xs", RunParams("best_of_n", n=4, seed=100 + seed)) for seed in range(12)]
    many = [Cell("builtin-xs", RunParams("best_of_n", n=16, seed=seed)) for seed in range(12)]
    sweep.run(dict.fromkeys(few + many, models), QUESTIONS)
    for cost in ("generated_tokens", "prefilled_tokens", "scored_tokens", "flops_policy", "flops_all"):
        run: list[float] = []
        read: list[float] = []
        for row in measured(sweep.store, rules=["prm_last_vote"]):
            if row.configuration.n == 4 and row.configuration.rule == "prm_last_vote":
                (run if row.drawn == 4 else read).append(getattr(row, cost))
        assert len(run) == len(read) == 12 * len(QUESTIONS)
        assert fmean(read) == pytest.approx(fmean(run), rel=0.06), cost


def key(row: Measured) -> tuple[str, Configuration, int]:
    return row.problem, row.configuration, row.seed


def test_runs_of_older_versions_are_read_afterwards(sweep: Sweep, models: Models) -> None:
    cells = [Cell("builtin-xs", RunParams("best_of_n", n=4)), Cell("builtin-xs", RunParams("dvts", n=8, width=2))]
    sweep.run(dict.fromkeys(cells, models), QUESTIONS[:2])
    before = measured(sweep.store, rules=None)
    with sweep.store._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM outcomes")
    assert measured(sweep.store) == []
    assert fill_in(sweep.store, sweep.levels) == 4 and fill_in(sweep.store) == 0
    assert measured(sweep.store, rules=None) == before
    record = sweep.store.find_sweep("test")
    assert (record.name, record.problems, record.cells, record.done) == ("test", 2, 2, 4)
