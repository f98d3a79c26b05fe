"""Runs under a judge that writes: what it wrote is kept with its scores, shared and charged as they are, and the
majority at equal FLOPs stands beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.recorded import PROBLEM
from support.sample_runs import started
from support.writing_judge import NAME, models_file

from engine.models.catalogue.catalogue import Catalogue
from engine.runs.equal_flops import EqualVote, equal_vote, judged_by_writing, others_like
from engine.runs.host import Host
from engine.runs.lab.rescoring import rescore, score_tree
from engine.runs.question import Question
from engine.search.events import Decision, Event, Grade, StepSampled, StepScored, Usage
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import RunRecord, Store
from engine.store.document import document
from engine.store.imports import import_document
from engine.store.records import begun

QUESTION = Question(PROBLEM, "263")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("critiques")
    with Store.open(str(folder / "runs.db")) as store:
        host = Host(store, Catalogue(models_file(folder)))
        try:
            yield host
        finally:
            host.close()


def ran(host: Host, params: RunParams, scorer: str | None = None) -> str:
    running = host.submit(QUESTION, params, scorer=scorer)
    running.future.result(timeout=100)
    host.store.flush()
    return running.id


def test_every_score_has_its_critique_and_a_document_brings_it_back(host: Host, tmp_path: Path) -> None:
    run_id = ran(host, RunParams("beam_search", n=4, width=2))
    tree = host.store.tree(run_id)
    scored = [node for node in tree.nodes if NAME in node.scores]
    assert scored and all(NAME in node.critiques for node in scored)
    assert len({node.critiques[NAME] for node in scored}) > 1
    written = json.loads(json.dumps(document(*host.store.read(run_id))))
    assert {score["node"]: score["critique"] for score in written["scores"]} == {
        node.id: node.critiques[NAME] for node in scored
    }
    with Store.open(str(tmp_path / "other.db")) as other:
        again = import_document(other, written)
        assert {node.id: node.critiques for node in other.tree(again).nodes if node.critiques} == {
            node.id: node.critiques for node in scored
        }
        assert json.loads(json.dumps(document(*other.read(again))))["scores"] == written["scores"]


def test_runs_of_a_comparison_share_critiques_and_are_charged_as_if_alone(host: Host) -> None:
    wanted = [RunParams("best_of_n", n=4, seed=3), RunParams("beam_search", n=4, width=2, seed=3)]
    comparing = host.compare(QUESTION, wanted)
    for running in comparing.runs:
        running.future.result(timeout=100)
    host.store.flush()
    for running, params in zip(comparing.runs, wanted, strict=True):
        together, alone = host.store.read(running.id), host.store.read(ran(host, params))
        assert replace(together[0].usage, wall_s=0) == replace(alone[0].usage, wall_s=0)
        ours, theirs = (
            [(event.node, event.critique) for event in log if isinstance(event, StepScored)]
            for _, log in (together, alone)
        )
        assert ours == theirs and all(critique for _, critique in ours)


def test_a_recorded_run_gets_critiques_later(host: Host) -> None:
    run_id = ran(host, RunParams("majority_vote", n=4))
    assert not judged_by_writing(host.store.tree(run_id))
    (done,) = host.judging(NAME, lambda judge: rescore(host.store, [run_id], judge)).result(timeout=100)
    assert done.scoring and done.steps
    tree = host.store.tree(run_id)
    assert all((NAME in node.critiques) is (NAME in node.scores) for node in tree.nodes)
    read = host.judging(NAME, lambda judge: score_tree(tree, judge)).result(timeout=100)
    assert {score.node: score.critique for score in read.scores} == {
        node.id: node.critiques[NAME] for node in tree.nodes if node.critiques
    }
    record, _ = host.store.read(run_id)
    vote = equal_vote(record, tree)
    assert vote and vote.recorded == 4 and vote.samples > 4  # the bill of the judge that came later counts


def test_a_guided_search_finds_its_independent_draws_among_other_runs(host: Host) -> None:
    run_id = ran(host, RunParams("beam_search", n=4, width=2, seed=11))
    record, tree = host.store.whole_run(run_id), host.store.tree(run_id)
    ran(host, RunParams("majority_vote", n=30, seed=21))
    ran(host, RunParams("majority_vote", n=8, seed=21))  # the same draws
    ran(host, RunParams("majority_vote", n=30, seed=22, temperature=0.3))  # sampled in another way
    others = others_like(host.store, record)
    vote, alone = equal_vote(record, tree, others), equal_vote(record, tree)
    assert alone and alone.recorded == 0 and alone.answer is None and alone.missing == alone.samples > 0
    largest: dict[object, int] = {}
    for run, _ in others:
        seed = run.params["seed"]
        largest[seed] = max(largest.get(seed, 0), run.params["n"])
    assert largest[21] == 30 and 22 not in largest
    assert vote and vote.recorded == sum(largest.values())
    assert not others_like(host.store, record, within=frozenset())


# --- the vote itself, on runs that are written by hand ----------------------------------------------------------------


def by_hand(answers: list[str], critique: str | None, flops: float, tokens: int = 10) -> tuple[RunRecord, Tree]:
    """A best_of_n run of one-step completions; 7 is right."""
    first = replace(started("r"), strategy="best_of_n")
    log: list[Event] = [first]
    for node, answer in enumerate(answers, start=1):
        log.append(StepSampled(node, node, 0, 1, answer, (node,), tokens, -1.0, "eos", answer=answer))
    for node in range(1, len(answers) + 1):
        log.append(StepScored(100 + node, node, "built-in-prm", 0.5, critique=critique))
        log.append(Decision(200 + node, node, "finish", "eos"))
    grades = {answer: Grade(answer, answer == "7", "exact") for answer in answers}
    usage = Usage(generated_tokens=tokens * len(answers), prompt_tokens=5, flops_paper=1.0, flops_all=flops)
    record = replace(begun(first, usage), status="done", grades=grades)
    return record, Tree.from_events(log)


def vote_of(answers: list[str], positions: int, critique: str | None = "fine") -> EqualVote | None:
    record, tree = by_hand(answers, critique, 2.0 * 520_000 * positions)
    return equal_vote(record, tree)


def test_the_vote_is_taken_among_as_many_draws_as_the_flops_buy() -> None:
    vote = vote_of(["3", "7", "7", "3", "3"], positions=5 + 34)
    assert vote is not None
    assert (vote.samples, vote.recorded, vote.missing, vote.answer, vote.correct) == (3, 5, 0, "7", True)


def test_what_is_missing_is_said() -> None:
    vote = vote_of(["3", "7", "3"], positions=5 + 80)
    assert vote is not None
    assert (vote.samples, vote.recorded, vote.missing, vote.answer, vote.correct) == (8, 3, 5, "3", False)


def test_there_is_none_without_a_critique_or_known_flops() -> None:
    assert vote_of(["7"], positions=100, critique=None) is None
    assert vote_of(["7"], positions=0) is None
