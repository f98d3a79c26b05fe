"""The Compare page in a real browser, over the built-in models and a SQLite file: several searches side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.explore_page import PROBLEM, OpenPage, fill, wait_for_text

from engine.domains.builtin.problems import examples
from engine.runs.examples import OVER_OPTIMISED
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.search.tree import Node, Tree
from tts_ui.web.parts.lessons import run_ids

PATIENCE_MS = 60_000


class App:
    """The product, and the runs that a test wants in its store."""

    def __init__(self, host: Host, url: str) -> None:
        self.host, self.url = host, url.rstrip("/")
        self._solved: dict[tuple[object, ...], str] = {}

    def solved(self, strategy: str, **params: Any) -> str:
        """A finished run; its id. Asked for twice it is made once."""
        key = (strategy, *sorted(params.items()))
        if key not in self._solved:
            running = self.host.submit(Question(PROBLEM, examples()[0].answer), RunParams(strategy, n=8, **params))
            running.future.result(timeout=300)
            self.host.store.flush(running.id)
            self._solved[key] = running.id
        return self._solved[key]

    def three(self) -> list[str]:
        return [self.solved(strategy) for strategy in ("best_of_n", "beam_search", "majority_vote")]

    def tree(self, run_id: str) -> Tree:
        return self.host.store.tree(run_id)


@pytest.fixture(scope="module")
def app(served: tuple[Host, str]) -> App:
    return App(*served)


@pytest.fixture
def compare(app: App, chromium_page: Callable[..., Any], page_errors: list[str]) -> OpenPage:
    """Opens the Compare page, ready to be used: `compare("?runs=A,B", width=390)`."""

    def open_page(query: str = "", **options: Any) -> Any:
        page = chromium_page(**options)
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: page_errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{app.url}/compare{query}")
        page.wait_for_selector("#tree-a .search-tree")
        page.wait_for_selector("#run")
        return page

    return open_page


def tree(place: str) -> str:
    return f"#tree-{place} .search-tree"


def wait_for(page: Any, place: str, **state: object) -> None:
    """Waits until the attributes of this tree say this."""
    wanted = "".join(f'[data-{name}="{value}"]' for name, value in state.items())
    page.wait_for_selector(tree(place) + wanted)


def choose(page: Any, place: str, title: str) -> None:
    page.click(f"#strategy-{place} input")
    page.get_by_role("option", name=title).click()
    page.wait_for_function(
        "([place, title]) => document.querySelector(`#strategy-${place} input`).value === title", arg=[place, title]
    )
    page.wait_for_selector("[role=option]", state="detached")


def click_node(page: Any, place: str, node: int) -> None:
    page.locator(tree(place)).scroll_into_view_if_needed()
    spot = page.evaluate("([tree, id]) => document.querySelector(tree).searchTree.position(id)", [tree(place), node])
    page.mouse.click(spot["x"], spot["y"])
    wait_for(page, place, selected=node)


def opened(compare: OpenPage, app: App, ids: list[str], more: str = "", **options: Any) -> Any:
    """The page with these finished runs on it."""
    page = compare(f"?runs={','.join(ids)}{more}", **options)
    for place, run_id in zip("abcd", ids, strict=False):
        wait_for(page, place, run=run_id, status="done", nodes=len(app.tree(run_id)))
    return page


def path(tree: Tree, node: Node) -> list[str]:
    return [" ".join(step.text.split()) for step in tree.path(node)]


def counterpart(there: Tree, wanted: list[str]) -> Node | None:
    return next((node for node in there.nodes[1:] if path(there, node) == wanted), None)


# --- from a question to its table -----------------------------------------------------------------------------------


def test_strategies_grow_side_by_side_to_their_end(compare: OpenPage, app: App) -> None:
    page = compare()
    page.wait_for_selector("#tree-a .st-empty", state="visible")
    assert page.locator("#header nav a[aria-current=page]").inner_text() == "Compare"
    fill(page, "problem", PROBLEM)
    fill(page, "n", "8")
    page.locator("#header h1").click()
    page.keyboard.press("r")
    for place in "abc":
        page.wait_for_selector(f"{tree(place)}[data-status=running], {tree(place)}[data-status=done]")
    for place in "abc":
        wait_for(page, place, status="done")
    assert not page.is_visible("#tree-d")
    ids = [str(page.get_attribute(tree(place), "data-run")) for place in "abc"]
    records = [app.host.store.run(run_id) for run_id in ids]
    assert [record.strategy for record in records] == ["majority_vote", "best_of_n", "beam_search"]
    page.wait_for_function("runs => location.search.includes(`runs=${runs}`)", arg=",".join(ids))
    for place, record in zip("abc", records, strict=True):
        assert str(page.get_attribute(tree(place), "data-nodes")) == str(len(app.tree(record.id)))
        wait_for_text(page, f"#head-{place}", str(record.answer))
    # The legend once, under the last tree; the chosen step of the first is explained.
    assert page.locator(".st-legend:visible").count() == 1
    assert page.is_visible("#tree-c .st-legend")
    wait_for_text(page, "#detail-head", "Step")
    page.wait_for_selector("#run:not([disabled])")
    assert page.locator("#charts figure").count() == 2
    # What was shared is computed once, and the table says so.
    wait_for_text(page, "#comparison", "Actually computed")
    comparison = app.host.store.comparison_of(ids)
    assert comparison and f"{comparison.shared.generated_tokens:,}" in page.inner_text("#comparison tr.real")


def test_a_problem_the_models_never_learned_runs_with_a_notice(compare: OpenPage) -> None:
    page = compare()
    fill(page, "problem", "Prove that sqrt 2 is irrational")
    fill(page, "n", "4")
    page.click("#run")
    wait_for_text(page, "#notice [role=status]", "never seen: prove, sqrt, irrational")
    for place in "abc":
        wait_for(page, place, status="done")


def test_the_recorded_lesson_shows_a_right_answer_and_under_more_samples_a_wrong_one(compare: OpenPage) -> None:
    page = compare()
    page.click("a:has-text('a worse answer')")
    few, many = run_ids(OVER_OPTIMISED)
    wait_for(page, "a", run=few, status="done")
    wait_for(page, "b", run=many, status="done")
    wait_for_text(page, "#head-a", "correct")
    wait_for_text(page, "#head-b", "wrong")
    wait_for_text(page, "#comparison", "judged by builtin-prm-weak")


def test_runs_are_reopened_by_their_address(compare: OpenPage, app: App) -> None:
    ids = app.three()
    page = compare(f"?runs={','.join(run_id[:-1] for run_id in ids)}")
    for place, run_id in zip("abc", ids, strict=True):
        wait_for(page, place, run=run_id, status="done", nodes=len(app.tree(run_id)))
    page.wait_for_function("runs => location.search.includes(`runs=${runs}`)", arg=",".join(ids))
    rows = page.locator("#comparison tbody tr")
    for number, run_id in enumerate(ids):
        record = app.host.store.run(run_id)
        row = rows.nth(number).inner_text()
        assert str(record.answer) in row and f"{record.usage.generated_tokens:,}" in row
        assert ("correct" if record.correct else "wrong") in row
        assert (f"{record.usage.scored_tokens:,}" if record.scorer else "no PRM") in row
    total = sum(app.host.store.run(run_id).usage.generated_tokens for run_id in ids)
    assert f"{total:,}" in page.inner_text("#comparison tr.sum")
    assert not page.locator("#comparison tr.real").count()  # they were not started together
    wait_for_text(page, "#comparison .fair", "N = 8 completions each")
    wait_for_text(page, "#comparison .fair", "Paired: seed 0 in A, B and C")
    wait_for_text(page, "#charts", "no PRM was used")
    # The form holds what was asked.
    page.wait_for_function("document.querySelector('#strategy-c input').value === 'Majority vote'")
    assert page.input_value("#n input") == "8" and page.input_value("#problem textarea") == PROBLEM


def test_an_address_that_cannot_be_a_comparison_says_why(compare: OpenPage, app: App) -> None:
    run_id = app.three()[0]
    for query, message in (
        ("?runs=nonsense,more", "run id begins with"),
        (f"?runs={run_id}", "names 1 runs"),
        (f"?runs={run_id},{run_id}", "twice"),
    ):
        page = compare(query)
        wait_for_text(page, "#notice [role=alert]", message)
        assert page.is_visible("#tree-a .st-empty")


# --- one step in every tree -----------------------------------------------------------------------------------------


def test_a_step_selected_in_one_tree_is_selected_in_the_others(compare: OpenPage, app: App) -> None:
    ids = app.three()
    samples, beam, votes = (app.tree(run_id) for run_id in ids)
    page = opened(compare, app, ids)
    shared = next(node for node in beam.nodes[1:] if node.depth == 2 and counterpart(samples, path(beam, node)))
    click_node(page, "b", shared.id)
    for place, there in (("a", samples), ("c", votes)):
        twin = counterpart(there, path(beam, shared))
        assert twin
        wait_for(page, place, selected=twin.id)
    wait_for_text(page, "#detail-text", shared.text.split()[0])
    wait_for_text(page, "#detail-facts", "Beam search")
    sections = page.locator("#detail-facts section")
    assert sections.count() == 3
    score = next(iter(shared.scores.values()))
    assert f"PRM {score:.2f}" in sections.nth(1).inner_text() and "kept" in sections.nth(1).inner_text()
    assert "no PRM was used" in sections.nth(2).inner_text()
    page.wait_for_function("node => location.search.endsWith(`node=${node}`)", arg=f"2.{shared.id}")
    # Keys walk one tree and the others follow; the problem is the problem everywhere.
    page.focus("#tree-b .st-plot")
    page.keyboard.press("Home")
    for place in "abc":
        wait_for(page, place, selected=0)
    wait_for_text(page, "#detail-head", "Problem")
    for _ in range(3):  # faster than Python answers: what is explained is where the walk ends
        page.keyboard.press("ArrowDown")
    wait_for_text(page, "#detail-head", "Step 3")


def test_a_step_that_occurs_in_one_tree_only_is_said_to(compare: OpenPage, app: App) -> None:
    ids = [app.solved("best_of_n"), app.solved("beam_search", temperature=2.0, seed=1), app.solved("majority_vote")]
    samples, beam, votes = (app.tree(run_id) for run_id in ids)
    elsewhere = {(node.depth, node.text.strip()) for there in (samples, votes) for node in there.nodes}
    alone = next((n for n in beam.nodes[1:] if (n.depth, n.text.strip()) not in elsewhere), None)
    assert alone
    page = opened(compare, app, ids, f"&node=2.{alone.id}")
    wait_for(page, "b", selected=alone.id)
    for place in "ac":
        wait_for(page, place, selected="")
    page.wait_for_function("document.querySelectorAll('#detail-facts .hint').length === 2")
    assert page.inner_text("#detail-facts").count("does not occur here") == 2


# --- cards ----------------------------------------------------------------------------------------------------------


def test_a_card_rings_what_a_parameter_means(compare: OpenPage, app: App) -> None:
    ids = app.three()
    beam = app.tree(ids[1])
    page = opened(compare, app, ids)
    page.focus("#tree-b .st-plot")
    page.keyboard.press("Home")
    wait_for_text(page, "#detail-head", "Problem")
    page.click("#card-b summary")
    card = page.locator("#card-b .card")
    wait_for_text(page, "#card-b", "K = 2")
    card.locator("[data-mark=survivors]").hover()
    level = [node.id for node in beam.nodes if node.depth == 1 and node.status == "kept"]
    page.wait_for_selector(f"{tree('b')}[data-marked]:not([data-marked=''])")
    ringed = str(page.get_attribute(tree("b"), "data-marked")).split()
    assert sorted(map(int, ringed)) == sorted(level)
    assert page.get_attribute(tree("a"), "data-marked") in (None, "")
    wait_for_text(page, f"{tree('b')} .st-says", "K = 2")
    before = page.evaluate(f'document.querySelector("{tree("b")}").searchTree.position(1)')
    page.mouse.move(1, 1)
    page.wait_for_selector(f"{tree('b')}[data-marked='']")
    assert page.evaluate(f'document.querySelector("{tree("b")}").searchTree.position(1)') == before
    # By keys, and for the selected step's own children.
    parent = next(node for node in beam.nodes[1:] if node.children)
    click_node(page, "b", parent.id)
    wait_for_text(page, "#detail-facts", "Beam search")
    page.focus("#card-b [data-mark=children]")
    page.wait_for_selector(f"{tree('b')}[data-marked='{' '.join(map(str, parent.children))}']")


# --- mistakes, phones, colours --------------------------------------------------------------------------------------


def test_mistakes_are_told_at_their_fields(compare: OpenPage, app: App) -> None:
    page = compare()
    before = len(app.host.store.runs(limit=1000))

    def refused(field: str, message: str) -> None:
        page.click("#run")
        page.wait_for_function(
            "([id, text]) => document.querySelector(`#${id} .validation-error`)?.innerText.includes(text)",
            arg=[field, message],
        )
        assert page.locator("div.validation-error").count() == 1

    choose(page, "c", "Best of N")
    refused("strategy-c", "same as B")
    choose(page, "c", "none")
    choose(page, "b", "none")
    refused("strategy-b", "two strategies")
    choose(page, "b", "Beam search")
    fill(page, "budget", "-1")
    refused("budget", "tokens")
    fill(page, "budget", "0")
    page.click("#more button")
    page.wait_for_selector("#own-b", state="visible")
    fill(page, "own-b", "M=3")
    page.locator("#more button").first.click()
    page.wait_for_selector("#own-b", state="hidden")
    refused("own-b", "does not divide")
    page.wait_for_selector("#own-b", state="visible")  # the fold has opened itself
    assert len(app.host.store.runs(limit=1000)) == before


def test_a_phone_needs_no_sideways_scrolling(compare: OpenPage, app: App) -> None:
    page = opened(compare, app, app.three(), width=390, height=844, touch=True)
    page.wait_for_selector("#charts figure")
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(fits)
    for place in "abc":
        page.click(f"#card-{place} summary")
    page.click("#more button")
    page.wait_for_selector("#temperature", state="visible")
    assert page.evaluate(fits)
    page.locator("[data-do=large]").click()
    page.wait_for_selector("html.large")
    assert page.evaluate(fits)


def test_one_run_has_one_colour_everywhere(compare: OpenPage, app: App) -> None:
    page = opened(compare, app, app.three())
    page.wait_for_selector("#charts path", state="attached")
    colour = "selector => getComputedStyle(document.querySelector(selector)).backgroundColor"
    stroke = "selector => getComputedStyle(document.querySelector(selector)).stroke"
    for dark in (False, True):
        if dark:
            page.locator("[data-do=dark]").click()
            page.wait_for_selector("body.dark")
        seen = {page.evaluate(colour, f"#head-{place} .badge") for place in "abc"}
        assert len(seen) == 3
        for place in "abc":
            of_run = page.evaluate(colour, f"#head-{place} .badge")
            assert page.evaluate(colour, f"#comparison .badge.run-{place}") == of_run
            assert page.evaluate(stroke, f"#charts .run-{place} path") == of_run


# --- long searches --------------------------------------------------------------------------------------------------


def test_closing_the_tab_stops_nothing_and_stop_stops_all(compare: OpenPage, app: App) -> None:
    page = compare()
    page.click("#models input")
    page.get_by_role("option", name="built-in L + PRM").click()
    page.wait_for_selector("[role=option]", state="detached")
    fill(page, "n", "1024")
    choose(page, "a", "MCTS (extension)")
    choose(page, "c", "none")
    page.click("#run")
    page.wait_for_selector(f"{tree('a')}[data-status=running]:not([data-nodes='1'])")
    page.wait_for_function("location.search.includes('runs=')")
    ids = page.evaluate("new URLSearchParams(location.search).get('runs')").split(",")
    page.close()
    page = compare(f"?runs={','.join(ids)}")
    for place, run_id in zip("ab", ids, strict=True):
        page.wait_for_selector(f"{tree(place)}[data-run='{run_id}']")
    page.wait_for_selector("#stop:not([disabled])")
    page.locator("#header h1").click()
    page.keyboard.press("s")
    for place in "ab":
        page.wait_for_selector(f"{tree(place)}:is([data-status=stopped], [data-status=done])")
    page.wait_for_selector("#run:not([disabled])")
    assert "stopped" in {app.host.store.run(run_id).status for run_id in ids}
    wait_for_text(page, "#comparison", "(stopped)")
