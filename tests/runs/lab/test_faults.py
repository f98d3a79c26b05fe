"""Faults are found where they were planted: by hand, and in five built-in judges that the lab is given unnamed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from support.lab_evidence import evidence, path, run

from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.lab.evidence import Trees, read
from engine.runs.lab.faults import FAULTS, Fault, faults
from engine.runs.lab.rescoring import rescore
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store import Store

PROBLEMS, N = 100, 32
GOOD, WEAK, SHORT, LIKELIHOOD = "builtin-prm", "builtin-prm-weak", "builtin-prm-short", "builtin-likelihood"
OTHERS = (WEAK, SHORT, "builtin-prm-rollouts", LIKELIHOOD)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Trees]:
    """Draws of the smallest built-in policy, scored by the five built-in judges."""
    with Store.open(str(tmp_path_factory.mktemp("faults") / "runs.db")) as store, Domains() as domains:
        cell, sweep = Cell("builtin-xs", RunParams("best_of_n", n=N)), Sweep("faults", store, domains)
        problems = problem_set("builtin-validation")[:PROBLEMS]
        sweep.run({cell: catalogue.load("builtin-xs")}, [Question(each.text, each.answer) for each in problems])
        runs = store.sweep(cell.sweep_id("faults"))
        for judge in OTHERS:
            asyncio.run(rescore(store, [each.id for each in runs], catalogue.judge(judge)))
        yield read(store, domains, runs)


@pytest.fixture(scope="module")
def unnamed(recorded: Trees) -> tuple[dict[str, list[Fault]], dict[str, str]]:
    """What the lab finds in five judges called A to E, and who they are."""
    judges = [GOOD, *OTHERS]
    random.Random(3).shuffle(judges)
    names = dict(zip("ABCDE", judges, strict=True))
    return faults([replace(recorded.evidence(judge), judge=name) for name, judge in names.items()]), names


def _of(found: dict[str, list[Fault]], fault: str) -> dict[str, Fault]:
    return {judge: next(each for each in measured if each.name == fault) for judge, measured in found.items()}


def test_the_judge_that_was_taught_to_prefer_short_solutions_is_found(
    unnamed: tuple[dict[str, list[Fault]], dict[str, str]],
) -> None:
    found, names = unnamed
    biased = _of(found, "length_bias")
    worst = min(biased, key=lambda judge: biased[judge].tested.interval.mean)
    assert names[worst] == SHORT
    assert biased[worst].finding == "found" and biased[worst].p < 1e-4
    good = next(name for name, judge in names.items() if judge == GOOD)
    assert biased[good].finding != "found"


def test_the_judges_that_search_over_optimises_are_found(
    unnamed: tuple[dict[str, list[Fault]], dict[str, str]],
) -> None:
    found, names = unnamed
    fell = {names[judge] for judge, each in _of(found, "over_optimisation_max").items() if each.finding == "found"}
    assert WEAK in fell and not fell & {GOOD, LIKELIHOOD}


def test_every_fault_is_measured_and_has_examples_in_the_trees(
    recorded: Trees, unnamed: tuple[dict[str, list[Fault]], dict[str, str]]
) -> None:
    trees = {each.record.id: each.tree for each in recorded.known}
    found, _ = unnamed
    for measured in found.values():
        assert [each.name for each in measured] == [fault.name for fault in next(iter(found.values()))]
        for each in measured:
            assert each.tested.n, each.name
            assert each.p >= each.tested.p
            for example in each.examples[:5]:
                assert 0 < example.node < len(trees[example.run])
    assert len(next(iter(found.values()))) == len(FAULTS)


def _found(name: str, *scored: tuple[list[float], str]) -> Fault:
    """The fault in twenty problems that each have a path with these scores and verdicts."""
    runs = [
        run(f"p{place}", *(path(leaf, scores, verdicts) for leaf, (scores, verdicts) in enumerate(scored)))
        for place in range(20)
    ]
    return _of(faults([evidence(*runs)]), name)["judge"]


@pytest.mark.parametrize(
    ("name", "faulty", "sound"),
    [
        ("over_criticism", ([0.2, 0.9], "rr"), ([0.7, 0.9], "rr")),
        ("error_neglect", ([0.9, 0.9], "rw"), ([0.9, 0.1], "rw")),
        ("localisation", ([0.2, 0.9], "rw"), ([0.9, 0.2], "rw")),
        ("taken_back", ([0.9, 0.2, 0.9], "rrr"), ([0.9, 0.9, 0.9], "rrr")),
        ("position", ([0.9, 0.8, 0.7], "rrr"), ([0.8, 0.9, 0.8], "rrr")),
        ("last_step", ([0.9, 0.9, 0.6], "rrr"), ([0.6, 0.9, 0.9], "rrr")),
        ("saturation", ([0.999, 0.001], "wa"), ([0.999, 0.001], "rw")),
    ],
)
def test_each_fault_by_hand(name: str, faulty: tuple[list[float], str], sound: tuple[list[float], str]) -> None:
    there, not_there = _found(name, faulty), _found(name, sound)
    assert there.finding == "found" and there.examples
    assert not_there.finding == "not found"


def test_few_problems_say_nothing() -> None:
    single = _of(faults([evidence(run("p", path(1, [0.2, 0.2], "rr")))]), "over_criticism")["judge"]
    assert single.finding == "cannot tell" and single.tested.interval.mean == 1
    nothing = _of(faults([evidence(run("p", path(1, [0.2], "r")))]), "error_neglect")["judge"]
    assert nothing.finding == "not measured"
