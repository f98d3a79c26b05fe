"""Difficulty, what sweeps teach, and whether that holds on problems that did not teach it: on rows, then really run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb
from pathlib import Path

import numpy as np
import pytest
from support.recorded import solve

from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Models
from engine.runs.host import Host
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.difficulty import confusion, difficulties, difficulty, guesses
from engine.runs.sweeps.held_out import PUBLISHED, held_out
from engine.runs.sweeps.learning import FEWEST, fits, learn, learned_for
from engine.runs.sweeps.measured import Configuration, Measured, measured
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store import Store

EASY, MEDIUM, HARD = range(3)
RULE = "prm_last_vote"


def row(
    problem: str, strategy: str, right: float, *, n: int = 16, flops: float = 1.0, drawn: tuple[int, int] | None = None,
    agreement: float | None = None, judge: float | None = None, seed: int = 0, policy: str = "p",
    settings: tuple[tuple[str, str], ...] = (),
) -> Measured:  # fmt: skip
    asked = Configuration(policy, "judge", strategy, RULE, n, settings)
    ok, of = drawn or (None, None)
    return Measured(
        "s", f"{problem}-{strategy}-{n}-{seed}", problem, asked, seed, right, None, ok, of, 1_000_000, 0, 0, 0, 0,
        flops, 0, judge, agreement,
    )  # fmt: skip


def test_a_bin_is_as_likely_as_the_draws_make_it() -> None:
    """4 of 4 right: P(Pass@1 <= x) = x^5 under a uniform prior; 0 of 4: 1 - (1 - x)^5."""
    sure, none = difficulty(4, 4), difficulty(0, 4)
    assert sure.chances == pytest.approx((1 - 0.5**5, 0.5**5 - 0.1**5, 0.1**5))
    assert none.chances == pytest.approx((0.5**5, 0.9**5 - 0.5**5, 1 - 0.9**5))
    assert (sure.name, none.name) == ("easy", "hard")
    assert not none.certain and difficulty(0, 64).certain and difficulty(64, 64).certain
    assert difficulty(32, 64).bin == EASY and not difficulty(32, 64).certain
    assert all(sum(difficulty(c, 16).chances) == pytest.approx(1) for c in range(17))


def test_four_draws_tell_medium_problems_badly_and_64_well() -> None:
    """The share of problems whose Pass@1 is uniform in a bin that n draws put into it, by the binomial."""

    def kept(bin_: int, n: int, ps: Sequence[float]) -> float:
        inside = [c for c in range(n + 1) if difficulty(c, n).bin == bin_]
        return float(np.mean([sum(comb(n, c) * p**c * (1 - p) ** (n - c) for c in inside) for p in ps]))

    medium = np.linspace(0.1, 0.5, 201).tolist()
    assert kept(MEDIUM, 4, medium) == pytest.approx(0.37, abs=0.02)
    assert kept(MEDIUM, 64, medium) == pytest.approx(0.88, abs=0.02)


def test_draws_that_runs_share_count_once_and_seeds_add_up() -> None:
    rows = [
        row("a", "best_of_n", 1, n=4, drawn=(2, 4)), row("a", "best_of_n", 1, n=16, drawn=(5, 16)),
        row("a", "best_of_n", 1, n=16, drawn=(1, 16), seed=1), row("b", "dvts", 1),
        row("c", "best_of_n", 1, drawn=(9, 9), policy="other"),
    ]  # fmt: skip
    found = difficulties(rows, "p")
    assert {problem: (each.right, each.drawn) for problem, each in found.items()} == {"a": (6, 32)}


def test_a_guess_is_made_of_the_fewest_draws_that_are_a_probe() -> None:
    rows = [
        row("a", "best_of_n", 1, drawn=(1, 64), agreement=0.5, judge=0.5),
        row("a", "best_of_n", 1, n=4, drawn=(1, 4), agreement=0.75, judge=0.8),
        row("a", "best_of_n", 1, n=2, drawn=(1, 2), agreement=1.0, judge=1.0),
    ]
    found = guesses(rows, "p", "judge", probe=4)["a"]
    assert (found.drawn, found.bin) == (4, EASY) and found.estimate == pytest.approx(0.6)
    assert guesses(rows, "p", "other", probe=4) == {}


def test_the_confusion_table_by_hand() -> None:
    known = {name: difficulty(right, 64) for name, right in {"a": 64, "b": 64, "c": 16, "d": 0}.items()}
    told = {"a": (1.0, 0.9), "b": (0.5, 0.5), "c": (0.5, 0.6), "d": (0.25, 0.2), "e": (1.0, 1.0)}
    rows = [
        row(name, "best_of_n", 1, n=4, drawn=(1, 4), agreement=share, judge=score)
        for name, (share, score) in told.items()
    ]
    found = confusion(known, guesses(rows, "p", "judge"))
    assert found.table == ((1, 1, 0), (0, 1, 0), (0, 0, 1))
    assert (found.problems, found.accuracy.mean) == (4, 0.75)
    assert found.kappa.kappa == pytest.approx((0.75 - 5 / 16) / (1 - 5 / 16))


def world(problems: int, chances: dict[str, tuple[float, float, float]], seed: int = 0) -> list[Measured]:
    """A third of the problems of each difficulty, which a probe shows; a strategy's `chances` are by difficulty."""
    rng = np.random.default_rng(seed)
    looks = {EASY: (1.0, 0.9), MEDIUM: (0.5, 0.5), HARD: (0.25, 0.2)}
    rows = []
    for number in range(problems):
        bin_, problem = number % 3, f"problem {number}"
        agreement, judge = looks[bin_]
        rows.append(row(problem, "best_of_n", 1, n=4, drawn=(1, 4), agreement=agreement, judge=judge, flops=0.1))
        for price, (strategy, chance) in enumerate(chances.items(), 1):
            rows.append(row(problem, strategy, float(rng.random() < chance[bin_]), flops=float(price)))
    return rows


