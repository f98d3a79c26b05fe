"""The Compare page in a real browser, over the built-in models and a SQLite file: from a question to its table."""

from __future__ import annotations

from support.compare_page import Comparisons, opened, tree, wait_for
from support.explore_page import PROBLEM, OpenPage, fill, wait_for_text

from engine.runs.examples import OVER_OPTIMISED
from engine.runs.teaching import found
from engine.search.selection import RULES
from engine.search.selection import choose as winner_of
from tts_ui.web.parts.lessons import run_ids


def test_strategies_grow_side_by_side_to_their_end(compare: OpenPage, comparisons: Comparisons) -> None:
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
    records = [comparisons.host.store.run(run_id) for run_id in ids]
    assert [record.strategy for record in records] == ["majority_vote", "best_of_n", "beam_search"]
    page.wait_for_function("runs => location.search.includes(`runs=${runs}`)", arg=",".join(ids))
    for place, record in zip("abc", records, strict=True):
        assert str(page.get_attribute(tree(place), "data-nodes")) == str(len(comparisons.tree(record.id)))
        wait_for_text(page, f"#head-{place}", str(record.answer))
    # The legend once, under the last tree; the chosen step of the first is explained.
    assert page.locator(".st-legend:visible").count() == 1
    assert page.is_visible("#tree-c .st-legend")
    wait_for_text(page, "#detail-head", "Step")
    page.wait_for_selector("#run:not([disabled])")
    assert page.locator("#charts figure").count() == 2
    # What was shared is computed once, and the table says so.
    wait_for_text(page, "#comparison", "Actually computed")
    comparison = comparisons.host.store.comparison_of(ids)
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
    wait_for_text(page, "#comparison", "judged by builtin-prm-short")


def test_an_example_sets_the_strategies_that_it_is_about(compare: OpenPage) -> None:
    page = compare()
    page.click("#examples input")
    page.get_by_role("option", name="Best-of-N beats search").click()
    problem = found()["sampling_wins"].problem
    page.wait_for_function("text => document.querySelector('#problem textarea').value === text", arg=problem)
    for place, title in zip("abcd", ("Best of N", "Beam search", "none", "none"), strict=True):
        page.wait_for_function(f"title => document.querySelector('#strategy-{place} input').value === title", arg=title)
    page.click("#run")
    wait_for(page, "a", status="done")
    wait_for(page, "b", status="done")
    wait_for_text(page, "#head-a", "correct")
    wait_for_text(page, "#head-b", "wrong")


def test_runs_are_reopened_by_their_address(compare: OpenPage, comparisons: Comparisons) -> None:
    ids = comparisons.three()
    page = compare(f"?runs={','.join(ids)}")
    for place, run_id in zip("abc", ids, strict=True):
        wait_for(page, place, run=run_id, status="done", nodes=len(comparisons.tree(run_id)))
    page.wait_for_function("runs => location.search.includes(`runs=${runs}`)", arg=",".join(ids))
    rows = page.locator("#comparison tbody tr")
    for number, run_id in enumerate(ids):
        record = comparisons.host.store.run(run_id)
        row = rows.nth(number).inner_text()
        assert str(record.answer) in row and f"{record.usage.generated_tokens:,}" in row
        assert ("correct" if record.correct else "wrong") in row
        assert (f"{record.usage.scored_tokens:,}" if record.scorer else "no PRM") in row
    total = sum(comparisons.host.store.run(run_id).usage.generated_tokens for run_id in ids)
    assert f"{total:,}" in page.inner_text("#comparison tr.sum")
    assert not page.locator("#comparison tr.real").count()  # they were not started together
    wait_for_text(page, "#comparison .fair", "N = 8 completions each")
    wait_for_text(page, "#comparison .fair", "Paired: seed 0 in A, B and C")
    wait_for_text(page, "#charts", "no PRM was used")
    # The form holds what was asked.
    page.wait_for_function("document.querySelector('#strategy-c input').value === 'Majority vote'")
    assert page.input_value("#n input") == "8" and page.input_value("#problem textarea") == PROBLEM


def test_every_rule_is_read_of_every_run_beside_the_others(compare: OpenPage, comparisons: Comparisons) -> None:
    ids = comparisons.three()
    page = opened(compare, comparisons, ids)
    page.click("#under-rules summary")
    rows = page.locator("#under-rules tbody tr")
    assert rows.locator("th").all_inner_texts() == list(RULES)
    for rule, row in zip(RULES.values(), rows.all(), strict=True):
        for run_id, said in zip(ids, row.locator("td").all_inner_texts(), strict=True):
            record = comparisons.host.store.run(run_id)
            if rule.reducer and record.scorer is None:
                assert said == "no PRM"
                continue
            winner = winner_of(record.answers(comparisons.tree(run_id), rule.name))
            assert winner is not None and said.startswith(f"{winner.answer} ")
            assert ("correct" in said) == bool(winner.correct)
            assert ("(this run's)" in said) == (rule.name == record.params["select"])
    lesson = compare(f"?runs={','.join(run_ids(OVER_OPTIMISED))}")
    lesson.click("#under-rules summary")
    unsaid = lesson.locator("#under-rules td", has_text="not recorded")
    assert unsaid.count() == 2 * sum(rule.asks_policy for rule in RULES.values())


def test_how_sure_the_policy_was_has_a_scale_of_its_own_under_every_tree(
    compare: OpenPage, comparisons: Comparisons
) -> None:
    page = opened(compare, comparisons, comparisons.three())
    assert page.locator(".st-legend:visible").count() == 1
    page.select_option("#tree-a .st-colour", "confidence")
    page.wait_for_function("document.querySelectorAll('.st-legend.st-own').length === 3")
    assert page.locator(".st-legend:visible").count() == 3
    for place, run_id in zip("abc", comparisons.three(), strict=True):
        values = [node.confidence for node in comparisons.tree(run_id).nodes if node.confidence is not None]
        said = page.inner_text(f"#tree-{place} .st-scale")
        assert said.startswith(f"confidence, nats {min(values):.1f}") and said.endswith(f"{max(values):.1f}")


def test_an_address_that_cannot_be_a_comparison_says_why(compare: OpenPage, comparisons: Comparisons) -> None:
    run_id = comparisons.three()[0]
    for query, message in (
        ("?runs=nonsense,more", "No run has the id"),
        (f"?runs={run_id}", "names 1 run;"),
        (f"?runs={run_id},{run_id}", "twice"),
    ):
        page = compare(query)
        wait_for_text(page, "#notice [role=alert]", message)
        assert page.is_visible("#tree-a .st-empty")
