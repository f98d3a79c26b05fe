"""The Score tab of the lab: a solution under the eyes of judges, and judges for the runs that are chosen.

What is done with a solution is a script's, which asks `score_desk`; the template is a constant, and texts are written
as text.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from tts_ui.web.components import script_address
from tts_ui.web.components.search_tree import STATIC as TREE
from tts_ui.web.components.search_tree import katex
from tts_ui.web.lab import score_runs
from tts_ui.web.lab.chosen import Chosen
from tts_ui.web.parts import samples
from tts_ui.words.interface.markup import literal, skeleton

_STATIC = Path(__file__).parent.parent / "static" / "lab"

_JS_ON_LOAD = """
const file = (name) => new URL("rte/" + name, document.baseURI).href;
Promise.all([import(file("%(entry)s")), import(file("%(maths)s"))])
  .then(([{ mountScore }, maths]) => mountScore(element.querySelector(".score"), {
    maths, katexUrl: "%(katex)s" && new URL("assets/%(katex)s", document.baseURI).href,
  }))
  .catch((error) => {
    element.querySelector(".score-says").textContent = %(failed)s;
    console.error(error);
  });
"""


def build(blocks: gr.Blocks, chosen: Chosen) -> None:
    """Put the tab's content into the current tab."""
    if chosen.visitors.samples:
        samples.sentence()
        return
    gr.HTML(
        "", html_template=skeleton(_STATIC / "score.html"),
        css_template=(_STATIC / "score.css").read_text(encoding="utf-8"), apply_default_css=False, elem_id="score",
        js_on_load=_JS_ON_LOAD % {
            "entry": script_address(_STATIC / "score_tab.js"), "maths": script_address(TREE / "tree_maths.js"),
            "katex": katex(), "failed": literal("foot.failed"),
        },
    )  # fmt: skip
    score_runs.build(chosen)
