"""A finished vote read again under a threshold is what stopping there would have been."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from support.recorded import PROBLEM, Recorded, solve_with
from support.scripted import ScriptedPolicy

from engine.errors import InvalidInput
from engine.runs.host import Host
from engine.runs.lab.evidence import read as read_trees
from engine.runs.question import Question
from engine.runs.stopping import draws_in_order, stopped
from engine.search.domain import Domain
from engine.search.events import Finish, RunStarted
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import RunRecord, Store
from engine.store.records import begun
from tts_ui.words.stopping import sentences


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Store.open(str(tmp_path_factory.mktemp("stopping") / "runs.db")) as store:
        host = Host(store)
        yield host
        host.close()


def ran(host: Host, strategy: str = "best_of_n", reference: str = "263", **params: object) -> tuple[RunRecord, Tree]:
    running = host.submit(Question(PROBLEM, reference), RunParams(strategy, **params))  # type: ignore[arg-type]
    running.future.result(timeout=120)
    host.store.flush()
    return host.store.run(running.id), host.store.tree(running.id)


@pytest.mark.parametrize("strategy", ["majority_vote", "best_of_n"])
@pytest.mark.parametrize("seed", range(2))
def test_the_run_that_stops_lies_among_what_is_read(host: Host, strategy: str, seed: int) -> None:
    whole, tree = ran(host, strategy, n=16, seed=seed, temperature=1.2)
    read = stopped(whole, tree, host.domains["maths"], 0.8)
    early, small = ran(host, strategy, n=16, seed=seed, temperature=1.2, stop="beta:0.8")
    drawn = sum(node.copies for node in small.children(small.root))
    assert read.least <= drawn <= read.most
    assert early.answer in {each.answer for each in read.answers}
    assert (read.of, read.all_tokens) == (16, whole.usage.generated_tokens)


def different(path: str, index: int) -> tuple[str, Finish]:
    """Every first step is the same, every second one differs: the order can be told from the second level alone."""
    if not path:
        return "First\n\n", "step"
    if path.count("\n\n") == 1:
        return f"then {index}\n\n", "step"
    return rf"\boxed{{{1 if path.endswith(('then 0', 'then 1', 'then 2')) else 2}}}", "eos"


async def test_the_order_of_draws_is_known_where_they_all_differ_on_one_level(maths: Domain) -> None:
    run = await solve_with(ScriptedPolicy(different), None, maths, strategy="majority_vote", n=8, problem="p")
    tree = run.tree
    ordered = draws_in_order(tree)
    assert ordered is not None
    assert [tree.path(leaf)[1].text.strip() for leaf in ordered] == [f"then {index}" for index in range(8)]


def recorded(run: Recorded) -> RunRecord:
    """The record of a run without a store."""
    started = run.events[0]
    assert isinstance(started, RunStarted)
    record = begun(started, run.usage)
    last = run.last
    return replace(record, status="done", answer=last.answer, grades=last.grades, stop_reason=last.stop_reason)


@pytest.mark.parametrize("seed", range(40))
async def test_where_the_order_is_known_it_is_the_run_that_stops(maths: Domain, seed: int) -> None:
    """Against the search itself, draw by draw: the same answer after the same draws for the same tokens."""
    dice = Random(seed)
    said = [dice.choice("1112223x") for _ in range(24)]

    def script(path: str, index: int) -> tuple[str, Finish]:
        if not path:
            return "First\n\n", "step"
        if path.count("\n\n") == 1:
            return f"then {index}{' more' * (index % 5)}\n\n", "step"
        return (rf"\boxed{{{said[int(path.split()[2])]}}}", "eos")

    for threshold in (0.6, 0.8, 0.95):
        asked = {"strategy": "majority_vote", "n": 24, "problem": "p", "reference": "1"}
        whole = await solve_with(ScriptedPolicy(script), None, maths, **asked)
        early = await solve_with(ScriptedPolicy(script), None, maths, stop=f"beta:{threshold}", **asked)
        read = stopped(recorded(whole), whole.tree, maths, threshold)
        assert (read.orders, read.drawn) == (1, sum(leaf.copies for leaf in early.tree.completions()))
        assert read.tokens == early.usage.generated_tokens
        assert [(each.answer, each.correct) for each in read.answers] == [(early.last.answer, early.last.correct)]


async def test_it_is_not_known_where_two_draws_are_one(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return rf"\boxed{{{index // 2}}}", "eos"

    run = await solve_with(ScriptedPolicy(script), None, maths, strategy="majority_vote", n=8, problem="p")
    assert draws_in_order(run.tree) is None


def test_a_lower_threshold_never_takes_more_and_one_saves_what_it_does_not_draw(host: Host) -> None:
    record, tree = ran(host, n=64, temperature=1.4)
    domain = host.domains["maths"]
    found = [stopped(record, tree, domain, threshold) for threshold in (0.5, 0.7, 0.9, 0.95, 0.99)]
    assert [read.drawn for read in found] == sorted(read.drawn for read in found)
    for read in found:
        assert 2 <= read.least <= read.drawn <= read.most <= 64
        assert 0 <= read.saved < 1 and sum(each.share for each in read.answers) == pytest.approx(1)
        assert read == stopped(record, tree, domain, read.threshold)
        words = " ".join(sentences(record, read))
        assert f"beta:{read.threshold:g}" in words and f"of {read.of} draws" in words


def test_a_run_that_stopped_says_that_more_is_not_on_record(host: Host) -> None:
    record, tree = ran(host, "majority_vote", n=32, temperature=0.8, stop="beta:0.8")
    assert record.stop_reason == "agreement"
    read = stopped(record, tree, host.domains["maths"], 0.9999)
    assert read.unsure == 1 and read.cut
    (said,) = sentences(record, read)
    assert said.startswith(f"With beta:0.9999 it would have gone on beyond the {read.of} draws")


def test_only_a_finished_vote_can_be_read(host: Host) -> None:
    record, tree = ran(host, "beam_search", n=8)
    with pytest.raises(InvalidInput) as refused:
        stopped(record, tree, host.domains["maths"], 0.9)
    assert refused.value.argument == "run" and "majority_vote" in refused.value.message
    vote, tree = ran(host, "majority_vote", n=4)
    with pytest.raises(InvalidInput, match="only a finished one"):
        stopped(replace(vote, status="running"), tree, host.domains["maths"], 0.9)


def test_a_run_that_may_stop_is_no_sample_of_independent_draws(host: Host) -> None:
    """Of those that agreed it drew no more, so any share of its draws agrees too often."""
    (whole, _), (early, _) = ran(host, n=8), ran(host, n=8, stop="beta:0.8")
    assert whole.judge is not None
    sampled, fewer = read_trees(host.store, host.domains, [whole, early]).evidence(whole.judge).runs
    assert sampled.draws is not None and fewer.draws is None
