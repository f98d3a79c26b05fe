"""The Explore page in a real browser, over the built-in models and a SQLite file: what a person can do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.builtin.problems import examples
from engine.events import Decision, Event, Grade, ModelInfo, RunFinished, RunStarted, StepSampled, StepScored, Usage
from engine.host import Host
from engine.params import RunParams
from engine.run import Question
from engine.store import Store
from engine.store.ids import new_run_id
from tts_ui.app import launch

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")

TREE = "#tree .search-tree"
PROBLEM = examples()[0].text
LONG = {"strategy": "Best of N", "n": "512"}  # long enough to be stopped, watched and left
PATIENCE_MS = 30_000


# --- the app -------------------------------------------------------------------------------------------------------


class App:
    """The whole product in this process: its address, its host and its store."""

    def __init__(self, host: Host, url: str) -> None:
        self.host, self.url = host, url.rstrip("/")

    def solved(self, **params: Any) -> str:
        """A finished run; its id."""
        running = self.host.submit(Question(PROBLEM, examples()[0].answer), RunParams(**{"n": 8, "width": 4} | params))
        running.future.result(timeout=60)
        self.host.store.flush(running.id)
        return running.id

    def recorded(self, events: list[Event]) -> str:
        """A run written straight into the store; its id."""
        first = events[0]
        assert isinstance(first, RunStarted)
        self.host.store.record(events, Usage(generated_tokens=1240, flops_all=9e8, wall_s=0.4), first.run_id)
        self.host.store.flush(first.run_id)
        return first.run_id

    def runs(self) -> int:
        return len(self.host.store.runs(limit=1000))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with Store.open(str(tmp_path_factory.mktemp("explore") / "runs.db")) as store:
        host = Host(store)
        host.catalogue.load()
        demo = launch(host)
        yield App(host, demo.local_url)
        demo.close()
        host.close()


OpenPage = Callable[..., Any]

#: A refused form is answered with 422; leaving a page cuts its stream.
EXPECTED = ("status of 422", "AbortError", "Connection errored out")


@pytest.fixture
def page_errors() -> Iterator[list[str]]:
    """What the console complained about, but for what is expected."""
    errors: list[str] = []
    yield errors
    assert not [text for text in errors if not any(known in text for known in EXPECTED)], errors


@pytest.fixture
def explore(app: App, chromium_page: Callable[..., Any], page_errors: list[str]) -> OpenPage:
    """Opens the Explore page, ready to be used: `explore("/?run=ID", width=390)`."""

    def open_page(path: str = "/", **options: Any) -> Any:
        page = chromium_page(**options)
        page.on("console", lambda message: page_errors.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: (page_errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(app.url + path)
        page.wait_for_selector(TREE)
        page.wait_for_selector("#run")
        if path == "/":  # a first visit shows the recorded example
            page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
        return page

    return open_page


# --- what a person does and sees ------------------------------------------------------------------------------------


def wait_for(page: Any, **state: object) -> None:
    """Waits until the tree's data attributes say this."""
    page.wait_for_selector(
        TREE + "".join(f'[data-{name}="{value}"]' for name, value in state.items()), timeout=PATIENCE_MS
    )


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)", arg=[selector, text]
    )


def choose_strategy(page: Any, title: str) -> None:
    page.click("#strategy input")
    page.get_by_role("option", name=title).click()
    page.wait_for_function("title => document.querySelector('#strategy input').value === title", arg=title)


def fill(page: Any, field: str, value: str) -> None:
    box = page.locator(f"#{field} textarea, #{field} input").first
    box.fill(value)
    box.blur()


def start(page: Any, *, strategy: str | None = None, **numbers: str) -> None:
    if strategy:
        choose_strategy(page, strategy)
    for field, value in numbers.items():
        fill(page, field, value)
    before = attribute(page, "run")
    page.click("#run")
    page.wait_for_function(
        f"before => document.querySelector('{TREE}').dataset.run !== before", arg=before, timeout=PATIENCE_MS
    )


def attribute(page: Any, name: str) -> str:
    return str(page.get_attribute(TREE, f"data-{name}"))


