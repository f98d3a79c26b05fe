"""The replay of a search: any moment of it, by bar, by keys, by address; one bar for trees side by side."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from support.explore_page import PATIENCE_MS, TREE, App, OpenPage, attribute, click_node, start, wait_for, wait_for_text

from engine.search.tree import Tree

BAR = "#tree .st-replay"
SAID = "#tree .st-moment > :first-child"
SPENT = "#tree .st-moment > :last-child"


def stop(page: Any) -> str:
    return str(page.get_attribute(BAR, "data-at"))


def at(page: Any, place: int | str) -> None:
    page.wait_for_selector(f'{BAR}[data-at="{place}"]')


def told(app: App, run_id: str, seq: int) -> tuple[Tree, str]:
    """The tree at that moment, by the store, and the tokens spent until then."""
    record, events = app.host.store.read(run_id, until_seq=seq)
    return Tree.from_events(events), f"{record.usage.generated_tokens:,} tokens"


def slide(page: Any, selector: str, place: int) -> None:
    page.eval_on_selector(
        f"{selector} .rp-slider",
        "(slider, at) => { slider.value = at; slider.dispatchEvent(new Event('input', {bubbles: true})); }",
        place,
    )


@pytest.fixture(scope="module")
def run_id(app: App) -> str:
    return app.solved(strategy="beam_search", n=16, width=4, seed=3, temperature=1.3)


def test_a_recorded_run_is_replayed_moment_by_moment(explore: OpenPage, app: App, run_id: str) -> None:
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done", seq="")
    whole, final = int(attribute(page, "nodes")), page.inner_text(SAID)
    assert final.startswith("chosen: ")
    page.click(f"{BAR} .rp-start")
    wait_for(page, nodes=1, status="running", seq=0)
    assert "nothing is drawn yet" in page.inner_text(SAID)
    said, nodes = [], [1]
    last = int(page.get_attribute(BAR, "data-last"))
    for place in range(1, last):
        page.click(f"{BAR} .rp-next")
        at(page, place)
        said.append(page.inner_text(SAID))
        nodes.append(int(attribute(page, "nodes")))
        tree, tokens = told(app, run_id, int(attribute(page, "seq")))
        assert nodes[-1] == len(tree) and page.inner_text(SPENT).startswith(tokens)
    assert nodes == sorted(nodes) and nodes[-1] == whole
    assert any("slots, cut-off" in sentence for sentence in said) and len(set(said)) == len(said)
    page.click(f"{BAR} .rp-next")
    wait_for(page, status="done", seq="")
    assert page.inner_text(SAID) == final
    page.wait_for_selector("#strip .answer", state="visible")


def test_the_address_names_the_moment(explore: OpenPage, app: App, run_id: str) -> None:
    tree, _ = told(app, run_id, 30)
    page = explore(f"/?run={run_id}&node=2&seq=30")
    wait_for(page, nodes=len(tree), selected=2, seq=30, status="running")
    page.wait_for_function("document.querySelector('#strip .strip')?.innerText.includes('searching')")
    assert page.evaluate("location.search") == f"?run={run_id}&node=2&seq=30"
    page.keyboard.press("]")
    page.wait_for_function("!location.search.includes('seq=30') && location.search.includes('&seq=')")
    moment = page.evaluate("new URL(location.href).searchParams.get('seq')")
    page.reload()
    wait_for(page, seq=moment, selected=2)
    page.click(f"{BAR} .rp-end")
    wait_for(page, seq="", status="done")
    page.wait_for_function("!location.search.includes('seq=')")
    wait_for_text(page, "#strip", "Answer")


def test_a_moment_beyond_the_end_is_the_end(explore: OpenPage, run_id: str) -> None:
    page = explore(f"/?run={run_id}&seq=999999")
    wait_for(page, status="done", seq="")


def test_keys_step_and_play(explore: OpenPage, run_id: str) -> None:
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done")
    page.locator("#header h1").click()
    page.keyboard.press("[")
    page.keyboard.press("[")
    at(page, int(page.get_attribute(BAR, "data-last")) - 2)
    page.keyboard.press("]")
    at(page, int(page.get_attribute(BAR, "data-last")) - 1)
    page.click(f"{BAR} .rp-start")
    page.locator("#header h1").click()
    page.select_option(f"{BAR} .rp-pace", "120")
    page.locator("#header h1").click()
    page.keyboard.press(" ")
    wait_for(page, status="done", seq="")  # it has played to its end
    page.fill("#problem textarea", "")
    page.keyboard.type("a [b] c")  # typed, not obeyed
    assert page.input_value("#problem textarea") == "a [b] c" and stop(page) == ""
    page.click(f"{TREE} .st-fit")  # a space on a button presses the button
    page.keyboard.press(" ")
    assert stop(page) == ""
    page.focus(f"{TREE} .st-plot")  # in the tree it plays
    page.keyboard.press(" ")
    page.wait_for_selector(f"{BAR} [data-playing=true]")
    page.keyboard.press(" ")
    page.wait_for_selector(f"{BAR} [data-playing=false]")
    page.click("[data-do=help]")
    assert "play the search again" in page.inner_text("#help")


def test_what_stands_around_the_tree_is_of_the_moment(explore: OpenPage, app: App, run_id: str) -> None:
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done")
    wait_for_text(page, "#answers", "votes")
    slide(page, BAR, 4)
    at(page, 4)
    wait_for_text(page, "#strip .then", "searching")
    wait_for_text(page, "#answers .then", "No completion has finished yet")
    tree, tokens = told(app, run_id, int(attribute(page, "seq")))
    assert tokens in page.inner_text("#strip")
    kept = next(node for node in tree.nodes[1:] if node.status == "kept")
    click_node(page, kept.id)
    wait_for_text(page, "#detail-facts", "slot")
    wait_for_text(page, "#detail-head", f"Step {kept.depth}")
    slide(page, BAR, 2)  # it was not decided then
    at(page, 2)
    wait_for_text(page, "#detail-facts", "open")


def test_nothing_moves_while_a_search_is_replayed(explore: OpenPage, run_id: str) -> None:
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done")
    place = f"""() => {{
      const node = document.querySelector('{TREE}').searchTree.position(1);
      return [node.x, node.y + scrollY, document.querySelector('#tree').getBoundingClientRect().top + scrollY];
    }}"""
    before = page.evaluate(place)
    for stop_at in (9, 3, 6):
        slide(page, BAR, stop_at)
        at(page, stop_at)
        page.wait_for_function(
            f"document.querySelector('{TREE}').searchTree.view.scene.log.nodes.length == "
            f"document.querySelector('{TREE}').searchTree.view.shown.nodes.length"
        )
        assert page.evaluate(place) == before


def test_a_search_is_watched_slowly(explore: OpenPage, app: App) -> None:
    page = explore()
    page.click(f"{BAR} .rp-slowly")
    assert page.get_attribute(f"{BAR} .rp-slowly", "aria-pressed") == "true"
    start(page, n="16", seed="11")
    found = attribute(page, "run")
    app.host.running[found].future.result(timeout=60)
    # It is recorded to its end, and still being shown: the beginning of the tree, and no answer.
    wait_for(page, status="running")
    assert not page.locator("#strip .answer").is_visible()
    assert page.locator(f"{BAR} .rp-pace").input_value() == "level"
    page.wait_for_selector(f"{BAR} [data-playing=true]")
    first = stop(page)
    page.wait_for_function(
        "([bar, first]) => Number(document.querySelector(bar).dataset.at) > Number(first)", arg=[BAR, first]
    )
    page.click(f"{BAR} .rp-end")
    wait_for(page, status="done", seq="")
    wait_for_text(page, "#strip", "Answer")
    page.reload()
    page.wait_for_selector(f"{BAR} .rp-slowly[aria-pressed=true]")  # remembered, and a finished run is not held back
    wait_for(page, status="done", seq="")


def test_the_last_moment_is_shown_however_slow_the_server(explore: OpenPage, app: App) -> None:
    """A moment is asked about before the one before it has been answered: its answer is the one that stays."""
    run_id = app.solved(n=4, seed=12)
    page = explore(f"/?run={run_id}")
    wait_for(page, run=run_id, status="done")
    held: list[Any] = []
    answered: list[Any] = []

    def asks_for_a_moment(request: Any) -> bool:
        return '"moments"' in (request.post_data or "")

    def hold_the_first(route: Any) -> None:
        held.append(route) if asks_for_a_moment(route.request) and not held else route.continue_()

    page.route("**/gradio_api/**", hold_the_first)
    page.on("requestfinished", lambda request: answered.append(request) if asks_for_a_moment(request) else None)
    page.click(f"{BAR} .rp-start")
    page.wait_for_function("new URL(location).searchParams.has('seq')")
    page.click(f"{BAR} .rp-end")
    page.wait_for_function("!new URL(location).searchParams.has('seq')")
    deadline = time.monotonic() + PATIENCE_MS / 1000
    held[0].continue_()
    while len(answered) < 2:
        assert time.monotonic() < deadline, [request.url for request in answered]
        page.wait_for_timeout(20)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_selector("#strip:not(:has(.then))")  # an answer that has come is not yet on the screen
    wait_for_text(page, "#strip", "Answer")


def test_less_motion_is_one_picture_a_level(app: App, chromium_page: Callable[..., Any], run_id: str) -> None:
    page = chromium_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{app.url}/?run={run_id}")
    wait_for(page, status="done")
    page.click(f"{BAR} .rp-start")
    page.select_option(f"{BAR} .rp-pace", "120")
    page.evaluate(
        f"""() => {{ window.stops = []; new MutationObserver(() => window.stops.push(
        [document.querySelector('{BAR}').dataset.at, performance.now()])).observe(
        document.querySelector('{BAR}'), {{attributes: true, attributeFilter: ['data-at']}}); }}"""
    )
    page.click(f"{BAR} .rp-play")
    page.wait_for_function("window.stops.filter(([at]) => Number(at) > 0).length >= 2", timeout=PATIENCE_MS)
    moved = [(int(place), when) for place, when in page.evaluate("window.stops") if place and int(place) > 0]
    (one, then), (two, later) = moved[:2]
    assert later - then >= 900 and two - one >= 2


def test_a_log_without_sentences_has_no_bar(tree_app: Any, chromium_page: Callable[..., Any]) -> None:
    from tts_ui.web.components import end_line, node_line, run_line

    tree_app.first = run_line("r", "problem") + node_line(1, 0, "step", seq=1) + end_line()
    page = chromium_page(tree_app.url)
    page.wait_for_selector(".search-tree[data-nodes='2']")
    assert page.locator(".st-replay").is_hidden() and page.locator(".st-moment").is_hidden()


def test_one_bar_moves_the_trees_of_a_comparison(app: App, chromium_page: Callable[..., Any]) -> None:
    asked = {"n": 8, "width": 4}
    runs = [app.solved(strategy=strategy, **asked) for strategy in ("best_of_n", "beam_search", "mcts")]
    page = chromium_page(f"{app.url}/compare?runs={','.join(runs)}")
    bar, trees = "#replay-compare .st-replay", [f"#tree-{letter} .search-tree" for letter in "abc"]
    for tree in trees:
        page.wait_for_selector(f"{tree}[data-status=done]", timeout=PATIENCE_MS)
    assert page.locator(".st-replay:visible").count() == 1
    last = int(page.get_attribute(bar, "data-last"))
    slide(page, bar, last // 2)
    seqs = []
    for tree in trees:
        page.wait_for_selector(f"{tree}[data-status=running]")
        seqs.append(int(page.get_attribute(tree, "data-seq")))
    for run, tree, seq in zip(runs, trees, seqs, strict=True):
        events = app.host.store.events(run)
        final = max(getattr(event, "seq", 0) for event in events)
        assert 0.2 < seq / final < 0.8
        assert int(page.get_attribute(tree, "data-nodes")) == len(told(app, run, seq)[0])
        assert page.inner_text(f"{tree} .st-moment").strip()
    assert "50 % of each search" in page.inner_text(bar) or "49 %" in page.inner_text(bar)
    wait_for_text(page, "#head-a .then", "searching")
    page.wait_for_function("seq => new URL(location.href).searchParams.get('seq') === seq", arg=str(seqs[0]))
    page.reload()
    for tree in trees:
        page.wait_for_selector(f"{tree}[data-status=running]", timeout=PATIENCE_MS)
    assert int(page.get_attribute(trees[0], "data-seq")) == seqs[0]
    page.click(f"{bar} .rp-end")
    for tree in trees:
        page.wait_for_selector(f"{tree}[data-status=done][data-seq='']")
