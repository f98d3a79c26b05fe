"""The Score tab: a solution is scored, changed and scored again, by mouse and by keyboard; and runs by a judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.accessibility import faults, faults_in_every_look
from support.explore_page import App, click_node, no_horizontal_scroll, wait_for, wait_for_text

PROBLEM = "What is 34 times 56?"
STEPS = [
    "## Step 1: 34 * 56 = 34 * 50 + 34 * 6.",
    "## Step 2: 34 * 50 = 1700.",
    "## Step 3: 34 * 6 = 204. So $\\frac{204}{2} < 1700$ <img src=x onerror=alert(1)> **no** ${alert(2)}",
    "## Step 4: 1700 + 204 = 1904. The final answer is: $\\boxed{1904}$",
]
SAYS = ".score-says"


@pytest.fixture
def lab(app: App, chromium_page: Callable[..., Any], page_errors: list[str]) -> Callable[..., Any]:
    def dismiss(dialog: Any) -> None:
        page_errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_page(address: str = "", **options: Any) -> Any:
        page = chromium_page(**options)
        page.on("console", lambda message: page_errors.append(message.text) if message.type == "error" else None)
        page.on("dialog", dismiss)
        page.goto(f"{app.url}/lab?tab=score{address}")
        page.wait_for_selector(".score-judges input")
        return page

    return open_page


def write(page: Any, steps: list[str]) -> None:
    page.fill(".score-problem", PROBLEM)
    page.fill(".score-whole", "\n\n".join(steps))
    wait_for_text(page, ".score-cost", "about")


def score(page: Any) -> str:
    """Scores what is there; the first judge's bill."""
    page.click(".score-score")
    page.wait_for_selector(".score-stop[hidden]", state="attached")
    page.wait_for_selector(".score-values:not(.stale)")
    return str(page.inner_text(".score-bill li"))


def values(page: Any) -> list[float]:
    return [float(text) for text in page.locator(".score-values tr:first-child td[data-now]").all_inner_texts()]


def tool(page: Any, step: int, name: str) -> None:
    page.click(f".score-list li:nth-child({step}) [data-tool={name}]")


def count(page: Any, steps: int) -> None:
    page.wait_for_function("n => document.querySelectorAll('.score-list li').length === n", arg=steps)


@pytest.mark.parametrize("dark", [False, True])
def test_a_solution_is_scored_changed_and_scored_again(lab: Callable[..., Any], app: App, dark: bool) -> None:
    runs = app.runs()
    page = lab(dark=dark)
    assert "Write a problem and a solution" in page.inner_text(".score-cost")
    assert faults(page) == []
    write(page, STEPS)
    bill = score(page)
    assert "for 4 steps" in bill
    before = values(page)
    assert len(before) == 4 and before[0] > 0.9
    third = page.locator(".score-list li:nth-child(3) .score-text")
    assert "<img src=x onerror=alert(1)> **no** ${alert(2)}" in third.inner_text()  # as it was written
    assert third.locator("math").count() == 1 and third.locator("img").count() == 0

    tool(page, 2, "edit")
    page.fill(".score-editor textarea", "## Step 2: 34 * 50 = 1600.")
    page.get_by_role("button", name="Done").click()
    page.wait_for_selector(".score-values.stale")
    assert "for 3 steps" in score(page)  # the first is not read again
    after = values(page)
    assert after[0] == before[0] and after[1] < before[1] - 0.1
    assert page.locator(".score-list li:nth-child(2) tr.marked").count() == 1
    assert page.locator("td.most", has_text="the largest change").count() == 1
    assert "The largest change: step" in page.inner_text(SAYS)

    tool(page, 2, "drop")
    count(page, 3)
    page.click(".score-undo")
    count(page, 4)
    assert "the scores were known" in score(page)
    page.click(".score-cut")
    page.wait_for_selector(".score-cuts table")
    assert page.locator(".score-cuts tbody tr").count() == 5
    assert "spread" in page.inner_text(".score-cuts tbody tr:last-child")
    assert faults(page) == []
    assert app.runs() == runs  # nothing is recorded


def test_steps_are_moved_merged_and_split(lab: Callable[..., Any]) -> None:
    page = lab()
    write(page, ["a", "b. And b", "c"])
    count(page, 3)

    def texts() -> list[str]:
        return [str(text) for text in page.locator(".score-text").all_inner_texts()]

    tool(page, 1, "down")
    assert texts() == ["b. And b", "a", "c"]
    tool(page, 3, "up")
    assert texts() == ["b. And b", "c", "a"]
    tool(page, 2, "merge")
    assert texts() == ["b. And b", "c\n\na"]
    tool(page, 2, "split")
    assert texts() == ["b. And b", "c", "a"]
    tool(page, 1, "split")
    assert texts() == ["b.", "And b", "c", "a"]
    tool(page, 2, "edit")
    page.evaluate("document.querySelector('.score-editor textarea').setSelectionRange(3, 3)")
    page.get_by_role("button", name="Split at the cursor").click()
    assert texts() == ["b.", "And", "b", "c", "a"]
    assert page.input_value(".score-whole") == "b.\n\nAnd\n\nb\n\nc\n\na"