def click_node(page: Any, node: int) -> None:
    spot = page.evaluate(f"id => document.querySelector('{TREE}').searchTree.position(id)", node)
    page.mouse.click(spot["x"], spot["y"])
    wait_for(page, selected=node)


def begins_to_grow(page: Any) -> int:
    """Waits for the first steps of a running search; how many nodes there are."""
    page.wait_for_selector(f"{TREE}[data-status=running]:not([data-nodes='1'])", timeout=PATIENCE_MS)
    return int(attribute(page, "nodes"))


def grows_beyond(page: Any, nodes: int) -> None:
    grown = f"nodes => Number(document.querySelector('{TREE}').dataset.nodes) > nodes"
    page.wait_for_function(grown, arg=nodes, timeout=PATIENCE_MS)


def is_at_rest(page: Any) -> None:
    """The run button is ready and stop has nothing to stop."""
    page.wait_for_selector("#run:not([disabled])", timeout=PATIENCE_MS)
    page.wait_for_selector("#stop[disabled]", timeout=PATIENCE_MS)


def no_horizontal_scroll(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


# --- the main path --------------------------------------------------------------------------------------------------


def test_a_first_visit_shows_a_recorded_search_that_run_repeats(explore: OpenPage, app: App) -> None:
    page = explore()
    record = app.host.store.run(attribute(page, "run"))
    assert record.origin == "example"
    assert page.input_value("#problem textarea") == record.problem
    wait_for_text(page, "#strip", "correct")
    start(page)
    wait_for(page, status="done")
    again = app.host.store.run(attribute(page, "run"))
    assert (again.problem, again.params) == (record.problem, record.params)


def test_from_a_problem_to_its_answer(explore: OpenPage, app: App) -> None:
    page = explore()
    fill(page, "problem", PROBLEM)
    start(page, n="8")
    wait_for(page, status="done")
    is_at_rest(page)
    run_id = attribute(page, "run")
    record, tree = app.host.store.run(run_id), app.host.store.tree(run_id)
    assert record.problem == PROBLEM
    assert record.reference_answer == examples()[0].answer
    assert attribute(page, "nodes") == str(len(tree))
    # The chosen leaf is selected by itself, and everything about it is there.
    wait_for(page, selected=tree.chosen)
    chosen = tree[tree.chosen or 0]
    wait_for_text(page, "#detail-head", f"Step {chosen.depth} of {chosen.depth}")
    facts = page.inner_text("#detail-facts")
    assert "chosen" in facts and "votes" in facts
    assert f"{chosen.tokens} tokens" in facts
    assert f"log-probability {chosen.logprob:.2f}" in facts
    strip = page.inner_text("#strip")
    assert str(record.answer) in strip
    assert ("correct" if record.correct else "wrong") in strip
    assert f"{record.usage.generated_tokens:,} tokens" in strip
    assert "votes" in strip and "FLOP" in strip and re.search(r"\d s\b", strip)
    assert page.locator("#answers tbody tr").count() >= 1
    assert f"run={run_id}" in page.url and f"node={tree.chosen}" in page.url


def test_a_step_is_explained(explore: OpenPage, app: App) -> None:
    run_id = app.solved()
    tree = app.host.store.tree(run_id)
    page = explore(f"/?run={run_id}")
    wait_for(page, nodes=len(tree), status="done")
    pruned = next(node for node in tree.nodes if node.status == "pruned" and node.decisions[-1].reason == "rank")
    click_node(page, pruned.id)
    numbers = pruned.decisions[-1].numbers
    rank, of, cut_off = (numbers[key] for key in ("rank", "of", "cut_off"))
    wait_for_text(page, "#detail-facts", f"pruned: rank {rank:.0f} of {of:.0f}, cut-off {cut_off:.2f}")
    score = next(iter(pruned.scores.values()))
    assert f"PRM {score:.2f} #{rank:.0f}/{of:.0f}" in page.inner_text("#detail-head")
    words = " ".join(pruned.text.split())
    wait_for_text(page, "#detail-text", words[:20])
    # A row of the path or of the siblings leads to its node, and the keys walk.
    page.locator("#detail-facts button.step:not(.here)").last.click()
    page.wait_for_selector(f"{TREE}:not([data-selected='{pruned.id}'])")
    page.focus("#tree .st-plot")
    page.keyboard.press("Home")
    wait_for(page, selected=0)
    wait_for_text(page, "#detail-head", "Problem")
    wait_for_text(page, "#detail-facts", run_id)
    # So does an answer.
    link = page.locator("#answers button.link").last
    leaf = link.get_attribute("data-pick")
    link.click()
    wait_for(page, selected=leaf)
    page.get_by_role("tab", name="Cost").click()
    wait_for_text(page, "#cost", "PRM: tokens scored")


def test_the_tree_grows_and_stop_keeps_it(explore: OpenPage, app: App) -> None:
    page = explore()
    start(page, **LONG)
    few = begins_to_grow(page)
    grows_beyond(page, few)
    assert page.locator("#run").is_disabled()
    page.click("#stop")
    wait_for(page, status="stopped")
    is_at_rest(page)
    wait_for_text(page, "#strip", "stopped")
    run_id = attribute(page, "run")
    tree = app.host.store.tree(run_id)
    assert app.host.store.run(run_id).status == "stopped"
    assert attribute(page, "nodes") == str(len(tree))
    assert len(tree) > few


def test_a_run_is_reopened_by_its_address(explore: OpenPage, app: App) -> None:
    run_id = app.solved(seed=3, strategy="best_of_n")
    nodes = len(app.host.store.tree(run_id))
    page = explore(f"/?run={run_id}")
    wait_for(page, run=run_id, nodes=nodes, status="done")
    page.reload()
    wait_for(page, run=run_id, nodes=nodes, status="done")
    # The form holds what was asked.
    page.wait_for_function("document.querySelector('#strategy input').value === 'Best of N'")
    assert page.input_value("#seed input") == "3"
    assert page.input_value("#problem textarea") == PROBLEM
    # A unique beginning of the id does, and a node may be named.
    page.goto(f"{app.url}/?run={run_id[:-1]}&node=7")
    wait_for(page, run=run_id, selected=7)
    wait_for_text(page, "#detail-head", "Step")
    assert "node=7" in page.url
    # Another run leaves nothing of this one behind.
    start(page, seed="8")
    page.wait_for_selector(f"{TREE}:not([data-run='{run_id}'])")
    wait_for(page, status="done")
    second = attribute(page, "run")
    wait_for(page, selected=app.host.store.tree(second).chosen)
    assert f"run={second}" in page.url


def test_an_address_without_a_run_behind_it_says_so(explore: OpenPage) -> None:
    page = explore("/?run=nonsense")
    wait_for_text(page, "#notice [role=alert]", "nonsense")
    assert page.is_visible("#tree .st-empty")
    start(page, n="4")  # and the page is as good as new
    wait_for(page, status="done")
    assert not page.locator("#notice [role=alert]").count()


# --- the form -------------------------------------------------------------------------------------------------------


def test_an_example_fills_the_problem(explore: OpenPage) -> None:
    page = explore()
    other = examples()[-1]
    page.click("#examples input")
    page.get_by_role("option").filter(has_text=other.text).first.click()
    page.wait_for_function("text => document.querySelector('#problem textarea').value === text", arg=other.text)
    assert other.text[:12] in page.input_value("#examples input")
    page.locator("#problem textarea").press_sequentially("?")  # another problem now: the menu names none
    page.wait_for_function("document.querySelector('#examples input').value === ''")


def test_only_fields_that_apply_are_shown(explore: OpenPage) -> None:
    page = explore()
    page.wait_for_selector("#m", state="visible")
    choose_strategy(page, "Best of N")
    page.wait_for_selector("#m", state="hidden")
    assert page.is_visible("#n")
    choose_strategy(page, "Greedy")
    page.wait_for_selector("#n", state="hidden")
    choose_strategy(page, "Beam search")
    page.wait_for_selector("#n", state="visible")
    page.wait_for_selector("#m", state="visible")
    fill(page, "n", "8")
    wait_for_text(page, "#m", "K = 2 survivors")


BAD = [
    ("problem", "", "empty"),
    ("problem", "  \n ", "empty"),
    ("problem", "1 + " * 2000, "context window"),
    ("n", "0", "completions"),
    ("n", "-3", "completions"),
    ("n", "", "empty"),
    ("n", "2", "M = 4 is larger than N = 2"),
    ("n", "6", "does not divide"),
    ("m", "0", "children"),
    ("seed", "-1", "whole number"),
    ("temperature", "-1", "outside"),
    ("top-p", "0", "outside"),
    ("max-steps", "0", "steps"),
    ("budget", "-5", "tokens"),
]


def test_every_mistake_is_told_at_its_field(explore: OpenPage, app: App) -> None:
    page = explore()
    page.click("#more button")
    page.wait_for_selector("#temperature", state="visible")
    before = app.runs()
    at = {"n": "m"}  # N that does not go with M is told where M is
    for field, value, message in BAD:
        right = page.locator(f"#{field} textarea, #{field} input").first.input_value()
        fill(page, field, value)
        page.click("#run")
        place = at.get(field, field) if "M = " in message or "divide" in message else field
        page.wait_for_function(
            "([id, text]) => document.querySelector(`#${id} .validation-error`)?.innerText.includes(text)",
            arg=[place, message],
        )
        assert page.locator("div.validation-error").count() == 1, (field, value)
        fill(page, field, right)
    fill(page, "temperature", "9")
    page.locator("#more button").first.click()
    page.wait_for_selector("#temperature", state="hidden")
    page.click("#run")  # a mistake in a folded field unfolds it
    page.wait_for_selector("#temperature .validation-error", state="visible")
    fill(page, "temperature", "0.8")
    assert app.runs() == before
    start(page)  # all is right again
    wait_for(page, status="done")
    assert app.runs() == before + 1


def test_without_a_scorer_no_score_is_shown(explore: OpenPage) -> None:
    page = explore()
    fill(page, "m", "0")  # a hidden field is not held against anyone
    start(page, strategy="Majority vote", n="4")
    wait_for(page, status="done")
    page.wait_for_selector("#answers table")
    wait_for_text(page, "#strip", "no PRM")
    page.focus("#tree .st-plot")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    wait_for_text(page, "#detail-head", "Step 1")
    assert "PRM" not in page.inner_text("#detail")


def test_every_strategy_runs_from_the_page_with_its_own_settings(explore: OpenPage) -> None:
    page = explore()
    page.locator("#more button").first.click()
    own = {
        "Beam search": "finished",
        "Lookahead": "lookahead",
        "MCTS (extension)": "exploration",
        "Compute-optimal": "probe",
    }
    for strategy, field in own.items():
        choose_strategy(page, strategy)
        page.wait_for_selector(f"#{field}", state="visible")
        for other in set(own.values()) - {field} - ({"finished"} if "MCTS" not in strategy else set()):
            page.wait_for_selector(f"#{other}", state="hidden")
    for strategy in ("DVTS", "Compute-optimal", "MCTS (extension)"):
        start(page, strategy=strategy, n="4")
        wait_for(page, status="done")
        page.get_by_role("tab", name="Rules").click()
        page.wait_for_selector("#rules tr.own", timeout=PATIENCE_MS)


# --- text that means harm -------------------------------------------------------------------------------------------

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


# --- runs of others -------------------------------------------------------------------------------------------------


def test_two_pages_search_at_once(explore: OpenPage, app: App) -> None:
    pages = [explore(), explore()]
    for seed, page in enumerate(pages, start=20):
        start(page, seed=str(seed), n="16")
    for page in pages:
        wait_for(page, status="done")
    ids = [attribute(page, "run") for page in pages]
    assert len(set(ids)) == 2
    assert [app.host.store.run(run_id).params["seed"] for run_id in ids] == [20, 21]


def test_closing_the_tab_stops_nothing(explore: OpenPage, app: App) -> None:
    page = explore()
    start(page, **LONG)
    seen = begins_to_grow(page)
    run_id = attribute(page, "run")
    page.close()
    # Opened again it has grown on.
    page = explore(f"/?run={run_id}")
    grows_beyond(page, seen)
    app.host.stop(run_id)
    page.wait_for_selector(f"{TREE}:is([data-status=stopped], [data-status=done])", timeout=PATIENCE_MS)


OTHER_PROCESS = """
import sys, time
from engine.events import Decision, ModelInfo, RunStarted, StepSampled, StepScored, Usage
from engine.store import Store

url, run_id = sys.argv[1:]
store = Store.open(url)
policy = ModelInfo("built-in", 520_000, 512)
store.record([RunStarted(run_id, "2026-01-02T03:04:05.678Z", "What is 3 + 4?", None, "majority_vote",
                         {"n": 4, "select": "majority_vote"}, policy, None)], Usage(), run_id)
node = 0
for line in sys.stdin:                      # one more step for each line
    node += 1
    store.record([StepSampled(node, node, node - 1, node, f"step {node}", None, 5, -1.0, "step")], Usage(), run_id)
    store.flush()
    print(node, flush=True)
"""


def test_a_run_of_another_process_grows_and_its_death_is_told(explore: OpenPage, app: App) -> None:
    run_id = new_run_id()
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, app.host.store.url, run_id],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdin and other.stdout
    try:

        def grow() -> None:
            assert other.stdin and other.stdout
            other.stdin.write("\n")
            other.stdin.flush()
            other.stdout.readline()

        grow()
        page = explore(f"/?run={run_id}")
        wait_for(page, nodes=2, status="running")
        grow()
        wait_for(page, nodes=3, status="running")
        page.wait_for_selector("#run:not([disabled])")  # it is not ours to wait for, nor to stop
        assert page.locator("#stop").is_disabled()
    finally:
        other.kill()
        other.communicate(timeout=20)
    page.reload()
    wait_for(page, nodes=3, status="interrupted")
    wait_for_text(page, "#strip", "interrupted")


