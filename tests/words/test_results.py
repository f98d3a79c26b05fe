"""What a run found and spent, said alike on the pages and in the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.finished_runs import Solve

from engine.search.cost import Meter, PolicyCost, ScorerCost
from engine.search.events import ModelInfo, Usage
from engine.store.shapes import bill
from tts_ui.web.compare.table import table
from tts_ui.words.results import cost_columns, costs, flops, run_outcome, votes, votes_explained

KNOWN = Usage(generated_tokens=100, scored_tokens=80, flops_paper=2e9, flops_all=3e9, policy_calls=1200, wall_s=1.0)
UNKNOWN = replace(KNOWN, flops_paper=0.0, flops_all=1e9)  # the PRM's operations are no bill for the run


def test_the_flops_of_a_model_of_unknown_size_are_not_available() -> None:
    assert costs(KNOWN) == ("100", "80", "2.0 GFLOP", "3.0 GFLOP", "1,200 + 0", "1.0 s")
    assert costs(UNKNOWN, scored=False) == ("100", "no PRM", "n/a", "n/a", "1,200 + 0", "1.0 s")
    assert len(costs(KNOWN)) == len(cost_columns())


def test_a_sum_knows_its_flops_where_each_part_does() -> None:
    assert costs(Usage.total([KNOWN, KNOWN]))[:4] == ("200", "160", "4.0 GFLOP", "6.0 GFLOP")
    assert costs(Usage.total([KNOWN, UNKNOWN]))[:4] == ("200", "160", "n/a", "n/a")


def test_no_answer_is_not_called_wrong(solved: Solve) -> None:
    run = solved("best_of_n")
    none = replace(run.record, answer=None, correct=False)
    assert run_outcome(none) == "" and votes(none, run.tree) == ""
    row = table(["Best of N"], [none], [run.tree], None, [])
    assert "<b>no answer</b>" in row and "wrong" not in row and "not graded" not in row


def test_what_is_not_graded_and_what_could_not_be_decided_are_said(solved: Solve) -> None:
    record = solved("best_of_n").record
    assert [run_outcome(replace(record, correct=known)) for known in (True, False)] == ["correct", "wrong"]
    assert run_outcome(replace(record, correct=None)) == "undecided"
    assert run_outcome(replace(record, correct=None, reference_answer=None)) == "not graded"
    assert run_outcome(replace(record, correct=None, reference_answer=None, status="running")) == ""


def test_votes_are_those_for_the_answer(solved: Solve) -> None:
    run = solved("majority_vote")
    best = max(group.votes for group in run.record.answers(run.tree))
    assert votes(run.record, run.tree) == f"{best} of 16"


def test_the_number_of_votes_is_explained(solved: Solve) -> None:
    run = solved("best_of_n")
    different = len(list(run.tree.completions()))
    assert votes_explained(run.record, run.tree) == f"16 completions vote, {different} different."
    few = replace(run.record, params={**run.record.params, "n": 12})
    assert "The search asked for N = 12" in votes_explained(few, run.tree)
    once = replace(run.record, params={**run.record.params, "votes": "distinct"})
    assert votes_explained(once, run.tree) == f"{different} completions vote, each text once."


@pytest.mark.parametrize(
    ("policy", "prm", "paper", "whole"),
    [(0, 10, None, None), (10, 0, 60.0, None), (0, 0, None, None), (10, 10, 60.0, 220.0)],
)
def test_a_model_whose_size_nobody_knows_costs_no_known_flops(
    policy: int, prm: int, paper: float | None, whole: float | None
) -> None:
    """A server seldom says how many parameters its model has: n/a, never 0, nor a part that passes for all."""
    meter = Meter(ModelInfo("p", policy, 0), ModelInfo("s", prm, 0), PolicyCost(3, 4), ScorerCost(4))
    usage = meter.usage()
    assert flops(usage) == (paper, whole)
    assert (bill(usage)["flops_paper"], bill(usage)["flops_all"]) == (paper, whole)
    assert ("n/a" in costs(usage)) is (whole is None) and "0 FLOP" not in costs(usage)
    assert flops(Usage.total([usage, KNOWN]))[1] == (None if whole is None else whole + 3e9)
