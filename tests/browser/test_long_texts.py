"""Texts that would crash or hang a tab: formulas nested without end and words without end, on the Explore page."""

from __future__ import annotations

import pytest
from support.explore_page import App, OpenPage, wait_for, wait_for_text

from engine.search.events import Decision, Event, Grade, ModelInfo, RunFinished, RunStarted, StepSampled, StepScored
from engine.store.ids import new_run_id

POLICY, SCORER = ModelInfo("policy", 520_000, 512), ModelInfo("prm", 1_000_000, 512)
PARAMS = {"n": 4, "width": 2, "select": "prm_last_vote", "temperature": 0.8, "seed": 0}
NESTED = "$" + "\\frac{" * 150 + "1" + "}{2}" * 150 + "$"
WORD = "x" * 1_000_000


def run_of(run_id: str, text: str) -> list[Event]:
    """A run whose problem, only step and answer are this text."""
    return [
        RunStarted(run_id, "2026-01-02T03:04:05.678Z", text, text, "beam_search", PARAMS, POLICY, SCORER),
        StepSampled(1, 1, 0, 1, text, None, 5, -1.5, "eos", answer=text),
        StepScored(2, 1, SCORER.name, 0.5),
        Decision(3, 1, "finish", "eos"),
        Decision(4, 1, "choose", "rule", {"weight": 0.5, "votes": 1, "of": 1, "score": 0.5}),
        RunFinished("done", None, text, True, "exact", None, {text: Grade(text, True, "exact")}),
    ]


@pytest.mark.parametrize("text", [NESTED, WORD], ids=["nested", "word"])
def test_a_tab_survives_any_text(explore: OpenPage, app: App, text: str) -> None:
    page = explore(f"/?run={app.recorded(run_of(new_run_id(), text))}")
    wait_for(page, status="done", selected=1)
    wait_for_text(page, "#detail-head", "Step 1 of 1")
    wait_for_text(page, "#detail-text", text[:100])
    page.evaluate("window.dispatchEvent(new CustomEvent('st-pick', {detail: {id: 0}}))")
    wait_for_text(page, "#detail-head", "Problem")
    assert len(page.inner_text("body")) < 60_000
    if text is WORD:
        page.click("#detail-facts details.rest summary")
        wait_for_text(page, "#detail-facts details.rest", "790,000 more characters are in the run's export")
