"""The Scaling page. What is on it is a constant; its script asks the desk for what its address names."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from tts_ui.web.components import script_address
from tts_ui.web.components.search_tree import plotly_js
from tts_ui.words.interface.markup import literal, skeleton

STATIC = Path(__file__).parent.parent / "static" / "scaling"

_JS_ON_LOAD = """
const file = (name) => new URL("rte/" + name, document.baseURI).href;
import(file("%(entry)s"))
  .then(({ mountScaling }) => mountScaling(element.querySelector(".scaling"), file("%(plotly)s")))
  .catch((error) => {
    element.querySelector(".scaling-error").textContent = %(failed)s;
    console.error(error);
  });
"""


def build() -> None:
    """Put the page into the current route."""
    script = _JS_ON_LOAD % {
        "entry": script_address(STATIC / "scaling_page.js"),
        "plotly": script_address(plotly_js()),
        "failed": literal("scaling_says.failed"),
    }
    gr.HTML(
        "", html_template=skeleton(STATIC / "scaling.html"), js_on_load=script,
        apply_default_css=False, elem_id="scaling",
    )  # fmt: skip
