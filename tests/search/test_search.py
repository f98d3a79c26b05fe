"""What a search decides and promises: seeds, merging, survivors."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.markov import END, START, markov_checkpoint
from support.recorded import Recorded, assert_same_document, solve, solve_with, texts
from support.scripted import ScriptedPolicy, ScriptedScorer, letters, value_of

from engine.models.catalogue.catalogue import Models
from engine.models.policies.local import LocalPolicy
from engine.search.domain import Domain
from engine.search.events import Decision, Event, Finish, RunStarted
from engine.search.search import Search
from engine.search.strategies.beam_search import beam_search
from engine.search.tree import Node

STRATEGIES = ["greedy", "majority_vote", "best_of_n", "beam_search"]


def decisions(log: list[Event], action: str) -> list[Decision]:
    return [event for event in log if isinstance(event, Decision) and event.action == action]


# --- seeds and merging ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_same_seed_same_document(models: Models, maths: Domain, strategy: str) -> None:
    one, other = [await solve(models, maths, strategy=strategy, seed=11, reference="262") for _ in range(2)]
    assert_same_document(one, other)
    assert replace(one.usage, wall_s=0) == replace(other.usage, wall_s=0)
    if strategy != "greedy":
        third = await solve(models, maths, strategy=strategy, seed=12)
        assert texts(third.tree) != texts(one.tree)


async def test_strategies_of_one_seed_share_their_first_steps(models: Models, maths: Domain) -> None:
    def first_steps(run: Recorded) -> list[tuple[Any, ...]]:
        tree = run.tree
        return [(node.id, node.token_ids, node.copies) for node in tree.children(tree.root)]

    runs = [await solve(models, maths, strategy=name, seed=3) for name in ("best_of_n", "beam_search")]
    assert first_steps(runs[0]) == first_steps(runs[1])


async def test_draws_that_share_a_first_step_go_on_to_differ(tmp_path: Path, maths: Domain) -> None:
    letters = "bcdefghijk"
    table = {
        START: {"a": 1.0},
        "a": {"\n\n": 1.0},
        "\n\n": dict.fromkeys(letters, 0.1),
        **{letter: {END: 1.0} for letter in letters},
    }
    policy = LocalPolicy("markov", markov_checkpoint(tmp_path, table))
    try:
        tree = (await solve_with(policy, None, maths, strategy="majority_vote", n=32)).tree
    finally:
        policy.close()
    (first,) = tree.children(tree.root)
    assert (first.text, first.copies) == ("a\n\n", 32)
    assert sum(node.copies for node in tree.children(first)) == 32
    assert len(tree.children(first)) >= 7


@pytest.mark.parametrize("strategy", ["majority_vote", "best_of_n", "beam_search"])
async def test_identical_draws_are_one_node_and_none_is_lost(models: Models, maths: Domain, strategy: str) -> None:
    tree = (await solve(models, maths, strategy=strategy, n=32, width=4, temperature=0.6)).tree
    assert sum(node.copies for node in tree.children(tree.root)) == 32
    for node in tree.nodes:
        identities = [(child.token_ids, child.finish) for child in tree.children(node)]
        assert len(set(identities)) == len(identities)
        below = sum(child.copies for child in tree.children(node))
        if strategy == "beam_search" and node.id:
            slots = sum(int(decision.numbers["slots"]) for decision in node.decisions if decision.reason == "rank")
            assert below == 4 * slots
            assert slots <= node.copies
        else:
            assert below in ((0, node.copies) if node.id else (32,))


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_the_log_folds_into_the_tree_the_search_saw(models: Models, maths: Domain, strategy: str) -> None:
    run = await solve(models, maths, strategy=strategy, n=8)
    assert isinstance(run.events[0], RunStarted)
    assert run.last is run.finished or run.last == run.finished
    assert [event.seq for event in run.events[:-1]] == list(range(len(run.events) - 1))  # type: ignore[union-attr]
    for node in run.tree.nodes[1:]:
        assert node.depth == len(run.tree.path(node))
        assert node.children or node.status != "open"
    if run.last.answer is not None:
        assert run.tree.chosen is not None
        assert run.tree[run.tree.chosen].status == "finished"


async def test_the_search_s_own_tree_equals_the_fold_of_its_events(
    models: Models, maths: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[Search] = []

    async def watched(search: Search, **options: Any) -> None:
        searches.append(search)
        await beam_search(search, **options)

    monkeypatch.setattr("engine.search.strategies.beam_search.beam_search", watched)
    recorded = await solve(models, maths, strategy="beam_search", n=8, temperature=0.6)
    (search,) = searches
    assert [_plain(node) for node in search.tree.nodes] == [_plain(node) for node in recorded.tree.nodes]
    assert search.tree.chosen == recorded.tree.chosen


def _plain(node: Node) -> dict[str, Any]:
    return {name: getattr(node, name) for name in Node.__slots__}


# --- survivors -----------------------------------------------------------------------------------------------------


async def test_beam_search_keeps_exactly_k_and_says_why(models: Models, maths: Domain) -> None:
    run = await solve(models, maths, strategy="beam_search", n=16, width=4, seed=2)
    tree, scorer = run.tree, models.scorer.info.name  # type: ignore[union-attr]
    levels: dict[int, list[tuple[Decision, Node]]] = {}
    for decision in [event for event in run.events if isinstance(event, Decision) and event.reason == "rank"]:
        levels.setdefault(tree[decision.node].depth, []).append((decision, tree[decision.node]))
    assert levels
    for ranked in levels.values():
        kept = [(decision, node) for decision, node in ranked if decision.action == "keep"]
        assert sum(decision.numbers["slots"] for decision, _ in ranked) == min(4, sum(n.copies for _, n in ranked))
        best_first = sorted((node.scores[scorer] for _, node in ranked), reverse=True)
        cut_off = min(node.scores[scorer] for _, node in kept)
        left = 4
        for rank, (decision, node) in enumerate(ranked, start=1):
            slots = min(left, node.copies)
            left -= slots
            assert decision.numbers == {
                "rank": rank, "of": len(ranked), "k": 4, "cut_off": cut_off, "score": node.scores[scorer],
                "slots": slots, "draws": node.copies,
            }  # fmt: skip
            assert node.scores[scorer] == best_first[rank - 1]
            assert (decision.action == "keep") == (slots > 0)
            assert node.scores[scorer] >= cut_off or decision.action == "prune"


@pytest.mark.parametrize(
    ("strategy", "beams", "below"),
    [
        ("beam_search", "draws", {"b": 2, "a": 6, "c": 0}),
        ("beam_search", "distinct", {"b": 2, "a": 2, "c": 2}),
        ("lookahead", "draws", {"b": 2, "a": 6, "c": 0}),
        ("lookahead", "distinct", {"b": 2, "a": 2, "c": 2}),
    ],
)
async def test_a_draw_is_a_beam(maths: Domain, strategy: str, beams: str, below: dict[str, int]) -> None:
    """Eight first draws, of which six are the same step, and four slots."""

    def script(path: str, index: int) -> tuple[str, Finish]:
        return (f"{'aaaabcaa'[index]}\n\n", "step") if not path else (rf"\boxed{{{index}}}", "eos")

    values = {"a": 0.8, "b": 0.9, "c": 0.1}
    run = await solve_with(
        ScriptedPolicy(script), ScriptedScorer(lambda path: values[path[0]]), maths, strategy=strategy, n=8, width=2,
        beams=beams, problem="p",
    )  # fmt: skip
    firsts = run.tree.children(run.tree.root)
    assert {node.text[0]: sum(child.copies for child in run.tree.children(node)) for node in firsts} == below | {
        # A step that was looked ahead from and not kept has its rollout below it.
        node.text[0]: len(run.tree.children(node)) for node in firsts if node.status == "pruned"
    }  # fmt: skip
    slots = {node.text[0]: node.decisions[0].numbers["slots"] for node in firsts}
    assert slots == {name: draws // 2 for name, draws in below.items()}


async def test_beams_that_end_use_up_a_slot_for_each_draw(maths: Domain) -> None:
    """Four slots; three equal draws end and win three of them, so one open beam goes on."""

    def script(path: str, index: int) -> tuple[str, Finish]:
        if path or index in (0, 1, 2):
            return r"\boxed{1}", "eos"
        return f"{index}\n\n", "step"

    scorer = ScriptedScorer(lambda path: 0.9 if "boxed" in path else 0.5)
    run = await solve_with(
        ScriptedPolicy(script), scorer, maths, strategy="beam_search", n=8, width=2, finished="compete", problem="p"
    )
    kept = [node for node in run.tree.children(run.tree.root) if any(d.action == "keep" for d in node.decisions)]
    assert [(node.text.strip(), node.decisions[0].numbers["slots"]) for node in kept] == [(r"\boxed{1}", 3), ("3", 1)]


async def test_beam_search_step_by_step_on_known_scores(maths: Domain) -> None:
    scores = {
        "c\n\n": 0.9,
        "a\n\n": 0.8,
        "b\n\n": 0.1,
        "d\n\n": 0.2,
        "c\n\na\n\n": 0.3,
        "a\n\nb\n\n": 0.7,
        "c\n\nb\n\n": 0.6,
    }
    scorer = ScriptedScorer(value_of(scores, default=0.05))
    run = await solve_with(
        ScriptedPolicy(letters()), scorer, maths, strategy="beam_search", n=4, width=2, problem="p", max_steps=10
    )
    tree = run.tree
    paths = {"".join(step.text for step in tree.path(node)): node for node in tree.nodes[1:]}
    assert {path for path, node in paths.items() if node.status == "kept"} == {
        "c\n\n", "a\n\n", "a\n\nb\n\n", "c\n\nb\n\n",
    }  # fmt: skip
    assert {path for path, node in paths.items() if node.status == "finished"} == {
        r"a" + "\n\nb\n\n" + r"\boxed{a}", "a\n\nb\n\n" + r"\boxed{b}",
        "c\n\nb\n\n" + r"\boxed{a}", "c\n\nb\n\n" + r"\boxed{b}",
    }  # fmt: skip
    assert len(scorer.asked) == len(set(scorer.asked)) == len(tree) - 1


def early_finisher(path: str, index: int) -> tuple[str, Finish]:
    """At every level draw 0 ends with an answer and the others go on."""
    if index == 0 and path:
        return rf"\boxed{{{path.count(chr(10)) // 2}}}", "eos"
    return f"{'abcdefgh'[index]}\n\n", "step"


async def test_banked_completions_take_no_slot_and_n_of_them_end_the_search(maths: Domain) -> None:
    scorer = ScriptedScorer(lambda path: 0.9 if path.endswith("}") else 0.4)
    run = await solve_with(
        ScriptedPolicy(early_finisher),
        scorer,
        maths,
        strategy="beam_search",
        n=4,
        width=2,
        finished="bank",
        problem="p",
    )
    tree = run.tree
    assert Counter(node.depth for node in tree.completions()) == {2: 2, 3: 2}
    assert Counter(node.depth for node in tree.nodes if node.status == "kept") == {1: 2, 2: 2}
    ended = [decision for decision in decisions(run.events, "prune") if decision.reason == "width_reached"]
    assert [decision.numbers for decision in ended] == [{"n": 4, "finished": 4}] * 2


async def test_competing_completions_take_slots_for_good(maths: Domain) -> None:
    scorer = ScriptedScorer(lambda path: 0.9 if path.endswith("}") else 0.4)
    policy = ScriptedPolicy(early_finisher)
    run = await solve_with(policy, scorer, maths, strategy="beam_search", n=4, width=2, finished="compete", problem="p")
    assert Counter(node.depth for node in run.tree.completions()) == {2: 2}
    assert len(policy.draws) == 4 + 2 * 2

    policy = ScriptedPolicy(early_finisher)
    scorer = ScriptedScorer(lambda path: 0.1 if path.endswith("}") else 0.4)  # an answer that ranks low is dropped
    run = await solve_with(
        policy, scorer, maths, strategy="beam_search", n=4, width=2, finished="compete", problem="p", max_steps=4
    )
    assert not list(run.tree.completions())
    assert run.last.answer is None
    assert run.last.status == "done"


async def test_one_slot_left_keeps_one(maths: Domain) -> None:
    scorer = ScriptedScorer(lambda path: 0.9 if path == "a\n\n\\boxed{1}" else 0.1 if path.endswith("}") else 0.2)
    run = await solve_with(
        ScriptedPolicy(early_finisher), scorer, maths, strategy="beam_search", n=4, width=2, finished="compete",
        problem="p", max_steps=3,
    )  # fmt: skip
    ranked = [event for event in run.events if isinstance(event, Decision) and event.reason == "rank"]
    assert {run.tree[event.node].depth: event.numbers["k"] for event in ranked} == {1: 2, 2: 2, 3: 1}


async def test_the_search_ends_at_max_steps(models: Models, maths: Domain) -> None:
    for strategy in ("beam_search", "majority_vote"):
        run = await solve_with(
            ScriptedPolicy(letters(finish_at=99)), ScriptedScorer(value_of({})), maths,
            strategy=strategy, n=4, width=2, max_steps=3, problem="p",
        )  # fmt: skip
        assert max(node.depth for node in run.tree.nodes) == 3
        assert (run.last.status, run.last.answer) == ("done", None)
        deepest = [node for node in run.tree.nodes if node.depth == 3]
        assert {node.status for node in deepest} == {"pruned"}
        assert {d.reason for node in deepest for d in node.decisions if d.action == "prune"} <= {"max_steps", "rank"}
    run = await solve(models, maths, strategy="beam_search", max_steps=2)
    assert max(node.depth for node in run.tree.nodes) <= 2


async def test_a_truncated_step_is_terminal_and_answers_only_from_a_box(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return (r"so \boxed{7}. And" if index else "so it is 7", "length")

    run = await solve_with(ScriptedPolicy(script), None, maths, strategy="majority_vote", n=2, problem="p")
    assert [(node.finish, node.answer) for node in run.tree.completions()] == [("length", None), ("length", "7")]
    assert run.last.answer == "7"


async def test_copies_vote_and_beams_do_not_count_copies(maths: Domain) -> None:
    """Eight identical first steps take one of the two slots and get M draws, not eight times M."""

    def script(path: str, index: int) -> tuple[str, Finish]:
        if not path:
            return ("same\n\n" if index else "other\n\n"), "step"
        return rf"\boxed{{{index}}}", "eos"

    policy = ScriptedPolicy(script)
    run = await solve_with(
        policy, ScriptedScorer(value_of({})), maths, strategy="beam_search", n=8, width=4, problem="p"
    )
    first = run.tree.children(run.tree.root)
    assert [(node.text, node.copies) for node in first] == [("other\n\n", 1), ("same\n\n", 7)]
    assert len(policy.draws) == 8 + 2 * 4
