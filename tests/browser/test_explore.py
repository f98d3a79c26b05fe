"""The Explore page in a real browser, over the built-in models and a SQLite file: the main path and the form."""

from __future__ import annotations

import re
from typing import Any

from support.explore_page import (
    LONG,
    PATIENCE_MS,
    PROBLEM,
    TREE,
    App,
    OpenPage,
    attribute,
    begins_to_grow,
    choose_strategy,
    click_node,
    fill,
    grows_beyond,
    is_at_rest,
    start,
    wait_for,
    wait_for_text,
)

from engine.domains.builtin.problems import examples
from engine.runs.examples import REAL_MODEL
from engine.runs.teaching import TEACHING, found
from tts_ui.web.parts.fields import DEFAULT_RULE
from tts_ui.web.parts.lessons import problem_of, run_ids
from tts_ui.web.parts.model_choice import OWN
from tts_ui.words import numbers
from tts_ui.words.texts import without_number

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


def test_a_problem_the_models_never_learned_runs_with_a_notice(explore: OpenPage) -> None:
    page = explore()
    fill(page, "problem", "Prove that sqrt 2 is irrational")
    start(page, n="4")
    wait_for_text(page, "#notice [role=status]", "never seen: prove, sqrt, irrational")
    wait_for_text(page, "#notice [role=status]", "Some are listed under Models")
    wait_for(page, status="done")
    fill(page, "problem", PROBLEM)
    start(page, n="4")
    page.wait_for_function("!document.querySelector('#notice [role=status]')")


def test_a_step_is_explained(explore: OpenPage, app: App) -> None:
    run_id = app.solved(n=16, temperature=1.5)  # hot, so that there is something to prune
    tree = app.host.store.tree(run_id)
    page = explore(f"/?run={run_id}")
    wait_for(page, nodes=len(tree), status="done")
    pruned = next(node for node in tree.nodes if node.status == "pruned" and node.decisions[-1].reason == "rank")
    click_node(page, pruned.id)
    standing = pruned.decisions[-1].numbers
    rank, of, cut_off = (standing[key] for key in ("rank", "of", "cut_off"))
    wait_for_text(page, "#detail-facts", f"pruned: rank {rank:.0f} of {of:.0f}, cut-off {numbers.score(cut_off)}")
    score = next(iter(pruned.scores.values()))
    assert f"PRM {numbers.score(score)} #{rank:.0f}/{of:.0f}" in page.inner_text("#detail-head")
    words = " ".join(without_number(pruned.text, pruned.depth).split())
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
    page.goto(f"{app.url}/?run={run_id}&node=7")
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


def choose_example(page: Any, title: str) -> None:
    page.click("#examples input")
    page.get_by_role("option", name=title).click()


def test_an_example_fills_the_form_and_says_what_it_teaches(explore: OpenPage) -> None:
    page = explore()
    first, fooled, worse = (found()[kind.name].problem for kind in (TEACHING[0], *TEACHING[2:]))
    assert page.input_value("#problem textarea") == first and TEACHING[0].teaches in page.inner_text("#example-line")
    page.click("#more button")
    choose_example(page, "The PRM is fooled")
    page.wait_for_function("text => document.querySelector('#problem textarea').value === text", arg=fooled)
    wait_for_text(page, "#example-line", TEACHING[2].teaches)
    page.wait_for_function("document.querySelector('#strategy input').value === 'Best of N'")
    page.wait_for_selector("#m", state="hidden")
    assert page.input_value("#select input") == "prm_last_max"
    choose_example(page, "More samples make it worse")
    page.wait_for_function("text => document.querySelector('#problem textarea').value === text", arg=worse)
    page.wait_for_function("document.querySelector('#n input').value === '64'")
    assert page.input_value("#scorer input") == "PRM biased to short"
    choose_example(page, "Search beats best-of-N")
    page.wait_for_function("document.querySelector('#n input').value === '16'")
    assert page.input_value("#scorer input") == OWN and page.input_value("#select input") == DEFAULT_RULE

    page.locator("#problem textarea").press_sequentially("?")  # another problem now: the menu names none
    page.wait_for_function("document.querySelector('#examples input').value === ''")
    page.wait_for_function("!document.querySelector('#example-line').innerText.trim()")


def test_the_example_of_a_real_model_opens_its_recorded_run(explore: OpenPage) -> None:
    page = explore()
    choose_example(page, "A real 0.5B model")
    wait_for(page, run=run_ids(REAL_MODEL)[0], status="done")
    assert page.input_value("#problem textarea") == problem_of(REAL_MODEL)
    wait_for_text(page, "#example-line", "Qwen2.5-Coder-0.5B-Instruct (Apache-2.0)")


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


def test_a_run_without_a_reference_is_graded_when_the_answer_is_typed(explore: OpenPage, app: App) -> None:
    page = explore()
    fill(page, "problem", "Compute 18 * 20, please.")
    page.click("#run")
    wait_for_text(page, "#strip", "not graded")
    wait_for(page, status="done")
    answered = page.inner_text("#strip .answer")
    page.fill("#grading input, #grading textarea", f"{answered}.0")
    page.keyboard.press("Enter")
    wait_for_text(page, "#strip", "correct")
    wait_for_text(page, "#answers", "correct")
    page.wait_for_selector("#grading", state="hidden")
    record = app.host.store.runs(limit=1)[0]
    assert (record.reference_answer, record.correct) == (f"{answered}.0", True)
