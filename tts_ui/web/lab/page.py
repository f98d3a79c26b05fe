"""The lab page: tabs over one selection of recorded runs; each tab is a module of its own."""

from __future__ import annotations

import gradio as gr

from engine.runs.host import Host
from tts_ui.web.door import Visitors
from tts_ui.web.lab import calibration_tab, chosen, faults_tab, judges_tab, labels_tab, score_tab, width_tab
from tts_ui.words.interface import say

#: The tabs by the name that an address gives (`/lab?tab=labels`).
TABS = {
    "score": score_tab,
    "judges": judges_tab,
    "labels": labels_tab,
    "calibration": calibration_tab,
    "width": width_tab,
    "faults": faults_tab,
}


class LabPage:
    """Builds the page into the current route."""

    def __init__(self, host: Host, blocks: gr.Blocks, visitors: Visitors) -> None:
        selection = chosen.build(host, visitors)
        with gr.Tabs(elem_id="lab-tabs") as tabs:
            for name, tab in TABS.items():
                with gr.Tab(say(f"lab.tab_{name}"), id=name, elem_id=f"tab-{name}"):
                    tab.build(blocks, selection)

        def opened(request: gr.Request) -> tuple[object, ...]:
            tab = request.query_params.get("tab")
            return (*selection.asked(request), gr.Tabs(selected=tab if tab in TABS else "score"))

        blocks.load(opened, None, [*selection.fields, tabs], show_progress="hidden", api_visibility="private")