def test_all_of_it_goes_by_keyboard(lab: Callable[..., Any]) -> None:
    page = lab()
    page.focus(".score-problem")
    page.keyboard.type(PROBLEM)
    page.keyboard.press("Tab")
    page.keyboard.type("34 * 50 = 1700.\n\n34 * 6 = 204.")
    count(page, 2)
    page.focus(".score-list li:first-child [data-tool=edit]")
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.type(" r")  # no key of the page's own
    page.keyboard.press("Control+Enter")
    wait_for_text(page, ".score-list li:first-child .score-text", "1700. r")
    assert page.evaluate("document.activeElement.dataset.tool") == "edit"
    for _ in range(2):  # past "up", which cannot be used here
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_text(page, ".score-list li:first-child .score-text", "1700. r\n\n34 * 6")
    count(page, 1)


def test_a_recorded_path_from_explore(lab: Callable[..., Any], explore: Callable[..., Any], app: App) -> None:
    run_id = app.solved(strategy="best_of_n", n=4)
    page = explore(f"/?run={run_id}")
    wait_for(page, status="done")
    click_node(page, 1)
    page.get_by_role("link", name="Score this path in the lab").click()
    page.wait_for_selector(".score-list li")
    assert page.input_value(".score-problem") == app.host.store.run(run_id).problem
    count(page, 1)
    assert page.locator(".score-values tr").count() == 1  # the score that is recorded


def test_a_solution_is_kept_if_that_is_asked(lab: Callable[..., Any], app: App) -> None:
    page = lab()
    write(page, STEPS[:2])
    page.click(".score-keep")
    link = page.get_by_role("link", name="Open the run")
    link.wait_for()
    run_id = link.get_attribute("href").split("run=")[1]
    record, tree = app.host.store.whole_run(run_id), app.host.store.tree(run_id)
    assert record.origin == "import" and [node.origin for node in tree.nodes[1:]] == ["human", "human"]
    assert all("builtin-prm" in node.scores for node in tree.nodes[1:])
    assert len(app.host.store.scorings(run_id)) == 1


def test_the_chosen_runs_are_scored_by_a_judge(lab: Callable[..., Any], app: App) -> None:
    run_id = app.solved(strategy="best_of_n", n=4, seed=5)
    page = lab(f"&run={run_id}")
    page.wait_for_function(
        "id => document.querySelector('#chosen-q input, #chosen-q textarea').value === id", arg=run_id
    )
    page.click("#score-runs-judge input")
    page.get_by_role("option", name="weak PRM").click()
    page.click("#score-runs-ask")
    wait_for_text(page, "#score-runs-says", "1 run by builtin-prm-weak: at most about")
    page.click("#score-runs-score")
    wait_for_text(page, "#score-runs-says", "1 run scored by builtin-prm-weak")
    assert any("builtin-prm-weak" in node.scores for node in app.host.store.tree(run_id).nodes)
    page.click("#score-runs-ask")
    wait_for_text(page, "#score-runs-says", "builtin-prm-weak has scored all of them")


def test_axe_finds_nothing_while_a_solution_is_scored(lab: Callable[..., Any]) -> None:
    page, held = lab(), list[Any]()
    write(page, STEPS)
    page.route("**/rte/lab/score*", lambda route: held.append(route))
    page.click(".score-score")
    assert faults_in_every_look(page, ".score-stop:not([hidden])") == []
    held[0].continue_()
    page.unroute("**/rte/lab/score*")
    page.wait_for_selector(".score-values:not(.stale)")
    tool(page, 1, "edit")
    assert faults_in_every_look(page, ".score-editor textarea") == []


def test_mistakes_and_a_file_on_a_phone(lab: Callable[..., Any], tmp_path: Any, page_errors: list[str]) -> None:
    page = lab(width=390, height=844, touch=True)
    file = tmp_path / "solution.json"
    file.write_text('{"problem": "P", "nothing": 1}')
    page.set_input_files(".score-pick", file)
    wait_for_text(page, ".score-error", "The file has no problem with steps")
    file.write_text('[{"problem": "What is 3 times 4?", "steps": ["3 * 4 = 12."], "label": -1}]')
    page.set_input_files(".score-pick", file)
    count(page, 1)
    assert page.inner_text(".score-error") == ""
    no_horizontal_scroll(page)
    assert faults(page) == []
