"""Several judges of one run: every reader shows the scores of the judge it was asked for, and of no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.recorded import PROBLEM

from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.events import ModelInfo, StepScored, Usage
from engine.search.params import RunParams
from engine.store import Store
from tts_ui.cli import terminal
from tts_ui.web.compare import steps
from tts_ui.web.compare.curves import Curves, curves
from tts_ui.web.parts import fragments
from tts_ui.web.parts.feed import Feed
from tts_ui.web.strategy_cards import marks

SECOND = "second"


@dataclass(frozen=True)
class Shown:
    """What every reader says of a run and a node of it."""

    tree: dict[int, float]
    detail: str
    answers: str
    curves: Curves
    beside: str
    terminal: str
    marks: str


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(str(tmp_path / "runs.db")) as opened:
        yield opened


@pytest.fixture
def run_id(store: Store) -> str:
    host = Host(store)
    running = host.submit(Question(PROBLEM, "262"), RunParams("beam_search", n=8, width=4))
    running.future.result(timeout=60)
    host.close()
    store.flush()
    return running.id


def second(node: int) -> float:
    """The second judge's score of a node: four digits that the first judge's scores do not have."""
    return (node + 1) / 1024


def judged_again(store: Store, run_id: str) -> None:
    added = [StepScored(0, node.id, SECOND, second(node.id)) for node in store.tree(run_id).nodes if node.scores]
    store.add_scoring(run_id, ModelInfo(SECOND, 0, 0), "measured", added, Usage(scored_tokens=9))


def shown(store: Store, run_id: str, capsys: pytest.CaptureFixture[str], judge: str | None = None) -> Shown:
    feed = Feed(store, run_id, judge)
    record, tree = feed.record, feed.tree
    node = next(node for node in tree.nodes if node.depth == 2)
    detail = fragments.detail_head(record, tree, node, feed.judge) + fragments.detail(record, tree, node, feed.judge)
    terminal.print_tree(record, tree, feed.judge)
    lines = [json.loads(line) for line in feed.value.splitlines()]
    return Shown(
        {line[2]: line[3] for line in lines if isinstance(line, list) and line[0] == "v" and len(line) == 4},
        detail,
        fragments.answers(record, tree, feed.judge) + fragments.rules(record, tree, feed.judge),
        curves(record, tree, feed.log, feed.judge),
        steps.side_by_side(["A"], [feed.at(None)], {run_id: node.id}),
        capsys.readouterr().out,
        json.dumps(marks(record, tree, node)),
    )


def test_another_judge_s_scores_recolour_nothing(store: Store, run_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = shown(store, run_id, capsys)
    record, log = store.read(run_id)
    judged_again(store, run_id)
    assert shown(store, run_id, capsys) == shown(store, run_id, capsys, record.judge) == before
    after, longer = store.read(run_id)
    assert longer[: len(log)] == log
    assert (after.usage, after.status, after.answer) == (record.usage, record.status, record.answer)
    assert after.answers(store.tree(run_id)) == record.answers(store.tree(run_id))


def test_every_reader_shows_the_judge_that_was_asked_for(
    store: Store, run_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = shown(store, run_id, capsys)
    judged_again(store, run_id)
    asked = shown(store, run_id, capsys, SECOND)
    tree = store.tree(run_id)
    assert asked.tree == {node: round(second(node), 6) for node in first.tree}
    node = next(node for node in tree.nodes if node.depth == 2)
    for text in (asked.detail, asked.beside, asked.terminal):
        assert f"{second(node.id):.2f}" in text
    scores = {f"{value:.2f}" for step in tree.nodes for name, value in step.scores.items() if name != SECOND}
    in_cells = set(re.findall(r"<span>(\d\.\d\d)</span>", asked.detail))
    in_chips = set(re.findall(r"#\d+  (\d\.\d\d) ", asked.terminal))
    theirs = {f"{second(step.id):.2f}" for step in tree.nodes}
    assert in_cells and in_chips and in_cells | in_chips <= theirs
    assert not (in_cells | in_chips) & (scores - theirs)
    assert {value for _, value in asked.curves.best.points} <= {second(step.id) for step in tree.nodes}
    assert asked.curves.spent == first.curves.spent


def test_a_finished_run_is_read_again_under_another_judge(store: Store, run_id: str) -> None:
    judged_again(store, run_id)
    record, tree = store.run(run_id), store.tree(run_id)
    best = record.answers(tree, "prm_last_max", judge=SECOND)[0]
    leaves = [leaf for leaf in tree.completions() if leaf.answer is not None and SECOND in leaf.scores]
    assert best.best_score == max(leaf.scores[SECOND] for leaf in leaves)
    assert record.answers(tree, "prm_last_max", judge="nobody")[0].best_score is None


def test_a_run_without_a_judge_shows_none_until_one_is_asked_for(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    host = Host(store)
    running = host.submit(Question(PROBLEM, "262"), RunParams("majority_vote", n=8))
    running.future.result(timeout=60)
    host.close()
    store.flush()
    added = [StepScored(0, node.id, SECOND, second(node.id)) for node in store.tree(running.id).nodes[1:] if node.text]
    store.add_scoring(running.id, ModelInfo(SECOND, 0, 0), "measured", added, Usage())
    assert shown(store, running.id, capsys).tree == {}
    assert shown(store, running.id, capsys).curves.best.lacks == "no PRM was used"
    assert len(shown(store, running.id, capsys, SECOND).tree) == len(added)
