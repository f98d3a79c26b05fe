"""What a click costs: the page holds a run that it has read, so that looking around in it asks the database nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event
from support.explore_page import App, OpenPage, click_node, wait_for, wait_for_text
from support.sample_runs import levels, record_all, whole_run

from engine.search.events import ModelInfo, StepScored, Usage
from engine.store import Store
from engine.store.ids import new_run_id
from tts_ui.web.parts.feed import Feed, Feeds
from tts_ui.words.texts import without_number


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every SQL statement of this process in the meantime."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_click_in_explore_asks_the_database_nothing(explore: OpenPage, app: App) -> None:
    run_id = app.solved()
    tree = app.host.store.tree(run_id)
    page = explore(f"/?run={run_id}")
    wait_for(page, nodes=len(tree), status="done")
    deep = next(node for node in tree.nodes if node.depth == 2)
    with statements() as seen:
        for node in (tree[1], deep, tree[2]):
            click_node(page, node.id)
            wait_for_text(page, "#detail-head", f"Step {node.depth} of")
            wait_for_text(page, "#detail-text", " ".join(without_number(node.text, node.depth).split())[:12])
    assert seen == []


def test_a_click_in_compare_asks_the_database_nothing(app: App, chromium_page: Callable[..., Any]) -> None:
    ids = [app.solved(), app.solved(strategy="dvts")]
    trees = [app.host.store.tree(run_id) for run_id in ids]
    page = chromium_page(f"{app.url}/compare?runs={','.join(ids)}")
    for place in "ab":
        page.wait_for_selector(f"#tree-{place} .search-tree[data-status=done]")
    page.wait_for_selector("#comparison table")
    with statements() as seen:
        for place, tree in zip("ab", trees, strict=True):
            box = f"#tree-{place} .search-tree"
            for node in (tree[1], next(node for node in tree.nodes if node.depth == 2)):
                spot = page.evaluate(f"id => document.querySelector('{box}').searchTree.position(id)", node.id)
                page.mouse.click(spot["x"], spot["y"])
                page.wait_for_selector(f'{box}[data-selected="{node.id}"]')
                wait_for_text(page, "#detail-head", f"Step {node.depth}")
                wait_for_text(page, "#detail-text", " ".join(without_number(node.text, node.depth).split())[:12])
    assert seen == []


@pytest.fixture
def store(tmp_path: Any) -> Iterator[Store]:
    with Store.open(str(tmp_path / "runs.db")) as opened:
        yield opened


def record(store: Store, count: int = 2, *, end: bool = True) -> tuple[str, list[list[Any]]]:
    run_id = new_run_id()
    rounds = whole_run(run_id, count) if end else list(levels(run_id, count))
    record_all(store, run_id, rounds)
    store.flush()
    return run_id, rounds


def test_a_run_that_is_over_is_read_once_and_a_running_one_goes_on(store: Store) -> None:
    feeds = Feeds(store, most=2)
    over, _ = record(store)
    running, rounds = record(store, end=False)
    feeds.keep(Feed(store, over))
    with statements() as seen:
        assert feeds.get(over) is feeds.get(over)
    assert seen == []
    nodes = len(feeds.get(running).tree)
    step = next(event for event in rounds[1])
    more = type(step)(100, nodes, 0, 1, "more\n\n", None, 1, None, "step")
    store.record([more], Usage(), running)
    store.flush()
    assert len(feeds.get(running).tree) == nodes + 1


def test_only_the_last_runs_are_held(store: Store) -> None:
    feeds = Feeds(store, most=2)
    first, second, third = (record(store)[0] for _ in range(3))
    for run_id in (first, second, third):
        feeds.get(run_id)
    with statements() as seen:
        feeds.get(second)
        feeds.get(third)
    assert seen == []
    with statements() as seen:
        feeds.get(first)
    assert seen


def test_a_run_that_was_scored_since_is_shown_anew_once_it_is_opened_again(store: Store) -> None:
    feeds = Feeds(store)
    run_id, _ = record(store)
    feeds.keep(Feed(store, run_id))
    score = StepScored(0, 1, "another", 0.5)
    store.add_scoring(run_id, ModelInfo("another", 0, 0), "measured", [score], Usage())
    assert "another" not in feeds.get(run_id).tree[1].scores
    feeds.keep(Feed(store, run_id))  # what a page does that opens the run
    assert feeds.get(run_id).tree[1].scores["another"] == 0.5
