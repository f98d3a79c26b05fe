"""Text that means harm on the Explore page: shown, and never obeyed."""

from __future__ import annotations

from support.explore_page import PATIENCE_MS, TREE, App, OpenPage, fill, start, wait_for, wait_for_text

from engine.search.events import Decision, Event, Grade, ModelInfo, RunFinished, RunStarted, StepSampled, StepScored
from engine.store.ids import new_run_id

HARM = [
    "${alert(1)}",
    "{{7*7}}",
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    "$<img src=x onerror=window.hacked=1>$",
    "\\(\\href{javascript:alert(1)}{x}\\)",
    "$\\htmlData{x=1}{y}\\includegraphics{http://127.0.0.1:9/x.png}$",
    "[x](javascript:alert(1))",
    "![x](http://127.0.0.1:9/x.png)",
    "<a href=javascript:alert(1)>x</a>",
    "## no heading\n- no list\n> no quote\n\n    no code",
    "$5 and $6",
    "$x^2$ is maths",
    "\\boxed{42}",
    "&lt;b&gt; &amp;",
    "`code` **bold** _it_ ~~no~~ | a | b |",
]
POLICY = ModelInfo("<b>policy</b>", 520_000, 512)
SCORER = ModelInfo("<i>prm</i>", 1_000_000, 512)
PARAMS = {"n": 4, "width": 2, "select": "prm_last_vote", "temperature": 0.8, "seed": 0}


def harmful_run(run_id: str) -> list[Event]:
    """A first step of every harmful text, each also an answer; the third is chosen."""
    problem = "\n".join(HARM)
    log: list[Event] = [
        RunStarted(run_id, "2026-01-02T03:04:05.678Z", problem, HARM[2], "beam_search", PARAMS, POLICY, SCORER)
    ]
    seq = 0
    for node, text in enumerate(HARM, start=1):
        log.append(StepSampled(seq + 1, node, 0, 1, text, None, 5, -1.5, "eos", answer=text))
        log.append(StepScored(seq + 2, node, SCORER.name, 0.5))
        log.append(Decision(seq + 3, node, "finish", "eos"))
        seq += 3
    log.append(Decision(seq + 1, 3, "choose", "rule", {"weight": 0.5, "votes": 1, "of": len(HARM), "score": 0.5}))
    grades = {text: Grade(text, text == HARM[2], "exact") for text in HARM}
    return [*log, RunFinished("done", None, HARM[2], True, "exact", None, grades)]


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
        assert not page.locator(
            "#detail :is(h1, h2, h3, a, img, script, iframe, ul:not(.why), code, blockquote)"
        ).count()
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
