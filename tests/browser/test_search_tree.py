"""The tree view in a real browser: growing, selecting, hostile text, themes, phones, large trees."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tts_ui.web.components import SearchTree, decide_line, end_line, grade_line, node_line, run_line, score_line

TREE = ".search-tree"
VIEW = f"document.querySelector('{TREE}').searchTree"
HOSTILE = ["${alert(1)}", "<img src=x onerror=window.hacked=1>", "{{7*7}}", "</script>", "<b>b</b>", "&amp; &lt;", "`"]

# --- small searches ------------------------------------------------------------------------------------------------


def small_run(run_id: str = "run-a") -> str:
    """Two levels of three: node 3 is kept and has children 4 to 6, of which 4 is the chosen answer.

    It has ended, so the best subtree is drawn first: 3, 2, 1."""
    lines = [run_line(run_id, "What is 2 + 2?")]
    for node in (1, 2, 3):
        lines += [node_line(node, 0, f"first step {node}"), score_line(node, 0.3 * node)]
    lines += [decide_line(3, "keep"), decide_line(1, "prune"), decide_line(2, "prune")]
    for node in (4, 5, 6):
        lines += [node_line(node, 3, f"answer {node}", finish="eos"), score_line(node, 0.9 - 0.1 * node)]
        lines += [decide_line(node, "finish"), grade_line(node, node == 4)]
    return "".join([*lines, decide_line(4, "choose"), end_line()])


def large_run(nodes: int, run_id: str = "large") -> str:
    draw = random.Random(0)
    lines = [run_line(run_id, "A large search")]
    for node in range(1, nodes):
        lines += [node_line(node, draw.randrange(max(0, node - 60), node), "step"), score_line(node, draw.random())]
    return "".join(lines)


# --- reading the page ----------------------------------------------------------------------------------------------


def wait_for(page: Any, **state: object) -> None:
    """Waits until the tree's data attributes say this."""
    wanted = "".join(f'[data-{name}="{value}"]' for name, value in state.items())
    page.wait_for_selector(TREE + wanted)


def position(page: Any, node: int) -> tuple[float, float]:
    spot = page.evaluate(f"id => {VIEW}.position(id)", node)
    return spot["x"], spot["y"]


def click_node(page: Any, node: int) -> None:
    page.mouse.click(*position(page, node))
    wait_for(page, selected=node)


def says(page: Any) -> str:
    return str(page.inner_text(f"{TREE} .st-says"))


def wait_for_python(page: Any, text: str) -> None:
    page.wait_for_function("text => document.querySelector('#says textarea').value === text", arg=text)


def play(page: Any, name: str) -> None:
    page.fill("#name textarea", name)
    page.click("#go")


class Player:
    """A generator whose growth the test controls: each `grow()` sends one more piece."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces
        self.turns = threading.Semaphore(0)

    def grow(self) -> None:
        self.turns.release()

    def __call__(self) -> Iterator[str]:
        text = ""
        for piece in self.pieces:
            assert self.turns.acquire(timeout=30)
            text += piece
            yield text


# --- tests ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_tree(tree_app: Any, chromium_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the page with this text already in the tree, and waits until it is drawn."""

    def open_page(text: str = "", query: str = "", **page_options: Any) -> Any:
        tree_app.first = text
        page = chromium_page(tree_app.url + query, **page_options)
        page.wait_for_selector(TREE)
        if text:
            wait_for(page, nodes=text.count('["n",') + 1)
        return page

    return open_page


def test_empty_tree_says_what_to_do(open_tree: Callable[..., Any]) -> None:
    page = open_tree()
    page.wait_for_selector(".st-empty", state="visible")
    assert "Press Run" in page.inner_text(".st-empty")


def test_click_reaches_python_and_the_address(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run(), query="?run=run-a&view=tree")
    click_node(page, 2)
    wait_for_python(page, "node 2")
    assert says(page) == "step 1, score 0.60, pruned, child 2 of 3"
    assert page.evaluate("location.search") == "?run=run-a&view=tree&node=2"


