"""The tree at any moment: the browser's fold of the log and Python's are one, at every seq of real searches."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.domains.builtin.problems import examples
from engine.runs.examples import LESSONS
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.events import ModelInfo, RunFinished, StepSampled, StepScored, Usage
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import Store
from tts_ui.web.components import node_line, run_line, score_line
from tts_ui.web.components.search_tree import STATIC
from tts_ui.web.parts.feed import Feed
from tts_ui.web.parts.lessons import import_all, run_ids

SEARCHES = {
    "beam_search": {"n": 16, "width": 4},
    "dvts": {"n": 8, "width": 4},
    "mcts": {"n": 6, "width": 3},
    "lookahead": {"n": 8, "width": 2},
    "best_of_n": {"n": 12, "temperature": 0.3},  # so cool that many draws are identical
}

#: What a log shows of each node, and the chosen one's id, at each of `moments`.
SNAPSHOTS = """([value, moments]) => {
  const log = new TreeLog();
  log.read(value);
  const shown = (then) => [
    then.status, then.chosen < 0 ? null : then.nodes[then.chosen].id,
    then.nodes.map(({ id, status, copies, score }) => [id, status, copies, score]),
  ];
  return moments.map((seq) => shown(log.upTo(seq))).concat([shown(log)]);
}"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(str(tmp_path_factory.mktemp("replay") / "runs.db")) as opened:
        import_all(opened)
        yield opened


@pytest.fixture(scope="module")
def runs(store: Store) -> list[str]:
    """A run of each search, and the recorded examples."""
    host = Host(store)
    problem = examples()[0]
    asked = [RunParams(strategy, **params) for strategy, params in SEARCHES.items()]  # type: ignore[arg-type]
    running = [host.submit(Question(problem.text, problem.answer), params) for params in asked]
    for each in running:
        each.future.result(timeout=300)
    host.close()
    store.flush()
    return [*(each.id for each in running), *(each for lesson in LESSONS for each in run_ids(lesson))]


@pytest.fixture
def snapshots(chromium_page: Callable[..., Any]) -> Callable[[str, list[int]], list[Any]]:
    """What the browser shows of a tree's text at these moments, and of all of it."""
    page = chromium_page()
    source = (STATIC / "tree_log.js").read_text(encoding="utf-8").replace("export ", "")
    page.add_script_tag(content=source + "\nwindow.TreeLog = TreeLog;")
    return lambda value, moments: list(page.evaluate(SNAPSHOTS, [value, moments]))


def shown(tree: Tree, judge: str | None, status: str) -> list[Any]:
    """The same of a Python tree."""

    def score(scores: dict[str, float]) -> float | None:
        value = scores.get(judge or "")
        return None if value is None else round(value, 6)

    return [status, tree.chosen, [[node.id, node.status, node.copies, score(node.scores)] for node in tree.nodes]]


def moments(store: Store, run_id: str, judge: str | None = None) -> tuple[Feed, list[int], list[list[Any]]]:
    """A run's feed, every seq it has, and what its tree shows at each, by the fold in Python."""
    feed = Feed(store, run_id, judge)
    tree, found = Tree(feed.record.problem), {0: shown(Tree(feed.record.problem), feed.judge, "running")}
    status, newest = "running", 0
    for event in feed.log:
        tree.apply(event)
        if isinstance(event, RunFinished):
            status = event.status
        else:
            newest = event.seq
        found[newest] = shown(tree, feed.judge, status)
    return feed, list(found), list(found.values())


def test_both_folds_agree_at_every_moment(store: Store, runs: list[str], snapshots: Any) -> None:
    raised = 0
    for run_id in runs:
        feed, seqs, expected = moments(store, run_id)
        assert len(seqs) > 10
        assert snapshots(feed.value, seqs) == [*expected, expected[-1]]
        sampled = [event.node for event in feed.log if isinstance(event, StepSampled)]
        raised += len(sampled) - len(set(sampled))
    assert raised  # some node was raised after it had been drawn


def test_moments_can_be_shown_in_any_order(store: Store, runs: list[str], snapshots: Any) -> None:
    feed, seqs, expected = moments(store, runs[0])
    order = list(range(len(seqs)))
    random.Random(1).shuffle(order)
    found = snapshots(feed.value, [seqs[place] for place in order])
    assert found[:-1] == [expected[place] for place in order]


def test_the_store_shows_the_same_moments(store: Store, runs: list[str]) -> None:
    for run_id in runs[:3]:
        feed, seqs, expected = moments(store, run_id)
        for seq, shows in random.Random(2).sample(list(zip(seqs, expected, strict=True)), 15):
            record, events = store.read(run_id, until_seq=seq)
            assert shown(Tree.from_events(events), feed.judge, record.status) == shows


def test_a_score_counts_if_it_is_of_the_judge_that_the_log_names(snapshots: Any) -> None:
    scores = [score_line(1, 0.25, seq=2, judge="one"), score_line(1, 0.75, seq=3, judge="two")]
    for judge, expected in (("one", 0.25), ("two", 0.75), ("three", None), (None, 0.75)):
        log = "".join([run_line("r", "problem", judge), node_line(1, 0, "step", seq=1), *scores])
        assert snapshots(log, [0, 1])[-1][2][1] == [1, "open", 1, expected]


def test_scores_that_were_added_come_after_the_end_and_are_shown_of_their_judge_only(
    store: Store, runs: list[str], snapshots: Any
) -> None:
    before = moments(store, runs[0])
    last = before[1][-1]
    nodes = [node.id for node in store.tree(runs[0]).nodes if node.scores]
    added = [StepScored(0, node, "another", node / 1000) for node in nodes]
    store.add_scoring(runs[0], ModelInfo("another", 0, 0), "measured", added, Usage(scored_tokens=9))

    feed, seqs, expected = moments(store, runs[0])
    later = {'"another"', "added after the end", '"t":"bill"'}
    lines, first = (
        [line for line in value.splitlines() if not any(sign in line for sign in later)]
        for value in (feed.value, before[0].value)
    )
    assert lines == first  # nothing is recoloured; the others' scores say whose they are
    assert seqs[: len(before[1])] == before[1] and expected[: len(before[2])] == before[2]
    assert snapshots(feed.value, seqs)[-1] == before[2][-1]

    feed, seqs, expected = moments(store, runs[0], "another")
    found = snapshots(feed.value, seqs)
    assert found == [*expected, expected[-1]]
    at_the_end = found[seqs.index(last)]
    assert at_the_end[0] == "done" and not [score for *_, score in at_the_end[2] if score is not None]
    assert [node for node, *_, score in found[-1][2] if score is not None] == nodes
    assert [[node, *rest] for node, *rest, _ in found[-1][2]] == [[node, *rest] for node, *rest, _ in at_the_end[2]]
