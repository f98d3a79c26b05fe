"""Text that means harm on the Explore page: shown, and never obeyed."""

from __future__ import annotations

from support.explore_page import PATIENCE_MS, TREE, App, OpenPage, fill, start, wait_for, wait_for_text
from support.harmful import HARM, harmful_run

from engine.store.ids import new_run_id


def test_hostile_text_is_shown_and_never_obeyed(explore: OpenPage, app: App) -> None:
    run_id = app.recorded(harmful_run(new_run_id()))
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done", selected=3, nodes=len(HARM) + 1)
    assert HARM[2] in page.inner_text("#strip")
    answers = page.inner_text("#answers")
    for text in HARM:
        assert " ".join(text.split()) in " ".join(answers.split()), text
    for node, text in enumerate(HARM, start=1):
        page.evaluate("id => window.dispatchEvent(new CustomEvent('st-pick', {detail: {id}}))", node)
        page.wait_for_selector(f"#detail-facts .here[data-pick='{node}']")
        if "$" not in text and "\\" not in text:
            for line in text.split("\n"):
                wait_for_text(page, "#detail-text", line.strip())
        never = "a:not([href^='./lab?']), img, script, iframe, ul:not(.why), code, blockquote"
        assert not page.locator(f"#detail-text :is(h1, h2, h3), #detail :is({never})").count()
    shows = {text: node for node, text in enumerate(HARM, start=1)}
    for text, formulas in (("$5 and $6", 0), ("$x^2$ is maths", 1), ("\\boxed{42}", 1)):
        page.evaluate("id => window.dispatchEvent(new CustomEvent('st-pick', {detail: {id}}))", shows[text])
        page.wait_for_selector(f"#detail-facts .here[data-pick='{shows[text]}']")
        page.wait_for_function("n => document.querySelectorAll('#detail-text .katex').length === n", arg=formulas)
    # The label beside the pointer, and the problem at the root.
    page.focus("#tree .st-plot")
    page.keyboard.press("Home")
    wait_for(page, selected=0)
    wait_for_text(page, "#detail-text", "{{7*7}}")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#tree .st-tip:not([hidden])")
    assert page.evaluate("window.hacked") is None


def test_a_hostile_problem_is_searched_as_text(explore: OpenPage) -> None:
    page = explore()
    harm = "${alert(1)} {{7*7}} <img src=x onerror=window.hacked=1> 2 + 2 </script>"
    fill(page, "problem", harm)
    start(page, n="4")
    page.wait_for_selector(f"{TREE}:is([data-status=done], [data-status=failed])", timeout=PATIENCE_MS)
    page.focus("#tree .st-plot")
    page.keyboard.press("Home")
    wait_for(page, selected=0)
    wait_for_text(page, "#detail-text", harm)
    assert page.evaluate("window.hacked") is None
