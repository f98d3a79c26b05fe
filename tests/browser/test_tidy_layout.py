"""The tree layout on its own: no overlap, parents centred, order kept, work linear. Runs in Node or in the browser."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tts_ui.web.components.search_tree import STATIC

Children = list[list[int]]
Layout = Callable[[Children], list[float]]
Evaluate = Callable[[str, Children], Any]
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None and shutil.which("chromium") is None, reason="neither node nor chromium")


#: The drawing itself, and how many times it looks at a node's children.
DRAWN = "Array.from(tidyLayout(children))"
LOOKS = """(() => {
  let looks = 0;
  const counting = {get: (all, key) => { looks += Number.isInteger(Number(key)); return all[key]; }};
  tidyLayout(new Proxy(children, counting));
  return looks;
})()"""


@pytest.fixture
def evaluate(request: pytest.FixtureRequest) -> Evaluate:
    """`evaluate(expression, children)` in JavaScript, where tidyLayout of tidy_layout.js is known."""
    source = (STATIC / "tidy_layout.js").read_text(encoding="utf-8")
    if NODE is not None:
        script = source + "\nlet text = '';\nfor await (const part of process.stdin) text += part;\n"
        script += "const children = JSON.parse(text);\n"

        def in_node(expression: str, children: Children) -> Any:
            command = [
                str(NODE),
                "--input-type=module",
                "--eval",
                f"{script}console.log(JSON.stringify({expression}));",
            ]
            done = subprocess.run(command, input=json.dumps(children), capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        return in_node
    page = request.getfixturevalue("chromium_page")()
    page.add_script_tag(content=source.replace("export function", "function") + "window.tidyLayout = tidyLayout;")
    return lambda expression, children: page.evaluate(f"children => {expression}", children)


@pytest.fixture
def layout(evaluate: Evaluate) -> Layout:
    """tidyLayout as a Python function."""
    return lambda children: [float(x) for x in evaluate(DRAWN, children)]


def grown(count: int, seed: int, reach: int) -> list[list[int]]:
    """A random tree: each node hangs below one of the last `reach` nodes."""
    draw = random.Random(seed)
    children: list[list[int]] = [[]]
    for node in range(1, count):
        children[draw.randrange(max(0, node - reach), node)].append(node)
        children.append([])
    return children


def levels(children: list[list[int]]) -> list[list[int]]:
    rows = [[0]]
    while rows[-1]:
        rows.append([child for node in rows[-1] for child in children[node]])
    return rows[:-1]


@pytest.mark.parametrize("reach", [1, 3, 30, 10_000])
@pytest.mark.parametrize("seed", range(5))
def test_tidy(layout: Layout, seed: int, reach: int) -> None:
    children = grown(400, seed, reach)
    parent = {child: node for node, kids in enumerate(children) for child in kids}
    x = layout(children)
    for row in levels(children):
        for left, right in zip(row, row[1:], strict=False):
            least = 1.0 if parent[left] == parent[right] else 1.25
            assert x[right] - x[left] >= least - 1e-9, "order kept, no overlap"
    for node, kids in enumerate(children):
        if kids:
            assert x[node] == pytest.approx((x[kids[0]] + x[kids[-1]]) / 2), "a parent stands over its children"


def test_compact(layout: Layout) -> None:
    """A subtree slides under its neighbour: the drawing is narrower than its leaves side by side."""
    x = layout([[1, 2], [3], [], [4], [5, 6, 7, 8, 9, 10], [], [], [], [], [], []])
    assert max(x) - min(x) == pytest.approx(5.0)


def test_children_are_spread_evenly(layout: Layout) -> None:
    """Small subtrees between large ones share the room (the shift of Buchheim et al.)."""
    children: list[list[int]] = [[] for _ in range(13)]
    children[0], children[1], children[4] = [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]
    x = layout(children)
    gaps = [x[2] - x[1], x[3] - x[2], x[4] - x[3]]
    assert max(gaps) - min(gaps) < 1e-9


def test_one_node_and_a_long_chain(layout: Layout) -> None:
    assert layout([[]]) == [0]
    chain = [[n + 1] for n in range(20_000)] + [[]]
    assert set(layout(chain)) == {0}


def test_work_is_linear(layout: Layout, evaluate: Evaluate) -> None:
    """The walk is O(n): ten times the nodes, about ten times the looks at them; a quadratic one takes a hundred."""
    small, large = (grown(count, 1, 200) for count in (5_000, 50_000))
    assert len(layout(large)) == 50_000
    few, many = evaluate(LOOKS, small), evaluate(LOOKS, large)
    assert 5_000 < few < 100_000
    assert few < many < 15 * few
