"""How a search came on against tokens: read from the events, and equal to what the store says at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from support.finished_runs import Finished, Solve

from engine.search.events import Decision, StepSampled
from engine.search.selection import AnswerGroup, answer_groups
from engine.search.tree import Tree
from tts_ui.web.compare.curves import Curves, curves, finishing

STRATEGIES = [
    "greedy", "majority_vote", "best_of_n", "beam_search", "dvts", "lookahead", "mcts", "rebase", "vg_search",
    "particle_filtering",
]  # fmt: skip


def curves_of(run: Finished) -> Curves:
    return curves(run.record, run.tree, run.events, run.record.judge)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_log_accounts_for_every_token(solved: Solve, strategy: str) -> None:
    run = solved(strategy)
    assert curves_of(run).spent == run.record.usage.generated_tokens


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_curve_ends_with_the_vote_of_the_run(solved: Solve, strategy: str) -> None:
    run = solved(strategy)
    groups = [group for group in run.record.answers(run.tree) if group.answer is not None]
    right = sum(group.weight for group in groups if group.correct)
    spent, share = curves_of(run).share.points[-1]
    assert share == pytest.approx(right / sum(group.weight for group in groups))
    assert spent <= run.record.usage.generated_tokens
    tokens = [x for x, _ in curves_of(run).share.points]
    assert tokens == sorted(tokens)


def test_without_a_reference_it_is_the_leading_answers_share(solved: Solve) -> None:
    run = solved("beam_search", reference=None)
    groups = [group for group in run.record.answers(run.tree) if group.answer is not None]
    expected = max(group.weight for group in groups) / sum(group.weight for group in groups)
    assert curves_of(run).share.points[-1][1] == pytest.approx(expected)


def test_distinct_votes_count_once(solved: Solve) -> None:
    run = solved("majority_vote", votes="distinct", reference=None)
    groups = [group for group in run.record.answers(run.tree) if group.answer is not None]
    expected = max(group.votes for group in groups) / sum(group.votes for group in groups)
    assert curves_of(run).share.points[-1][1] == pytest.approx(expected)


def test_a_prefix_is_what_would_have_been_elected_there(solved: Solve) -> None:
    run = solved("mcts")
    points = curves_of(run).share.points
    assert len(points) > 1
    _, finishings = finishing(run.events)
    for spent, share in points:
        by_then = Counter[int]()
        for found in finishings:
            by_then[found.leaf] += found.draws if found.spent <= spent else 0
        groups = [g for g in _groups(run, by_then) if g.answer is not None]
        total = sum(group.weight for group in groups)
        assert share == pytest.approx(sum(group.weight for group in groups if group.correct) / total)


def _groups(run: Finished, draws: Mapping[int, int]) -> list[AnswerGroup]:
    """The election among these completions alone, each with so many draws."""
    tree = Tree.from_events(run.events)
    for node in tree.nodes:
        if node.status == "finished":
            node.status, node.copies = "finished" if draws.get(node.id) else "open", draws.get(node.id, 0)
    assert run.record.scorer
    return answer_groups(tree, run.record.grades, str(run.record.params["select"]), run.record.scorer.name)


def test_the_best_score_only_rises_and_is_one_of_the_tree(solved: Solve) -> None:
    run = solved("beam_search")
    values = [value for _, value in curves_of(run).best.points]
    assert values == sorted(set(values))
    assert run.record.scorer
    assert set(values) <= {score for node in run.tree.nodes for score in node.scores.values()}


def test_no_score_is_invented(solved: Solve) -> None:
    drawn = curves_of(solved("majority_vote"))
    assert drawn.share.points and not drawn.share.lacks
    assert drawn.best.points == () and drawn.best.lacks == "no PRM was used"


def test_a_search_that_has_found_nothing_says_so(solved: Solve) -> None:
    run = solved("beam_search")
    drawn = curves(run.record, Tree(run.record.problem), run.events[:1], run.record.judge)
    assert drawn.spent == 0
    assert drawn.share.lacks == drawn.best.lacks == "no completion has finished"


def test_a_raise_of_copies_costs_its_draws_and_adds_its_votes() -> None:
    step = StepSampled(1, 1, 0, 1, "x", (1, 2), 5, -1.0, "eos", 2)
    again = StepSampled(3, 1, 0, 1, "x", (1, 2), 5, -1.0, "eos", 5)
    spent, found = finishing([step, Decision(2, 1, "finish", "eos"), again])
    assert spent == 25
    assert [(f.spent, f.draws) for f in found] == [(10, 2), (25, 3)]
