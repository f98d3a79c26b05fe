"""A fork goes on from a step of another run: with more draws, with another search, or with a step of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.recorded import PROBLEM

from engine.errors import InvalidInput
from engine.runs.fork import Fork
from engine.runs.host import Host
from engine.runs.question import Question
from engine.runs.run import ROLLOUTS
from engine.runs.stopping import stopped
from engine.search.events import Event
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import RunRecord, Store
from engine.store.document import document
from engine.store.imports import import_document
from tts_ui.words.results import stopped_early

ASKED = Question(PROBLEM, "263")
RIGHT = "## Step 1: 18 * 13 = 234, which leaves 5 + 234 + 8 + 8 + 8."
WRONG = "## Step 1: 18 * 13 = 334, which leaves 5 + 334 + 8 + 8 + 8."


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Store.open(str(tmp_path_factory.mktemp("forks") / "runs.db")) as store:
        host = Host(store)
        yield host
        host.close()


def searched(host: Host, params: RunParams, fork: Fork | None = None, **models: Any) -> str:
    running = host.line_up(ASKED, params, **models, fork=fork).result()
    running.future.result(timeout=60)
    host.store.flush(running.id)
    return running.id


def read(host: Host, run_id: str) -> tuple[RunRecord, list[Event], Tree]:
    record, events = host.store.read(run_id)
    return record, events, Tree.from_events(events)


def first_steps(tree: Tree, below: int = 0) -> list[tuple[str, int]]:
    return sorted((node.text, node.copies) for node in tree.children(tree[below]))


def test_more_draws_are_those_that_would_have_come_next(host: Host) -> None:
    few, many = (searched(host, RunParams("best_of_n", n=n, temperature=1.3)) for n in (6, 14))
    more = searched(host, RunParams("best_of_n", n=8, temperature=1.3), Fork.at(host.store, few, 0))
    drawn = dict(first_steps(read(host, few)[2]))
    for text, copies in first_steps(read(host, more)[2]):
        drawn[text] = drawn.get(text, 0) + copies
    assert sorted(drawn.items()) == first_steps(read(host, many)[2])
    record = read(host, more)[0]
    assert (record.origin, record.parent_run, record.fork_node) == ("fork", few, 0)


def test_another_search_goes_on_below_a_step_and_the_first_run_stays_as_it_was(host: Host) -> None:
    source = searched(host, RunParams("beam_search", n=8, width=4))
    before, _, tree = read(host, source)
    node = next(node for node in tree.nodes if node.depth == 2 and not node.terminal)
    for strategy, judge in (("mcts", None), ("dvts", "builtin-prm-weak"), ("majority_vote", None)):
        fork = Fork.at(host.store, source, node.id)
        record, _, grown = read(host, searched(host, RunParams(strategy, n=8, width=4), fork, scorer=judge))
        assert [step.text for step in grown.path(grown[2])] == [step.text for step in tree.path(node)]
        assert [step.token_ids for step in grown.nodes[1:3]] == [step.token_ids for step in tree.path(node)]
        assert all(2 in {step.id for step in grown.path(each)} for each in grown.nodes[3:])
        assert len(grown) > 3 and record.status == "done"
        assert record.strategy == strategy
    after, events, again = read(host, source)
    assert (after, len(again)) == (before, len(tree))
    assert document(after, events)["run"]["origin"] == "search"


def test_a_step_of_ones_own_is_rolled_out_and_valued(host: Host) -> None:
    source = searched(host, RunParams("best_of_n", n=4))
    wise, foolish = (
        searched(host, RunParams("best_of_n", n=16), Fork.instead(host.store, source, 1, own), models="builtin-l")
        for own in (RIGHT, WRONG)
    )
    values = {}
    for run_id in (wise, foolish):
        record, _, tree = read(host, run_id)
        own = tree[1]
        assert own.origin == "human" and own.text.endswith("\n\n") and own.token_ids
        assert {node.parent for node in tree.nodes[2:] if node.depth == 2} == {1}
        leaves = list(tree.completions())
        right = sum(leaf.copies for leaf in leaves if leaf.answer == "263")
        assert own.scores[ROLLOUTS] == pytest.approx(right / sum(leaf.copies for leaf in leaves))
        assert record.judge is not None and record.judge in own.scores  # the PRM has judged it, too
        values[run_id] = own.scores[ROLLOUTS]
    assert values[wise] > values[foolish]


def test_a_guided_search_gives_no_rollout_value(host: Host) -> None:
    source = searched(host, RunParams("best_of_n", n=4))
    fork = Fork.instead(host.store, source, 1, RIGHT)
    assert ROLLOUTS not in read(host, searched(host, RunParams("beam_search", n=8, width=4), fork))[2][1].scores


def test_a_vote_that_stops_early_gives_no_rollout_value_and_is_told_below_the_fork(host: Host) -> None:
    source = searched(host, RunParams("beam_search", n=8, width=4))
    right = next(node for node in read(host, source)[2].nodes if node.text.strip() == RIGHT)
    fork = Fork.at(host.store, source, right.id)
    record, _, tree = read(host, searched(host, RunParams("majority_vote", n=32, stop="beta:0.8"), fork))
    assert ROLLOUTS not in tree[1].scores
    assert [decision.reason for decision in tree[1].decisions] == ["planted", "beta_stop"]
    assert record.stop_reason == "agreement"
    assert stopped_early(record, tree).startswith("stopped early: ")
    again = stopped(record, tree, host.domains["maths"], 0.8)
    assert again.of == sum(node.copies for node in tree.children(tree[1])) < 32
    assert again.all_tokens == record.usage.generated_tokens


def test_a_fork_is_exported_and_read_again(host: Host, tmp_path: Path) -> None:
    source = searched(host, RunParams("best_of_n", n=4))
    run_id = searched(host, RunParams("best_of_n", n=4), Fork.instead(host.store, source, 1, RIGHT))
    exported = document(*host.store.read(run_id))
    with Store.open(str(tmp_path / "other.db")) as other:
        assert import_document(other, exported) == run_id
        record, events = other.read(run_id)
        origin = {"origin": "fork"}  # the one thing that says where the document has been
        assert document(record, events) | {"run": document(record, events)["run"] | origin} == exported


def test_what_cannot_be_gone_on_from_is_refused_in_one_line(host: Host) -> None:
    source = searched(host, RunParams("best_of_n", n=4))
    leaf = next(iter(read(host, source)[2].completions()))
    for node, said in ((leaf.id, "ended the answer"), (10_000, "has no node"), (-1, "has no node")):
        with pytest.raises(InvalidInput, match=said):
            Fork.at(host.store, source, node)
    for node, own, said in (
        (1, "  ", "it is empty"), (1, "7" * 4001, "too many"), (0, RIGHT, "stand in for"), (10_000, RIGHT, "no node"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=said):
            Fork.instead(host.store, source, node, own)
    with pytest.raises(InvalidInput, match="no run has the id"):
        Fork.at(host.store, "nobody", 0)


def test_a_fork_by_another_policy_reads_the_steps_in_its_own_tokens(host: Host) -> None:
    source = searched(host, RunParams("best_of_n", n=4))
    tree = read(host, source)[2]
    node = tree.children(tree.root)[0]
    fork = Fork.at(host.store, source, node.id)
    foreign = replace(fork, policy=replace(fork.policy, name="another"))
    record, _, grown = read(host, searched(host, RunParams("best_of_n", n=4), foreign))
    assert record.status == "done"
    assert grown[1].text == node.text and grown[1].token_ids and grown[1].logprob is None
