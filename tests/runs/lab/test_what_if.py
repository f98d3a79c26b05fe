"""A recorded search under another judge: exact inside the record, honest where it leaves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.recorded import PROBLEM

from engine.errors import InvalidInput
from engine.runs.fork import Fork
from engine.runs.host import Host
from engine.runs.lab.dealing import dealt
from engine.runs.lab.rescoring import rescore
from engine.runs.lab.what_if import CONSTANT, EXACT, SHORTER, Steering, outcome, what_if
from engine.runs.question import Question
from engine.search.events import Decision
from engine.search.params import RunParams
from engine.search.strategies import STRATEGIES
from engine.search.tree import Tree
from engine.search.truth import Truth
from engine.store import Store

OTHER = "builtin-prm-weak"
SCORED = [name for name, strategy in STRATEGIES.items() if strategy.scored]
VARIANTS: list[dict[str, Any]] = [
    {"n": 16, "width": 4}, {"n": 16, "width": 2, "finished": "compete"}, {"n": 16, "width": 4, "beams": "distinct"},
    {"n": 32, "width": 8, "temperature": 1.2}, {"n": 8, "width": 4, "temperature": 0.0},
    {"n": 16, "width": 4, "max_tokens_total": 600}, {"n": 16, "width": 4, "max_steps": 3},
    {"n": 16, "width": 4, "select": "prm_min_max", "lookahead": 2, "tree_policy": "puct"},
]  # fmt: skip


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Store.open(str(tmp_path_factory.mktemp("what-if") / "runs.db")) as store:
        host = Host(store)
        yield host
        host.close()


#: Of a family whose steps can be checked.
CHECKED = Question("What is the sum of the first 22 terms of 6, 14, 22, ...?", "1980")


def ran(host: Host, strategy: str, scorer: str | None = None, question: Question | None = None, **params: Any) -> str:
    running = host.submit(question or Question(PROBLEM, "263"), RunParams(strategy, **params), scorer=scorer)
    running.future.result(timeout=120)
    host.store.flush()
    return running.id


def steering(host: Host, run_id: str) -> Steering:
    record, events = host.store.read(run_id)
    return Steering(record, events, host.domains[record.domain])


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: "-".join(f"{k}={v}" for k, v in variant.items()))
@pytest.mark.parametrize("strategy", SCORED)
def test_under_its_own_judge_a_run_decides_as_it_did(host: Host, strategy: str, variant: dict[str, Any]) -> None:
    for seed in range(2):
        steered = steering(host, ran(host, strategy, seed=seed, **variant))  # refused where any decision differs
        record = steered.record
        again = steered.under(record.judge or "")
        assert (again.answer, again.correct, again.left) == (record.answer, record.correct, None)
        assert not again.otherwise and not again.strayed
        assert again.completions == sum(leaf.copies for leaf in steered.tree.completions())


def test_a_vote_that_stopped_early_stops_again(host: Host) -> None:
    steered = steering(host, ran(host, "best_of_n", n=32, stop="beta:0.8"))
    again = steered.under(steered.record.judge or "")
    assert (again.answer, again.left) == (steered.record.answer, None)
    assert steered.record.stop_reason == "agreement" and again.completions < 32


def rescored(host: Host, run_id: str, judge: str = OTHER) -> None:
    host.judging(judge, lambda scorer: rescore(host.store, [run_id], scorer)).result(timeout=120)


def paths(tree: Tree, nodes: Iterable[int]) -> set[str]:
    return {"".join(step.text for step in tree.path(tree[node])) for node in nodes}


def draws_below(tree: Tree) -> Counter[str]:
    counted: Counter[str] = Counter()
    for node in tree.nodes[1:]:
        counted["".join(step.text for step in tree.path(node)[:-1])] += node.copies
    return counted


@pytest.mark.parametrize("strategy", ["best_of_n", "beam_search", "dvts", "lookahead"])
def test_a_search_that_another_judge_really_steers_bears_it_out(host: Host, strategy: str) -> None:
    """Searches with one seed draw the same steps below the same path, so the other judge's own search can be run."""
    known = left = 0
    for seed in range(4):
        asked: dict[str, Any] = {"n": 16, "width": 4, "seed": seed, "temperature": 1.2}
        run_id = ran(host, strategy, **asked)
        rescored(host, run_id)
        here = steering(host, run_id)
        told = here.under(OTHER)
        real_id = ran(host, strategy, OTHER, **asked)
        real, tree = host.store.run(real_id), host.store.tree(real_id)
        if told.known:
            known += 1
            assert (told.answer, told.correct) == (real.answer, real.correct)
            assert paths(here.tree, told.kept) == paths(tree, [n.id for n in tree.nodes[1:] if n.status == "kept"])
        else:
            left += 1
            assert told.left and told.left.slots <= told.left.of == 4
            there, recorded = draws_below(tree), draws_below(here.tree)
            for path in paths(here.tree, told.left.nodes):  # it drew there, and the record did not, or not as often
                assert there[path] > recorded[path]
    assert known if strategy == "best_of_n" else known + left == 4 and left


