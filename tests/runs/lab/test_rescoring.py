"""A judge reads trees that are there already: as it would have scored them in a search, each step once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.recorded import PROBLEM

from engine.errors import InvalidInput
from engine.runs.host import Host
from engine.runs.lab.rescoring import Rescored, positions_about, rescore, score_tree
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store

OTHER = "builtin-prm-weak"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store)
        try:
            yield host
        finally:
            host.close()


def _ran(host: Host, params: RunParams, scorer: str | None = None) -> str:
    running = host.submit(Question(PROBLEM), params, scorer=scorer)
    running.future.result(timeout=60)
    host.store.flush()
    return running.id


def test_a_tree_is_scored_as_the_search_that_made_it_was(host: Host) -> None:
    run_id = _ran(host, RunParams("beam_search", n=8))
    record, tree = host.store.whole_run(run_id), host.store.tree(run_id)
    judge = record.judge
    assert judge
    read = host.judging(judge, lambda scorer: score_tree(tree, scorer)).result(timeout=60)
    assert {score.node: score.value for score in read.scores} == pytest.approx(
        {node.id: node.scores[judge] for node in tree.nodes[1:] if judge in node.scores}, abs=1e-5
    )
    assert read.usage.scored_tokens == record.usage.scored_tokens  # the same work, and no other
    assert read.too_long == 0


def test_runs_get_the_scores_of_another_judge_once(host: Host) -> None:
    run_ids = [_ran(host, RunParams("best_of_n", n=4, seed=seed)) for seed in range(3)]
    told: list[Rescored] = []

    def again() -> list[Rescored]:
        return host.judging(OTHER, lambda judge: rescore(host.store, run_ids, judge, told.append)).result(timeout=60)

    done = again()
    assert [each.run_id for each in done] == run_ids and {each.run_id for each in told} == set(run_ids)
    for each in done:
        tree, (scoring,) = host.store.tree(each.run_id), host.store.scorings(each.run_id)
        assert each.scoring == scoring and scoring.usage.scored_tokens > 0
        assert sum(OTHER in node.scores for node in tree.nodes) == each.steps == sum(n.scorable for n in tree.nodes[1:])
    assert {each.refused for each in again()} == {f"{OTHER} has scored its steps already"}


def test_the_judge_that_decided_a_run_and_unknown_runs_are_refused_one_by_one(host: Host) -> None:
    run_ids = ["no-such-run", _ran(host, RunParams("best_of_n", n=2), scorer=OTHER)]
    unknown, decided = host.judging(OTHER, lambda judge: rescore(host.store, run_ids, judge)).result(timeout=60)
    assert unknown.refused and "no-such-run" in unknown.refused
    assert decided.refused == f"{OTHER} decided this run, so its scores are there"
    with pytest.raises(InvalidInput, match="scorer: unknown PRM 'nobody'"):
        host.judging("nobody", lambda judge: rescore(host.store, [], judge))


def test_what_it_will_cost_is_about_right(host: Host) -> None:
    tree = host.store.tree(_ran(host, RunParams("best_of_n", n=8)))
    judge = host.catalogue.judge(OTHER)
    read = host.judging(OTHER, lambda scorer: score_tree(tree, scorer)).result(timeout=60)
    assert positions_about(tree, judge) == pytest.approx(read.usage.scored_tokens, rel=0.3)
