"""A browser without WebGL: the largest trees, which are drawn with it elsewhere, are drawn all the same."""

from __future__ import annotations

import shutil
from typing import Any

from tts_ui.web.components.tree_lines import decide_line, end_line, node_line, run_line

STEPS = 1_600  # more than SVG_LIMIT in tree_figure.js


def test_a_large_tree_is_drawn(chromium: Any, tree_app: Any) -> None:
    steps = range(1, STEPS + 1)
    lines = [node_line(step, (step - 1) // 40, f"step {step}", seq=step) + decide_line(step, "keep") for step in steps]
    tree_app.first = "".join([run_line("large", "A problem"), *lines, end_line()])
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium"), headless=True,
        args=["--no-sandbox", "--disable-gpu", "--disable-webgl", "--disable-3d-apis"],
    )  # fmt: skip
    try:
        page = browser.new_page()
        page.goto(tree_app.url)
        page.wait_for_selector(f'.search-tree[data-nodes="{STEPS + 1}"]', timeout=60_000)
        assert page.evaluate("document.createElement('canvas').getContext('webgl')") is None
        page.wait_for_function(f"document.querySelectorAll('.search-tree path.point').length > {STEPS}", timeout=60_000)
        assert "WebGL" not in page.inner_text("body")
    finally:
        browser.close()