def test_keys_walk_the_tree(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run())
    page.focus(f"{TREE} .st-plot")
    order = ["Home", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowRight"]
    walked = []
    for key in [*order, "End"]:
        page.keyboard.press(key)
        walked.append(int(page.get_attribute(TREE, "data-selected")))
    assert walked == [0, 3, 4, 5, 6, 6, 3, 2, 4]
    wait_for_python(page, "node 4")
    assert "chosen answer, correct" in says(page)


def test_keys_turn_with_the_tree(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run())
    page.click(f"{TREE} .st-turn")
    wait_for(page, direction="right")
    root, child = position(page, 0), position(page, 3)
    assert child[0] > root[0] + 20
    page.focus(f"{TREE} .st-plot")
    for key, expected in [("Home", 0), ("ArrowRight", 3), ("ArrowDown", 2), ("ArrowUp", 3), ("ArrowLeft", 0)]:
        page.keyboard.press(key)
        assert page.get_attribute(TREE, "data-selected") == str(expected), key


def test_grows_live_and_keeps_zoom_selection_and_order(open_tree: Callable[..., Any], tree_app: Any) -> None:
    first = [run_line("live", "Grow")] + [node_line(n, 0, f"step {n}") for n in (1, 2, 3)]
    scores = [score_line(1, 0.1), score_line(2, 0.9), decide_line(1, "prune")]
    later = [node_line(10 + n, 2, f"step {n}") for n in range(6)]
    player = Player(["".join(first), "".join(scores), "".join(later), end_line()])
    tree_app.plays["live"] = player
    page = open_tree()
    play(page, "live")
    player.grow()
    wait_for(page, nodes=4, run="live", status="running")
    click_node(page, 1)
    x, y = position(page, 1)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    wait_for(page, zoomed="true")
    page.wait_for_function(f"x => Math.abs({VIEW}.position(2).x - x) > 40", arg=x)
    span = position(page, 3)[0] - position(page, 1)[0]
    player.grow()
    player.grow()
    wait_for(page, nodes=10, selected=1, zoomed="true")
    assert position(page, 1)[0] < position(page, 2)[0] < position(page, 3)[0], "siblings keep their order"
    assert position(page, 3)[0] - position(page, 1)[0] >= span - 1, "zoom survives"
    player.grow()
    wait_for(page, status="done", selected=1, zoomed="true")
    page.click(f"{TREE} .st-fit")
    wait_for(page, zoomed="false")


def test_new_run_starts_afresh(open_tree: Callable[..., Any], tree_app: Any) -> None:
    tree_app.plays["b"] = lambda: iter([run_line("run-b", "Another") + node_line(1, 0, "one")])
    page = open_tree(small_run(), query="?run=run-a")
    click_node(page, 5)
    play(page, "b")
    wait_for(page, nodes=2, run="run-b", status="running", selected="")
    assert "node=" not in page.evaluate("location.search")


def test_the_same_run_told_again_keeps_the_selection(open_tree: Callable[..., Any], tree_app: Any) -> None:
    whole = small_run()
    part = "".join(line + "\n" for line in whole.splitlines()[:7]) + end_line("stopped")
    tree_app.plays["part"] = lambda: iter([part])
    page = open_tree(whole)
    click_node(page, 2)
    play(page, "part")
    wait_for(page, nodes=4, status="stopped", selected=2)


def test_address_selects_the_node(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run(), query="?run=run-a&node=5")
    wait_for(page, selected=5)
    wait_for_python(page, "node 5")


def test_selection_from_outside(open_tree: Callable[..., Any], tree_app: Any) -> None:
    page = open_tree(small_run())
    page.evaluate("window.dispatchEvent(new CustomEvent('st-pick', {detail: {id: 6}}))")
    wait_for(page, selected=6)
    wait_for_python(page, "node 6")
    page.fill("#number input", "2")
    page.press("#number input", "Enter")
    wait_for(page, selected=2)
    page.fill("#number input", "-1")
    page.press("#number input", "Enter")
    wait_for(page, selected="")
    assert tree_app.picked == [6], "what Python selects is not told to Python"


def test_hostile_text_is_shown_as_text(open_tree: Callable[..., Any]) -> None:
    lines = [run_line("hostile", "".join(HOSTILE))]
    lines += [node_line(node, 0, text) + score_line(node, 0.5) for node, text in enumerate(HOSTILE, 1)]
    page = open_tree("".join(lines))
    for node, text in enumerate(["".join(HOSTILE), *HOSTILE]):
        page.mouse.move(*position(page, node))
        page.wait_for_function("text => document.querySelector('.st-tip-text').textContent === text", arg=text)
    assert page.evaluate("window.hacked") is None
    assert page.locator(f"{TREE} img, {TREE} script, {TREE} b").count() == 0


def test_follows_dark_mode(open_tree: Callable[..., Any]) -> None:
    """Plotly's own colours follow too: the ink of the root, the only square."""
    page = open_tree(small_run())
    fill = "() => document.querySelector('.search-tree .points path[style*=\"fill\"]').style.fill"
    light = page.evaluate(fill)
    page.evaluate("document.body.classList.add('dark')")
    page.wait_for_function(f"light => ({fill})() !== light", arg=light)


def test_fits_a_phone_and_takes_taps(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run(), width=390, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.touchscreen.tap(*position(page, 2))
    wait_for(page, selected=2)
    wait_for_python(page, "node 2")


def swipe(page: Any, down: int) -> None:
    """One finger, starting in the middle of the plot, moves `down` pixels."""
    box = page.locator(f"{TREE} .st-plot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})
        page.evaluate("new Promise(requestAnimationFrame)")

    touch("touchStart", {"x": x, "y": y})
    for tenth in range(1, 11):
        touch("touchMove", {"x": x, "y": y + down * tenth / 10})
    touch("touchEnd")


def test_one_finger_scrolls_the_page_until_the_tree_is_zoomed(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run(), width=390, height=500, touch=True)
    swipe(page, -150)
    page.wait_for_function("window.scrollY > 60")
    page.evaluate("window.scrollTo(0, 0)")
    page.click(f"{TREE} .st-closer")
    wait_for(page, zoomed="true")
    at_rest = "() => { const was = window.was; window.was = window.scrollY; return was === window.was; }"
    page.wait_for_function(at_rest, polling=200)  # the page may still glide from the first swipe
    before, scrolled = position(page, 0)[1], page.evaluate("window.scrollY")
    swipe(page, -80)
    page.wait_for_function(f"y => Math.abs({VIEW}.position(0).y - y) > 40", arg=before)
    assert page.evaluate("window.scrollY") == scrolled


def test_best_first_is_a_choice(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run())
    assert position(page, 3)[0] < position(page, 1)[0]
    page.click(f"{TREE} .st-sort")
    page.wait_for_function(f"() => {VIEW}.position(1).x < {VIEW}.position(3).x")


def test_draws_two_thousand_nodes(open_tree: Callable[..., Any]) -> None:
    page = open_tree(large_run(2000))
    page.wait_for_selector(f"{TREE} canvas", state="attached")
    click_node(page, 1)
    wait_for_python(page, "node 1")


def test_double_click_fits(open_tree: Callable[..., Any]) -> None:
    page = open_tree(small_run())
    page.click(f"{TREE} .st-closer")
    wait_for(page, zoomed="true")
    box = page.locator(f"{TREE} .st-plot").bounding_box()
    page.mouse.dblclick(box["x"] + 10, box["y"] + box["height"] - 10)
    wait_for(page, zoomed="false")


def test_the_template_names_no_property() -> None:
    tree = SearchTree()
    assert "${" not in tree.html_template and "{{" not in tree.html_template
    assert "value" not in tree.css_template
