"""Trees of thousands of steps: folded, grouped, hoisted, filtered and jumped through, by mouse and by keys."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tts_ui.web.components import (
    decide_line,
    end_line,
    grade_line,
    node_line,
    run_line,
    score_line,
    truth_line,
)  # fmt: skip

TREE = ".search-tree"
VIEW = f"document.querySelector('{TREE}').searchTree.view"


def big_run(nodes: int, run_id: str = "big") -> str:
    """Beams of eight siblings, of which one is kept; the last is the answer."""
    draw = random.Random(1)
    lines, head, node = [run_line(run_id, "A large search")], [0] * 6, 0
    while node < nodes - 1:
        for beam in range(len(head)):
            family = []
            for _ in range(8):
                if node == nodes - 1:
                    break
                node += 1
                family.append(node)
                lines += [
                    node_line(
                        node,
                        head[beam],
                        f"step {node} says {'zebra' if node == 77 else 'horse'}",
                        answer="12" if node == 90 else None,
                    )
                ]
                lines += [score_line(node, draw.random())]
            if not family:
                break
            head[beam] = draw.choice(family)
            lines += [decide_line(each, "keep" if each == head[beam] else "prune") for each in family]
    leaf = head[0]
    lines += [decide_line(leaf, "finish"), grade_line(leaf, True), decide_line(leaf, "choose")]
    lines += [truth_line(77, False)]
    return "".join([*lines, end_line()])


@pytest.fixture
def big(tree_app: Any, chromium_page: Callable[..., Any]) -> Callable[..., Any]:
    def open_page(text: str, query: str = "", **options: Any) -> Any:
        tree_app.first = text
        page = chromium_page(tree_app.url + query, **options)
        nodes = text.count('["n",') + 1
        page.wait_for_selector(f'{TREE}[data-nodes="{nodes}"]', timeout=60_000)
        return page

    return open_page


def drawn(page: Any) -> int:
    return int(page.get_attribute(TREE, "data-drawn"))


def wait_drawn(page: Any, condition: str) -> None:
    page.wait_for_function(f"() => [Number(document.querySelector('{TREE}').dataset.drawn)].some(drawn => {condition})")


def press(page: Any, key: str) -> None:
    page.focus(f"{TREE} .st-plot")
    page.keyboard.press(key)


def selected(page: Any, node: int) -> None:
    page.wait_for_selector(f'{TREE}[data-selected="{node}"]')


def test_pruned_siblings_stand_as_one_and_can_be_opened(big: Callable[..., Any]) -> None:
    page = big(big_run(2000))
    first = drawn(page)
    assert first < 600
    assert "of 2,000 nodes shown" in page.inner_text(f"{TREE} .st-note")
    group = page.evaluate(f"""() => {{
      const {{shape, scene}} = document.querySelector('{TREE}').searchTree.view;
      const group = shape.groups[0], box = document.querySelector('{TREE} .st-plot').getBoundingClientRect();
      const part = (axis) => {{
        const [low, high] = scene.view[axis];
        return (scene.at[axis][group.index] - low) / (high - low);
      }};
      const {{members, best}} = group;
      const x = box.left + part('x') * box.width, y = box.top + part('y') * box.height;
      return {{x, y, members: members.length, best}};
    }}""")
    page.mouse.move(group["x"], group["y"])
    page.wait_for_selector(f"{TREE} .st-tip:not([hidden])")
    assert page.inner_text(f"{TREE} .st-tip-head") == f"+{group['members']} (best {group['best']:.2f})"
    page.mouse.click(group["x"], group["y"])
    wait_drawn(page, f"drawn === {first} + {group['members']} - 1")
    press(page, "g")
    wait_drawn(page, f"drawn <= {first} + 1")
    press(page, "G")
    wait_drawn(page, "drawn === 2000")
    press(page, "G")
    wait_drawn(page, f"drawn <= {first} + 1")
    page.click(f"{TREE} .st-all")
    wait_drawn(page, "drawn === 2000")


def test_small_trees_are_not_grouped(big: Callable[..., Any]) -> None:
    page = big(big_run(100))
    assert drawn(page) == 100 and page.inner_text(f"{TREE} .st-note") == ""


def test_a_group_says_how_many_and_the_best(big: Callable[..., Any]) -> None:
    page = big(big_run(100))
    page.click(f"{TREE} .st-group")
    wait_drawn(page, "drawn < 60")
    labels = "[...document.querySelectorAll('.textpoint text')].map(text => text.textContent)"
    page.wait_for_function(rf"{labels}.some(text => /^\+7 \(best 0\.\d\d\)$/.test(text))")


def test_a_subtree_is_folded_and_stands_alone(big: Callable[..., Any]) -> None:
    page = big(big_run(100), query="?run=big")
    head = page.evaluate(f"{VIEW}.shown.nodes.find(node => node.depth === 1 && node.children.length).id")
    page.evaluate(f"id => document.querySelector('{TREE}').searchTree.select(id)", head)
    selected(page, head)
    press(page, "f")
    wait_drawn(page, "drawn < 100")
    assert any(text.startswith("+") for text in page.locator(f"{TREE} .textpoint text").all_text_contents())
    press(page, "f")
    wait_drawn(page, "drawn === 100")
    press(page, "h")
    wait_drawn(page, "drawn < 60")
    assert page.is_visible(f"{TREE} .st-whole")
    press(page, "Home")
    selected(page, head)
    press(page, "ArrowUp")
    selected(page, head)
    page.click(f"{TREE} .st-whole")
    wait_drawn(page, "drawn === 100")


def test_a_filter_dims_the_others_and_opens_what_hides_the_found(big: Callable[..., Any]) -> None:
    page = big(big_run(2000))
    hidden = "() => document.querySelector('.search-tree').searchTree.position(77)"
    assert page.evaluate(hidden) is None, "77 was pruned and stands in a group"
    press(page, "l")
    page.keyboard.type("zebra")
    page.wait_for_function(f"document.querySelector('{TREE} .st-found').textContent === '1 of 1,999 steps'")
    page.wait_for_function(hidden)
    assert page.evaluate(f"[77, 78].map(index => {VIEW}.isDimmed(index))") == [False, True]
    page.keyboard.press("Enter")
    selected(page, 77)
    page.fill(f"{TREE} [name=text]", "")
    for name, value, count in (("answer", "12", 1), ("depth", "1", 48), ("from", "0.5", None), ("to", "0.6", None)):
        page.fill(f"{TREE} .st-filter [name={name}]", value)
        if count is not None:
            page.wait_for_function(f"document.querySelector('{TREE} .st-found').textContent.startsWith('{count} of')")
            page.fill(f"{TREE} .st-filter [name={name}]", "")
    scores = page.evaluate(f"{VIEW}.found.map(index => {VIEW}.shown.nodes[index].score)")
    assert scores and all(0.5 <= score <= 0.6 for score in scores)
    page.select_option(f"{TREE} .st-filter [name=status]", "kept")
    statuses = f"[...new Set({VIEW}.found.map(index => {VIEW}.shown.nodes[index].status))]"
    assert page.evaluate(statuses) == ["kept"]
    page.focus(f"{TREE} [name=text]")
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{TREE} .st-filter", state="hidden")
    assert page.evaluate(f"{VIEW}.found") is None


def test_keys_and_a_menu_go_to_what_matters(big: Callable[..., Any]) -> None:
    page = big(big_run(400))
    nodes = page.evaluate(f"{VIEW}.shown.nodes.map(node => [node.score, node.parent])")
    scores = [score for score, _ in nodes]
    known = list(range(1, len(nodes)))
    best, worst = max(known, key=lambda i: scores[i]), min(known, key=lambda i: scores[i])
    drops = [index for index in known if nodes[index][1] > 0]
    drop = max(drops, key=lambda i: scores[nodes[i][1]] - scores[i])
    for key, node in (("b", best), ("w", worst), ("d", drop), ("x", 77)):
        press(page, key)
        selected(page, node)
        page.wait_for_function("id => document.querySelector('.search-tree').searchTree.position(id)", arg=node)
    page.select_option(f"{TREE} .st-jump", "worst")
    selected(page, worst)


@pytest.mark.parametrize("nodes", [10_000, 50_000])
def test_a_huge_tree_opens(big: Callable[..., Any], nodes: int) -> None:
    page = big(big_run(nodes))
    assert drawn(page) <= 6_000
    press(page, "b")
    page.wait_for_selector(f"{TREE}:not([data-selected=''])")
    page.click(f"{TREE} [data-view=outline]")
    page.wait_for_selector(f"{TREE} .st-row[aria-selected=true]")