# --- manners --------------------------------------------------------------------------------------------------------


def test_keys(explore: OpenPage, app: App) -> None:
    page = explore()
    fill(page, "n", "512")
    choose_strategy(page, "Best of N")
    page.locator("#header h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.closest('#problem') !== null")
    page.keyboard.press("End")
    page.keyboard.type(" rs?/")  # typed, not obeyed
    assert page.input_value("#problem textarea").endswith(" rs?/")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    before = app.runs()
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    page.wait_for_selector("#help", state="hidden")
    assert app.runs() == before
    page.keyboard.press("r")
    begins_to_grow(page)
    page.keyboard.press("s")
    wait_for(page, status="stopped")


def test_dark_is_remembered(explore: OpenPage) -> None:
    page = explore()
    button = page.locator("[data-do=dark]")
    assert not page.evaluate("document.body.classList.contains('dark')")
    button.click()
    page.wait_for_selector("body.dark")
    assert button.get_attribute("aria-pressed") == "true"
    page.reload()
    page.wait_for_selector("#run")
    page.wait_for_selector("body.dark")
    page.locator("[data-do=dark]").click()
    page.wait_for_selector("body:not(.dark)")


def test_a_phone_needs_no_sideways_scrolling(explore: OpenPage) -> None:
    page = explore(width=390, height=844, touch=True)
    no_horizontal_scroll(page)
    page.click("#more button")
    page.wait_for_selector("#temperature", state="visible")
    no_horizontal_scroll(page)
    start(page)
    wait_for(page, status="done")
    wait_for_text(page, "#detail-head", "Step")
    no_horizontal_scroll(page)
    page.get_by_role("tab", name="Cost").click()
    no_horizontal_scroll(page)
    page.locator("[data-do=large]").click()
    page.wait_for_selector("html.large")
    no_horizontal_scroll(page)


def test_the_page_moves_as_little_as_it_can_while_a_search_runs(explore: OpenPage) -> None:
    page = explore()
    top = "document.querySelector('#tree').getBoundingClientRect().top"
    start(page, **LONG)
    page.wait_for_selector("#strip .strip")
    begins_to_grow(page)
    page.evaluate(
        f"""() => {{ window.tops = new Set(); const look = () => {{ window.tops.add(Math.round({top}));
        requestAnimationFrame(look); }}; look(); }}"""
    )
    page.wait_for_selector("#ticker .ticker")
    page.click("#stop")
    wait_for(page, status="stopped")
    page.wait_for_selector("#ticker .ticker", state="detached")
    assert page.evaluate("[...window.tops].length") == 1
