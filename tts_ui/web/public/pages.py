"""The pages that a public server has besides the others, and the line at the foot of each."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from engine.runs.host import Host
from tts_ui.web.components import script_address
from tts_ui.web.door import Visitors
from tts_ui.web.public import limits_words
from tts_ui.web.public.opening import Opening, duration
from tts_ui.words.interface.markup import literal, marked, skeleton

STATIC = Path(__file__).parent.parent / "static" / "public"

_JS_ON_LOAD = """
import(new URL("rte/%(entry)s", document.baseURI).href)
  .then(({ mount }) => mount(element))
  .catch((error) => {
    element.querySelector("[role=alert]").textContent = %(failed)s;
    console.error(error);
  });
"""

_TO_HUB = '<a href="./rte/owner/hub" target="_blank" rel="noopener">%s</a>'


def foot(visitors: Visitors, opening: Opening) -> None:
    """What every page ends with."""
    if not visitors.strict:
        return
    said = marked("foot.samples" if opening.samples else "foot.shared")
    if opening.keep_s and not opening.samples:
        said += f" {marked('foot.kept', time=duration(opening.keep_s))}"
    gr.HTML(
        f'<footer class="foot"><span>{said}</span> <a href="./limits">{marked("foot.limits")}</a> '
        f'<a href="./owner">{marked("foot.owner")}</a></footer>',
        elem_id="foot", elem_classes=["samples"] if opening.samples else [], container=False, padding=False,
    )  # fmt: skip


def limits(host: Host, blocks: gr.Blocks, opening: Opening, *, signs_in: bool) -> None:
    """Put the page of limits into the current route; it is made anew whenever it is opened."""

    def made() -> str:
        found = limits_words.sections(host, opening, signs_in=signs_in)
        return f'<div class="plain"><h1>{marked("foot.limits")}</h1>{limits_words.page(found)}</div>'

    shown = gr.HTML(made(), elem_id="limits", container=False, padding=False)
    blocks.load(made, None, shown, queue=False, show_progress="hidden", api_visibility="private")
    _scripted("mine")


def owner() -> None:
    """Put the owner's page into the current route."""
    _scripted("owner")


def _scripted(name: str) -> None:
    script = {"entry": script_address(STATIC / f"{name}_page.js"), "failed": literal("foot.failed")}
    gr.HTML(
        "", html_template=skeleton(STATIC / f"{name}.html", link=_TO_HUB % marked("owner.hub_link")),
        apply_default_css=False, elem_id=name, js_on_load=_JS_ON_LOAD % script,
    )  # fmt: skip
