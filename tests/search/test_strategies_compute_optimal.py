"""Compute-optimal: the table cell by cell, the estimate it starts from, and that its probe is not wasted."""

from __future__ import annotations

from typing import Any

import pytest
from support.recorded import Recorded, solve, solve_with, texts
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain
from engine.search.events import Decision, Finish, ModelInfo
from engine.search.strategies.compute_optimal import CHOICES, DIFFICULTIES, EVIDENCE, chosen, difficulty_of

EASY, MEDIUM, HARD = range(3)
FINDING, READING, ONE_MODEL = range(3)


@pytest.mark.parametrize(
    ("parameters", "difficulty", "choice", "evidence"),
    [
        (2e5, EASY, "best_of_n", FINDING),
        (2e5, MEDIUM, "beam_search", READING),
        (2e5, HARD, "beam_search", FINDING),
        (6.9e9, EASY, "best_of_n", FINDING),
        (6.9e9, MEDIUM, "beam_search", READING),
        (6.9e9, HARD, "beam_search", FINDING),
        (7e9, EASY, "dvts", FINDING),
        (7e9, MEDIUM, "dvts", FINDING),
        (7e9, HARD, "beam_search", FINDING),
        (32.8e9, EASY, "dvts", FINDING),  # what is sold as 32B
        (32.8e9, MEDIUM, "dvts", FINDING),
        (32.8e9, HARD, "beam_search", FINDING),
        (72e9, EASY, "best_of_n", ONE_MODEL),
        (72e9, MEDIUM, "best_of_n", ONE_MODEL),
        (72e9, HARD, "best_of_n", ONE_MODEL),
    ],
)
def test_the_table(parameters: float, difficulty: int, choice: str, evidence: int) -> None:
    assert chosen(parameters, difficulty) == (choice, evidence)


def test_the_bins_are_half_open() -> None:
    bins = {1.0: "easy", 0.5: "easy", 0.499: "medium", 0.1: "medium", 0.099: "hard", 0.0: "hard"}
    assert {value: DIFFICULTIES[difficulty_of(value)] for value in bins} == bins
    assert (len(CHOICES), len(EVIDENCE)) == (3, 4)


class Sized(ScriptedPolicy):
    def __init__(self, parameters: float, answers: str) -> None:
        super().__init__(self.say)
        self.answers = answers
        self.info = ModelInfo("sized", parameters=int(parameters), context_window=10_000)

    def say(self, path: str, index: int) -> tuple[str, Finish]:
        if not path:
            return f"{'abcdefghijklmnop'[index]}\n\n", "step"
        answer = self.answers["abcdefghijklmnop".index(path[0]) % len(self.answers)]
        return rf"\boxed{{{answer}}}" + "!" * index, "eos"


def decision(run: Recorded) -> Decision:
    (recorded,) = [event for event in run.events if isinstance(event, Decision) and event.reason == "compute_optimal"]
    assert (recorded.node, recorded.action) == (0, "expand")
    return recorded


@pytest.mark.parametrize(
    ("parameters", "answers", "score", "agreement", "choice", "difficulty"),
    [
        (1e9, "1111", 0.75, 1.0, "best_of_n", EASY),
        (1e9, "1123", 0.5, 0.5, "beam_search", MEDIUM),
        (1e9, "1234", 0.125, 0.25, "beam_search", HARD),
        (7.6e9, "1123", 0.5, 0.5, "dvts", MEDIUM),
        (7.6e9, "1234", 0.125, 0.25, "beam_search", HARD),
        (72e9, "1234", 0.125, 0.25, "best_of_n", HARD),
    ],
)
async def test_the_choice_and_its_evidence_are_recorded(
    maths: Domain, parameters: float, answers: str, score: float, agreement: float, choice: str, difficulty: int
) -> None:
    policy = Sized(parameters, answers)
    run = await solve_with(
        policy, ScriptedScorer(lambda path: score), maths, strategy="compute_optimal", n=8, width=4, problem="p"
    )
    assert decision(run).numbers == {
        "parameters": parameters, "probe": 4, "agreement": agreement, "mean_score": score,
        "estimate": agreement * score, "difficulty": difficulty, "choice": CHOICES.index(choice),
        "evidence": chosen(parameters, difficulty)[1],
    }  # fmt: skip
    reasons = {d.reason for node in run.tree.nodes[1:] for d in node.decisions} - {"eos", "rule", "width_reached"}
    assert reasons == {"best_of_n": set(), "beam_search": {"rank"}, "dvts": {"subtree_rank"}}[choice]
    first_steps = [draw for draw in policy.draws if not draw.path]
    assert len(first_steps) == 8  # the probe's are the first of the N
    assert sum(leaf.copies for leaf in run.tree.completions()) >= 4


async def test_answers_agree_in_draws_and_whatever_their_spelling(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return [r"\boxed{1,000}", r"\boxed{1000}", r"\boxed{1000}", "no idea"][index % 4], "eos"

    run = await solve_with(
        ScriptedPolicy(script), ScriptedScorer(lambda path: 0.8), maths, strategy="compute_optimal", n=4, problem="p"
    )
    assert decision(run).numbers["agreement"] == 0.75


async def test_best_of_n_after_the_probe_is_the_same_best_of_n(maths: Domain) -> None:
    def request(strategy: str) -> dict[str, Any]:
        return {"strategy": strategy, "n": 8, "problem": "p", "seed": 5}

    policies = [Sized(1e9, "1111") for _ in range(2)]
    scorer = ScriptedScorer(lambda path: 0.9)
    probed = await solve_with(policies[0], scorer, maths, **request("compute_optimal"))
    plain = await solve_with(policies[1], scorer, maths, **request("best_of_n"))
    assert sorted(map(str, texts(probed.tree)))[1:] != []
    assert {(draw.seed, len(draw.path)) for draw in policies[0].draws} == {
        (draw.seed, len(draw.path)) for draw in policies[1].draws
    }
    assert probed.usage.generated_tokens == plain.usage.generated_tokens
    assert probed.last.answer == plain.last.answer


async def test_with_the_built_in_pair_the_probe_is_the_best_of_n_s_own(models: Models, maths: Domain) -> None:
    probed = await solve(models, maths, strategy="compute_optimal", n=4, probe=4, seed=2)
    plain = await solve(models, maths, strategy="best_of_n", n=4, seed=2)
    answers = [[leaf.answer for leaf in run.tree.completions()] for run in (probed, plain)]
    assert answers[0][: len(answers[1])] == answers[1]


async def test_the_probe_s_completions_take_no_slot_of_the_search(maths: Domain) -> None:
    run = await solve_with(
        Sized(1e9, "1234"), ScriptedScorer(lambda path: 0.125), maths, strategy="compute_optimal", n=8, width=4,
        finished="compete", problem="p",
    )  # fmt: skip
    assert {d.numbers["k"] for node in run.tree.nodes for d in node.decisions if d.reason == "rank"} >= {2}
    assert sum(node.status == "kept" for node in run.tree.children(run.tree.root)) == 2


async def test_a_budget_that_ends_in_the_probe_is_said_so(maths: Domain) -> None:
    policy = Sized(1e9, "1111")
    run = await solve_with(
        policy, ScriptedScorer(lambda path: 0.9), maths, strategy="compute_optimal", n=8, problem="p",
        max_tokens_total=30,
    )  # fmt: skip
    assert decision(run).numbers["probe"] == 2
    assert (run.last.stop_reason, run.usage.generated_tokens, run.last.answer) == ("budget", 30, "1")
