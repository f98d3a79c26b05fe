"""The Runs page. What is on it is a constant; its script asks the desk for the list and writes it as text."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from tts_ui.web.components import script_address
from tts_ui.words.interface.markup import literal, skeleton

STATIC = Path(__file__).parent.parent / "static" / "runs"

_JS_ON_LOAD = """
import(new URL("rte/%(entry)s", document.baseURI).href)
  .then(({ mountRuns }) => mountRuns(element.querySelector(".runs")))
  .catch((error) => {
    element.querySelector(".runs-says").textContent = %(failed)s;
    console.error(error);
  });
"""


def build(*, files: bool) -> None:
    """Put the page into the current route; with `files`, files may be opened there."""
    template = skeleton(STATIC / "runs.html")
    script = {"entry": script_address(STATIC / "runs_page.js"), "failed": literal("runs_page.failed_to_load")}
    gr.HTML(
        "", html_template=template.replace('data-files=""', f'data-files="{"yes" if files else "no"}"'),
        js_on_load=_JS_ON_LOAD % script, apply_default_css=False,
        elem_id="runs",
    )  # fmt: skip