#: Sampling wins where it is easy, beam search where it is hard.
DIFFERENT = {"best_of_n": (0.95, 0.5, 0.1), "beam_search": (0.5, 0.5, 0.8), "dvts": (0.5, 0.3, 0.3)}


def taught(rows: Sequence[Measured], n: int = 16) -> list[tuple[str, int, tuple[str, ...]]] | None:
    found = learn(rows, guesses(rows, "p", "judge", 4), "p", "judge", n, rule=RULE, settings={})
    return [(each.strategy, each.problems, each.tied) for each in found.choices] if found else None


def test_what_differs_by_difficulty_is_learned_and_ties_go_to_the_cheaper() -> None:
    assert taught(world(600, DIFFERENT)) == [
        ("best_of_n", 200, ()), ("best_of_n", 200, ("beam_search",)), ("beam_search", 200, ()),
    ]  # fmt: skip


def test_equal_strategies_are_one_choice_and_it_is_the_cheapest() -> None:
    rows = world(300, dict.fromkeys(("dvts", "best_of_n", "beam_search"), (0.9, 0.5, 0.2)))
    assert taught(rows) == [("dvts", 100, ("best_of_n", "beam_search"))] * 3
    found = learn(rows, guesses(rows, "p", "judge"), "p", "judge", 16, rule=RULE, settings={})
    assert found and found.one_for_all == "dvts"


def test_a_bin_with_few_problems_says_what_all_of_them_say() -> None:
    clear = {"best_of_n": (0.4, 0.4, 0.4), "beam_search": (0.9, 0.9, 0.9)}
    rows = [
        each for each in world(300, clear) if int(each.problem.split()[1]) % 3 != HARD or each.problem == "problem 2"
    ]
    found = taught(rows)
    assert found and [each[0] for each in found] == ["beam_search"] * 3 and found[HARD][1] == 1


def test_too_little_teaches_nothing() -> None:
    assert taught(world(FEWEST - 3, DIFFERENT)) is None
    assert taught(world(300, {"best_of_n": (1, 1, 1)})) is None  # nothing to choose from
    assert taught(world(300, DIFFERENT), n=32) is not None
    assert taught(world(300, DIFFERENT), n=64) is None  # more than twice as far


def test_only_runs_with_the_same_settings_teach() -> None:
    wide = Configuration("p", "judge", "dvts", RULE, 16, (("width", "8"),))
    usual = Configuration("p", "judge", "dvts", RULE, 16)
    sampling = Configuration("p", "judge", "best_of_n", RULE, 16)
    assert fits(wide, {"width": 8}) and not fits(wide, {"width": 4}) and not fits(usual, {"width": 8})
    assert fits(sampling, {"width": 8})  # which best-of-N has none of
    assert not fits(sampling, {"temperature": 0.5})


def test_the_learned_choice_wins_on_held_out_problems_where_difficulty_matters() -> None:
    rows = world(600, DIFFERENT)
    found = held_out(rows, guesses(rows, "p", "judge", 4), "p", "judge", 16, rule=RULE)
    assert found and found.problems == 600 and found.bins == (200, 200, 200)
    assert found.taken[EASY]["best_of_n"] == found.taken[HARD]["beam_search"] == 20
    gaps = {rival.name: rival.gap.interval for rival in found.rivals}
    assert set(gaps) == {"best_of_n", "beam_search", "dvts", PUBLISHED}
    assert all(gaps[name].low > 0 for name in ("best_of_n", "beam_search", "dvts"))


