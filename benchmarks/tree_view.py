"""The tree view against a bare Plotly figure of the same nodes: first paint and click to detail, at 2,000 and 10,000
nodes, and the bytes that a new node costs on the wire.

    python -m benchmarks.tree_view [NODES ...]

Both are drawn in one page, in the same Chromium and from text that is already there; a click makes the same trip to the
server and back. `folded` is the tree as it opens, `whole` with every step on the screen.
"""

from __future__ import annotations

import json
import random
import shutil
import statistics
import sys
from collections.abc import Iterator
from typing import Any

import gradio as gr

from tts_ui.web.components import SearchTree, decide_line, end_line, node_line, run_line, score_line, scripts_route
from tts_ui.web.door import Visitors, serve_behind_door

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
REPEATS = 5
SENTENCE = "Then we add the {} pencils that she found at home to those in the boxes, which gives {}."


def lines(nodes: int) -> Iterator[str]:
    """A beam search of sentences: eight siblings a beam, one of which is kept."""
    draw = random.Random(0)
    heads, node, seq = [0] * 6, 0, 0
    while node < nodes - 1:
        for beam, head in enumerate(heads):
            family = list(range(node + 1, min(node + 9, nodes)))
            if not family:
                return
            node, kept = family[-1], draw.choice(family)
            for each in family:
                seq += 3
                text = SENTENCE.format(draw.randrange(999), draw.randrange(9999))
                yield (
                    node_line(each, head, text, seq=seq, tokens=24, logprob=-draw.random())
                    + score_line(each, draw.random(), seq=seq + 1)
                    + decide_line(each, "keep" if each == kept else "prune", seq=seq + 2)
                )
            heads[beam] = kept


def on_the_wire(text: str) -> int:
    """Bytes of a text as Gradio's stream carries it: in a JSON string, as UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


OURS = """async ([value, whole]) => {
  const view = document.querySelector('.search-tree').searchTree.view;
  view.Plotly.purge(view.plot); view.heard = false; view.pictured = null; view.log.reset(); view.onAsk = null;
  await new Promise(requestAnimationFrame);
  const began = performance.now();
  view.props.value = value; view.read();
  if (whole) { view.unfoldAll(); }
  view.drawNow();
  await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""

FIGURE = """() => {
  const {scene, shown, shape} = document.querySelector('.search-tree').searchTree.view, {x, y} = scene.at;
  const edges = {x: [], y: []}, nodes = {x: [], y: [], c: []};
  for (const i of shape.list) {
    nodes.x.push(x[i]); nodes.y.push(-y[i]); nodes.c.push(shown.nodes[i]?.score ?? 0.5);
    for (const k of shape.children[i]) { edges.x.push(x[i], x[k], null); edges.y.push(-y[i], -y[k], null); }
  }
  const type = shape.list.length > 1500 ? 'scattergl' : 'scatter';
  return JSON.stringify({data: [{type, mode: 'lines', ...edges}, {type, mode: 'markers', x: nodes.x, y: nodes.y,
    marker: {color: nodes.c, colorscale: 'Viridis', size: 6}}], 
    layout: {width: 900, height: 460, showlegend: false, hovermode: 'closest'}});
}"""

BARE = """async (text) => {
  const view = document.querySelector('.search-tree').searchTree.view;
  document.getElementById('bare')?.remove();
  const box = document.body.appendChild(Object.assign(document.createElement('div'), {id: 'bare'}));
  box.style.cssText = 'position:fixed;left:0;top:0;width:900px;height:460px;z-index:99;background:#fff';
  await new Promise(requestAnimationFrame);
  const began = performance.now();
  const {data, layout} = JSON.parse(text);
  await view.Plotly.newPlot(box, data, layout, {displayModeBar: false});
  await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""

#: From a selection to its ring on the screen and the server's answer in the page.
CLICK = """async ([id, bare]) => {
  const view = document.querySelector('.search-tree').searchTree.view, says = document.querySelector('#says textarea');
  const began = performance.now();
  if (bare) {
    const box = document.getElementById('bare'), trace = box.data[1];
    view.Plotly.relayout(box, {shapes: [{type: 'circle', xsizemode: 'pixel', ysizemode: 'pixel', 
      xanchor: trace.x[id], yanchor: trace.y[id],
      x0: -8, x1: 8, y0: -8, y1: 8, line: {color: 'red'}}]});
    view.onSelect({index: id, value: id, selected: true, linked: {}});
  } else view.selectId(id);
  await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
  while (says.value !== `node ${id}`) await new Promise(done => setTimeout(done, 1));
  return performance.now() - began;
}"""


def main(sizes: list[int]) -> None:
    from playwright.sync_api import sync_playwright

    with gr.Blocks() as demo:
        tree = SearchTree(value=run_line("none", "?"))
        says = gr.Textbox(elem_id="says")

        def select(event: gr.SelectData) -> str:
            return f"node {event.value}"

        tree.select(select, None, says, queue=False, show_progress="hidden", trigger_mode="multiple")
    served = serve_behind_door(demo, Visitors(), [scripts_route()])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), headless=True, args=FLAGS)
        for size in sizes:
            new = list(lines(size))
            wire = [on_the_wire(line) for line in new]
            print(f"{size} nodes: {statistics.mean(wire):.0f} bytes a new node on the wire, at most {max(wire)}")
            value = run_line(f"of-{size}", "A search") + "".join(new) + end_line()
            for whole in (False, True):
                page = browser.new_page(viewport={"width": 1000, "height": 800})
                page.goto(served.url)
                page.wait_for_selector(".search-tree[data-nodes='1']")
                measure(page, value, whole)
                page.close()
        browser.close()
    served.close()


def measure(page: Any, value: str, whole: bool) -> None:
    ours = [page.evaluate(OURS, [value, whole]) for _ in range(REPEATS)]
    drawn = page.get_attribute(".search-tree", "data-drawn")
    kept = page.evaluate("() => document.querySelector('.search-tree').searchTree.view.shape.list.slice(1, 12)")
    clicks = [page.evaluate(CLICK, [node, False]) for node in kept]
    figure = page.evaluate(FIGURE)
    bare = [page.evaluate(BARE, figure) for _ in range(REPEATS)]
    bare_clicks = [page.evaluate(CLICK, [node, True]) for node in range(1, 12)]
    first, plain = statistics.median(ours), statistics.median(bare)
    click, plain_click = statistics.median(clicks), statistics.median(bare_clicks)
    print(
        f"  {'whole' if whole else 'folded'}, {drawn} drawn: first paint {first:.0f} ms, "
        f"bare {plain:.0f} ms ({first / plain:.2f}); click to detail {click:.0f} ms, "
        f"bare {plain_click:.0f} ms ({click / plain_click:.2f})"
    )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [2_000, 10_000])