def test_a_chain_where_nothing_is_weighed_needs_no_other_judge(host: Host) -> None:
    record, events = host.store.read(ran(host, "best_of_n", n=8, select="majority_vote"))
    for each in what_if(record, events, host.domains["maths"]):
        assert (each.known, each.answer) == (True, record.answer)
        assert outcome(record, each) == "as it was"


def test_the_exact_check_steers_right_where_a_right_path_was_drawn(host: Host) -> None:
    told = 0
    for seed in range(4):
        record, events = host.store.read(
            ran(host, "best_of_n", n=16, seed=seed, select="prm_min_max", question=CHECKED)
        )
        checker = host.domains["maths"].step_checker(record.problem)
        assert checker
        truth, tree = Truth(checker), Tree.from_events(events)
        truth.take(tree.nodes[1:])
        exact = what_if(record, events, host.domains["maths"], truth)[-1]
        right = any(record.grades[leaf.answer].correct and not truth.first_wrong(tree.path(leaf))
                    for leaf in tree.completions() if leaf.answer)  # fmt: skip
        assert exact.judge == EXACT and exact.known
        if right:  # elsewhere every completion weighs nothing, and likelihood decides
            told += 1
            assert exact.correct and outcome(record, exact) == ("as it was" if record.correct else "wrong to right")
    assert told


def test_shorter_steps_win_under_length_alone(host: Host) -> None:
    here = steering(host, ran(host, "beam_search", n=16, width=4, temperature=1.5))
    told = here.under(SHORTER)
    first = [node for node in here.tree.nodes if node.depth == 1]
    kept = {node.id for node in first} & told.kept
    assert kept and max(len(here.tree[node].text.strip()) for node in kept) <= min(
        len(node.text.strip()) for node in first if node.id not in kept
    )
    assert set(here.scores(CONSTANT).values()) == {0.5}


@pytest.mark.parametrize(("strategy", "params"), [("greedy", {}), ("majority_vote", {"n": 4})])
def test_a_run_that_no_judge_steered_is_refused_and_says_why(host: Host, strategy: str, params: Any) -> None:
    with pytest.raises(InvalidInput, match=f"{strategy} asks no judge"):
        steering(host, ran(host, strategy, **params))


def test_a_record_that_does_not_hold_together_is_refused(host: Host) -> None:
    record, events = host.store.read(ran(host, "beam_search", n=8, width=4))
    lost = [event for event in events if not (isinstance(event, Decision) and event.action == "prune")]
    with pytest.raises(InvalidInput, match="do not follow from what was recorded"):
        Steering(record, lost, host.domains["maths"])
    with pytest.raises(InvalidInput, match="the run is stopped"):
        Steering(replace(record, status="stopped"), events, host.domains["maths"])


def test_a_fork_is_steered_from_where_it_began(host: Host) -> None:
    source = ran(host, "beam_search", n=8, width=4)
    node = next(node for node in host.store.tree(source).nodes[1:] if not node.terminal)
    fork = Fork.at(host.store, source, node.id)
    running = host.line_up(Question(PROBLEM, "263"), RunParams("beam_search", n=8, width=4), fork=fork).result()
    running.future.result(timeout=120)
    host.store.flush()
    here = steering(host, running.id)
    assert here.under(here.record.judge or "").known


def test_draws_are_dealt_as_the_subtrees_hold_them() -> None:
    families = {0: {1, 4}, 1: {2, 3}, 2: {1, 2}}
    draws = [1, 1, 1, 2, 2, 3, 3, 4, 4]  # the second 4 lies in the first family alone, so a 1 has to make room
    order = dealt(draws, families, 3)
    assert sorted(order) == draws
    assert [set(order[first : first + 3]) for first in (0, 3, 6)] == list(families.values())
