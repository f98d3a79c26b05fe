"""What is written and drawn in a tree can be read: no label lies on another, and every mark stands out on its paper."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tts_ui.web.components import decide_line, end_line, grade_line, node_line, run_line, score_line

TREE = ".search-tree"

#: Pairs that overlap by more than a pixel each way: labels with labels, nodes, the ring, thick edges, the tools.
OVERLAPS = """tree => {
  const root = document.querySelector(tree), found = [];
  const box = (element) => element.getBoundingClientRect();
  const labels = [...root.querySelectorAll('.textpoint text')].map(text => ({name: text.textContent, box: box(text)}));
  const frame = box(root.querySelector('.st-frame')), tools = box(root.querySelector('.st-tools'));
  const others = [...root.querySelectorAll('.points path.point')].map(path => ({name: 'node', box: box(path)}));
  others.push({name: 'tools', box: tools});
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  labels.forEach((label, i) => {
    for (const other of [...labels.slice(i + 1), ...others]) {
      if (meet(label.box, other.box)) found.push([label.name, other.name]);
    }
    const {left, right, top, bottom} = label.box;
    const inside = left >= frame.left && right <= frame.right && top >= frame.top && bottom <= frame.bottom;
    if (!inside) found.push([label.name, 'frame']);
  });
  for (const line of root.querySelectorAll('.js-line')) {
    if (parseFloat(line.style.strokeWidth) < 3) continue;
    const matrix = line.getScreenCTM(), length = line.getTotalLength();
    for (let at = 0; at < length; at += 2) {
      const {x, y} = line.getPointAtLength(at).matrixTransform(matrix);
      for (const label of labels) {
        const {left, right, top, bottom} = label.box;
        if (x > left && x < right && y > top + 1 && y < bottom - 1) found.push([label.name, 'edge']);
      }
    }
  }
  for (const ring of root.querySelectorAll('.shapelayer path')) {
    const {left, top, width, height} = box(ring), x = left + width / 2, y = top + height / 2;
    if (Math.abs(width - height) > 1) continue;
    for (const label of labels) {
      const beside = Math.max(label.box.left - x, 0, x - label.box.right);
      const near = Math.hypot(beside, Math.max(label.box.top - y, 0, y - label.box.bottom));
      if (near < width / 2 - 1) found.push([label.name, 'ring']);
    }
  }
  return found;
}"""


def crowded(seed: int, levels: int, width: int) -> str:
    """A search with everything that is written: copies, grades, scores at the ends, long texts, a chosen path."""
    draw = random.Random(seed)
    lines, heads, node, chosen = [run_line(f"crowd-{seed}", "A problem")], [0], 0, 0
    for level in range(levels):
        row = []
        for head in heads:
            for _ in range(width):
                node += 1
                last = level == levels - 1
                text = f"## Step {level + 1}: We take {draw.randrange(999)} and add what is left of it."
                lines += [
                    node_line(node, head, text, copies=draw.choice([1, 1, 59, 7]), finish="eos" if last else "step")
                ]
                lines += [score_line(node, draw.choice([0.0003, 0.02, 0.41, 0.96, 0.9996]))]
                row.append(node)
        heads = draw.sample(row, min(3, len(row)))
        for each in row:
            if level == levels - 1:
                lines += [decide_line(each, "finish"), grade_line(each, draw.random() < 0.5)]
            else:
                lines += [decide_line(each, "keep" if each in heads else "prune")]
        chosen = heads[0]
    return "".join([*lines, decide_line(chosen, "choose"), end_line()])


@pytest.mark.parametrize(("seed", "levels", "width"), [(1, 3, 4), (2, 5, 3), (3, 4, 6), (4, 2, 12)])
def test_no_label_lies_on_anything(tree_page: Callable[..., Any], seed: int, levels: int, width: int) -> None:
    page = tree_page(crowded(seed, levels, width))
    page.focus(f"{TREE} .st-plot")
    page.keyboard.press("End")  # the chosen answer: a star, a ring, a tick, a count, a score
    page.wait_for_selector(f"{TREE}:not([data-selected=''])")
    assert page.locator(f"{TREE} .textpoint text").count() > 5
    assert page.evaluate(OVERLAPS, TREE) == []
    page.click(f"{TREE} .st-turn")
    page.wait_for_selector(f'{TREE}[data-direction="right"]')
    assert page.locator(f"{TREE} .textpoint text").count() > 5
    assert page.evaluate(OVERLAPS, TREE) == []


def test_a_text_stands_beside_its_node_where_there_is_room(tree_page: Callable[..., Any]) -> None:
    lines = [
        run_line("room", "?"),
        node_line(1, 0, "Step 1: short"),
        node_line(2, 1, "<b>bold</b> &amp; more", finish="eos"),
    ]
    page = tree_page("".join([*lines, end_line()]))
    texts = page.locator(f"{TREE} .textpoint text").all_text_contents()
    assert {"short", "<b>bold</b> &amp; more"} <= set(texts)
    assert page.locator(f"{TREE} .textpoint :is(b, a, tspan[style*=bold])").count() == 0
    page.click(f"{TREE} .st-texts")
    page.wait_for_selector(f"{TREE} .st-texts[aria-pressed=false]")
    assert "short" not in page.locator(f"{TREE} .textpoint text").all_text_contents()


#: Every drawn mark with its highest contrast against the paper: at one place the best of what is drawn there.
CONTRASTS = """tree => {
  const root = document.querySelector(tree);
  const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const channels = (css) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = css;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(c => linear(c / 255))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = light(channels(getComputedStyle(root.querySelector('.st-frame')).backgroundColor));
  const contrast = (css) => {
    if (!css || css === 'none') return 0;
    const colour = channels(css);
    if (colour[3] < 250) return 0;
    const at = light(colour);
    return (Math.max(at, paper) + 0.05) / (Math.min(at, paper) + 0.05);
  };
  const best = {};
  const note = (key, ...colours) => { best[key] = Math.max(best[key] ?? 0, ...colours.map(contrast)); };
  for (const path of root.querySelectorAll('.points path.point')) {
    const {left, top, width, height} = path.getBoundingClientRect(), style = getComputedStyle(path);
    note(`node ${Math.round(left + width / 2)} ${Math.round(top + height / 2)}`, style.fill, style.stroke);
  }
  root.querySelectorAll('.js-line').forEach((line, i) => {
    if (line.getTotalLength()) note(`line ${i}`, getComputedStyle(line).stroke);
  });
  root.querySelectorAll('.shapelayer path').forEach((shape, i) => note(`shape ${i}`, getComputedStyle(shape).stroke));
  const theme = root.searchTree.view.theme;
  for (const name of ['outline', 'unscored', 'correct', 'wrong', 'mark', 'accent', 'laneEdge']) note(name, theme[name]);
  for (const [name, colour] of Object.entries(theme.edge)) note(`edge ${name}`, colour);
  return best;
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_mark_stands_out_on_the_paper(explore: Callable[..., Any], app: Any, dark: bool) -> None:
    """3:1, as WCAG asks of graphics: nodes of every colour of the scale, pruned ones, edges, rings, the chosen path."""
    run_id = app.solved(strategy="dvts", n=16, width=4, temperature=1.3)
    page = explore(f"/?run={run_id}", dark=dark)
    page.wait_for_selector("#tree .search-tree[data-status=done]:not([data-selected=''])")
    value = crowded(5, 4, 5)
    page.evaluate(
        """value => {
          const view = document.querySelector('.search-tree').searchTree.view;
          view.onSelect = () => {};       // the server does not know this run
          view.props.value = value;
          view.read();
          view.select(view.shown.chosen);
        }""", value
    )  # fmt: skip
    page.wait_for_selector('.search-tree[data-run="crowd-5"]:not([data-selected=""])')
    page.wait_for_selector(f"{TREE} .shapelayer path", state="attached")
    for colour in ("score", "rank", "leaves"):
        page.select_option(f"{TREE} .st-colour", colour)
        page.wait_for_selector(f'{TREE}[data-colour="{colour}"]')
        found = page.evaluate(CONTRASTS, TREE)
        assert len([key for key in found if key.startswith("node")]) > 20
        low = {key: round(value, 2) for key, value in found.items() if value < 3}
        assert not low, low
