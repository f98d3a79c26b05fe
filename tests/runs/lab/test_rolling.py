"""Rollouts below the steps of a recorded run: what they say, what they cost, and that they change nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domains.builtin.problems import examples
from engine.errors import InvalidInput
from engine.runs.host import Host
from engine.runs.lab.rolling import due, roll_out, roll_out_recorded, tokens_about
from engine.runs.lab.sources import Sources
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import RunRecord, ScoringRecord, Store

PROBLEM = examples()[0]
SAMPLED = RunParams("majority_vote", temperature=0.8, seed=0)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store)
        try:
            yield host
        finally:
            host.close()


def _ran(host: Host, reference: str | None = PROBLEM.answer) -> tuple[RunRecord, Tree]:
    running = host.submit(Question(PROBLEM.text, reference), RunParams("best_of_n", n=8))
    running.future.result(timeout=60)
    host.store.flush()
    return host.store.whole_run(running.id), host.store.tree(running.id)


def _estimated(host: Host, record: RunRecord, tree: Tree, which: str, selected: int, k: int) -> ScoringRecord:
    nodes = due(record, tree, which, selected, k)  # type: ignore[arg-type]
    domain = host.domains[record.domain]
    return host.with_policy(
        None, lambda policy: roll_out_recorded(host.store, record, tree, nodes, k, policy, domain, SAMPLED)
    ).result(timeout=120)


def test_steps_get_the_share_of_rollouts_that_end_right_and_a_bill(host: Host) -> None:
    record, tree = _ran(host)
    decided = record.answers(tree)
    first = _estimated(host, record, tree, "step", 1, 8)
    tree = host.store.tree(record.id)
    rest = _estimated(host, record, tree, "all", 1, 8)
    after, events = host.store.read(record.id)
    tree = Tree.from_events(events)
    said = Sources.of(events).said("rollouts")
    assert set(said) == {node.id for node in tree.nodes[1:] if node.text.strip()}
    for node_id, score in said.items():
        node = tree[node_id]
        assert score.kind == "estimated" and score.low is not None and score.high is not None and score.n
        assert score.low <= score.value <= score.high
        assert score.n == (1 if node.terminal else 8)
        if node.terminal and node.answer is not None:
            assert score.value == float(bool(record.grades[node.answer].correct))
    assert [each.kind for each in after.scorings] == ["estimated", "estimated"]
    assert first.usage.generated_tokens > 0 and rest.usage.generated_tokens > first.usage.generated_tokens
    assert rest.usage.scored_tokens == 0
    assert (after.usage, after.answer, after.answers(tree)) == (record.usage, record.answer, decided)


def test_prefixes_are_shared(host: Host) -> None:
    """Of what the paths have in common, each position is read once, whatever the number of rollouts."""
    record, tree = _ran(host)
    usage = _estimated(host, record, tree, "all", 1, 16).usage
    inner = [node for node in tree.nodes[1:] if not node.terminal and node.text.strip()]
    alone = sum(16 * sum(step.tokens for step in tree.path(node)) for node in inner)
    own = sum(node.tokens for node in tree.nodes)
    assert usage.prompt_tokens < 3 * (own + 64) < alone


def test_what_it_will_cost_is_about_right(host: Host) -> None:
    record, tree = _ran(host)
    nodes = due(record, tree, "all", 0, 16)
    usage = _estimated(host, record, tree, "all", 0, 16).usage
    assert tokens_about(tree, nodes, 16) == pytest.approx(usage.generated_tokens, rel=0.35)


def test_the_same_seed_gives_the_same_estimates(host: Host) -> None:
    record, tree = _ran(host)
    nodes, domain = due(record, tree, "path", 0, 4), host.domains[record.domain]
    one, other = (
        host.with_policy(None, lambda policy: roll_out(record, tree, nodes, 4, policy, domain, SAMPLED)).result(60)
        for _ in range(2)
    )
    assert one.scores == other.scores


def test_what_cannot_be_estimated_is_refused(host: Host) -> None:
    record, tree = _ran(host, None)
    with pytest.raises(InvalidInput, match="no reference answer"):
        due(record, tree, "all", 1, 8)
    record, tree = _ran(host)
    with pytest.raises(InvalidInput, match="1 to 256 rollouts"):
        due(record, tree, "all", 1, 0)
    with pytest.raises(InvalidInput, match="select a step"):
        due(record, tree, "step", 0, 8)
    _estimated(host, record, tree, "step", 1, 2)
    with pytest.raises(InvalidInput, match="has its estimate already"):
        due(record, host.store.tree(record.id), "step", 1, 2)
