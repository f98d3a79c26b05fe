"""Steps too long for the PRM: the strip, the step's detail and the sentence of Compare say so, live and reopened."""

from __future__ import annotations

from support.explore_page import App, OpenPage, attribute, click_node, fill, start, wait_for, wait_for_text

from tts_ui.words.results import too_long


def test_the_strip_says_which_steps_the_prm_could_not_read(explore: OpenPage, app: App) -> None:
    scorer = app.host.catalogue.load().scorer
    assert scorer is not None
    room = scorer.info.context_window - scorer.prompt_tokens("Compute 1") - 24
    page = explore()
    fill(page, "problem", "Compute 1" + " + 1" * (room // 2) + ".")
    start(page, strategy="Best of N", n="4")
    wait_for(page, status="done")
    run_id = attribute(page, "run")
    record, tree = app.host.store.run(run_id), app.host.store.tree(run_id)
    cut = next(node for node in tree.nodes if node.too_long)
    said = too_long(record, tree)
    assert "too long for the PRM, not scored" in said
    wait_for_text(page, "#strip", said)
    click_node(page, cut.id)
    assert cut.too_long
    wait_for_text(page, "#detail-facts", f"not scored: {cut.too_long.numbers['tokens']:.0f} tokens, the PRM reads 512")
    page.goto(f"{app.url}/?run={run_id}")
    wait_for_text(page, "#strip", said)
    page.goto(f"{app.url}/compare?runs={run_id},{app.solved()}")
    wait_for_text(page, ".fair", f"A: {said}.")