def test_a_strategy_is_compared_at_the_same_flops_by_a_coin_between_its_budgets() -> None:
    rows = world(300, DIFFERENT)
    rows += [row(f"problem {number}", "dvts", 1.0, n=64, flops=9.0) for number in range(300)]
    rows += [row(f"problem {number}", "best_of_n", 1.0, n=64, flops=4.0) for number in range(300)]
    found = held_out(rows, guesses(rows, "p", "judge", 4), "p", "judge", 16, rule=RULE)
    assert found
    at = {rival.name: rival for rival in found.rivals}
    assert not at["dvts"].equal and at["dvts"].flops == 3.0  # its cheapest is dearer than the learned choice
    assert at["best_of_n"].equal and at["best_of_n"].flops == pytest.approx(found.flops)
    share = (found.flops - 1) / (4 - 1)
    at_16 = np.mean(
        [each.right for each in rows if each.configuration.strategy == "best_of_n" and each.configuration.n == 16]
    )
    assert at["best_of_n"].accuracy.mean == pytest.approx((1 - share) * at_16 + share)


def test_where_difficulty_does_not_matter_nothing_is_won_and_no_probe_is_paid() -> None:
    rows = world(600, {"best_of_n": (0.9, 0.6, 0.3), "beam_search": (0.9, 0.6, 0.3)}, seed=1)
    found = held_out(rows, guesses(rows, "p", "judge", 4), "p", "judge", 16, rule=RULE)
    assert found
    same = next(rival for rival in found.rivals if rival.name == "best_of_n")
    assert same.gap.interval.low <= 0 <= same.gap.interval.high
    assert found.flops < 1.11  # one half of twenty finds a difference by chance, and pays


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[Path]:
    """A store with a real sweep of 30 problems: sampling, DVTS and beam search at N = 4."""
    path = tmp_path_factory.mktemp("taught") / "runs.db"
    questions = [Question(each.text, each.answer) for each in problem_set("builtin-validation")[:FEWEST]]
    strategies = ("best_of_n", "dvts", "beam_search")
    with Domains() as domains, Store.open(str(path)) as store:
        cells = {Cell("builtin-xs", RunParams(each, n=4, width=2)): models for each in strategies}
        Sweep("teacher", store, domains).run(cells, questions)
    yield path


ASKED = RunParams("compute_optimal", n=4, width=2, knowledge="learned")


def test_a_run_is_taught_by_the_store_and_its_document_says_what(swept: Path) -> None:
    with Store.open(str(swept)) as store:
        found = learned_for(store, ASKED, "builtin-xs", "builtin-prm")
        assert found and (found.n, found.problems) == (4, FEWEST)
        known = difficulties(measured(store, policy="builtin-xs"), "builtin-xs")
        assert len(known) == FEWEST and all(each.drawn == 4 for each in known.values())
        assert (
            learned_for(
                store, RunParams("compute_optimal", n=4, width=4, knowledge="learned"), "builtin-xs", "builtin-prm"
            )
            is None
        )
        assert learned_for(store, RunParams("compute_optimal", n=4, width=2), "builtin-xs", "builtin-prm") is None
        host = Host(store)
        try:
            question = Question(problem_set("builtin-validation")[FEWEST].text)
            running = host.submit(question, ASKED, "builtin-xs")
            assert running.future.result(timeout=60).status == "done"
        finally:
            host.close()
        record, root = store.run(running.id), store.tree(running.id).root
        assert record.params["knowledge"] == "learned"
        rows = [each.numbers for each in root.decisions if each.reason == "learned"]
        assert [(each["problems"], each["of"], each["n"]) for each in rows] == [
            (choice.problems, FEWEST, 4) for choice in found.choices
        ]
        assert [each["accuracy"] for each in rows] == [choice.accuracy.mean for choice in found.choices]
        chosen = next(each for each in root.decisions if each.reason in ("compute_optimal", "one_for_all"))
        assert chosen.numbers["learned_from"] == FEWEST


async def test_without_sweeps_the_study_s_table_is_used_and_that_is_said(models: Models) -> None:
    with Domains() as domains:
        run = await solve(models, domains["maths"], strategy="compute_optimal", n=4, width=2, knowledge="learned")
    (chosen,) = [each for each in run.tree.root.decisions if each.reason == "compute_optimal"]
    assert chosen.numbers["learned_from"] == 0 and chosen.numbers["evidence"] in (0, 1)


def test_a_sweep_is_not_taught_by_sweeps() -> None:
    with pytest.raises(InvalidInput, match="knowledge: a sweep cannot be taught by sweeps"):
        Cell("builtin-xs", ASKED)
