"""Reading a tree: three views with one selection, formulas, colours, words, and the address that keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.search.events import Decision, Grade, ModelInfo, RunFinished, RunStarted, StepSampled, StepScored
from engine.store.ids import new_run_id
from tts_ui.web.components import (
    decide_line,
    end_line,
    grade_line,
    node_line,
    run_line,
    score_line,
    truth_line,
)  # fmt: skip

POLICY, SCORER = ModelInfo("policy", 520_000, 512), ModelInfo("prm", 1_000_000, 512)
PARAMS = {"n": 4, "width": 2, "select": "prm_last_vote", "temperature": 0.8, "seed": 0}
TREE = ".search-tree"
OUTLINE = f"{TREE} .st-outline"
STEPS = {
    1: (0, "## Step 1: Let $x = \\frac{1}{2}$ be the share.", 0.97),
    2: (0, "Step 1: It costs $5 and $6 more.", 0.02),
    3: (1, "## Step 2: Add <img src=x onerror=window.hacked=1> to it.", 0.0003),
    4: (1, "## Step 2: Because of that, it is \\boxed{42}.", 0.9996),
    5: (2, "## Step 7: Another count.", 0.41),
}


def run(*, more: str = "", other: bool = False) -> str:
    """A search that has ended: 4 is its answer; a second judge disagrees about 3, and 2 and 5 are known to be wrong."""
    lines = [run_line("read", "How much is it?", "first")]
    for node, (parent, text, score) in STEPS.items():
        lines += [node_line(node, parent, text, tokens=10, logprob=-float(node)), score_line(node, score)]
        lines += [score_line(node, 1 - score, judge="second")] if other else []
    lines += [
        decide_line(1, "keep"),
        decide_line(2, "prune"),
        decide_line(5, "prune", reason="width_reached", numbers={"n": 8}),
    ]
    lines += [decide_line(3, "finish"), decide_line(4, "finish"), decide_line(4, "choose"), more]
    return "".join([*lines, grade_line(3, False), grade_line(4, True), end_line()])


def module(page: Any, name: str, expression: str) -> Any:
    """An expression about what one of the tree's scripts exports."""
    return page.evaluate(
        f"async () => {{ const m = await import(new URL('rte/{name}.js', document.baseURI)); return {expression}; }}"
    )


def show(page: Any, view: str) -> None:
    page.click(f"{TREE} [data-view={view}]")
    page.wait_for_selector(f'{TREE}[data-view="{view}"]')


def selected_row(page: Any) -> str:
    return str(page.inner_text(f"{OUTLINE} [aria-selected=true] .st-text"))


def test_digits_tell_scores_apart_at_both_ends(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run())
    said = module(page, "tree_words", "[0, 0.0003, 0.002, 0.02, 0.41, 0.96, 0.996, 0.9996, 1].map(m.shortScore)")
    assert said == [".00", ".0003", ".002", ".02", ".41", ".96", ".996", ".9996", "1.00"]
    assert len(set(said)) == len(said)
    drawn = page.locator(f"{TREE} .textpoint text").all_text_contents()
    assert {".0003", ".02", ".41", ".9996"} <= set(drawn)


def test_a_step_number_is_not_said_twice(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run(), query="?run=read&view=outline")
    page.wait_for_selector(f"{OUTLINE} math")
    rows = page.locator(f"{OUTLINE} .st-row").all_inner_texts()
    assert not [row for row in rows if "Step 1" in row or "Step 2" in row]
    assert any("Step 7: Another count." in row for row in rows), "a number of its own stays"


def test_the_outline_sets_formulas_and_nothing_else(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run(), query="?run=read&view=outline")
    page.wait_for_function(f"document.querySelectorAll('{OUTLINE} math').length === 2")
    assert page.locator(f"{OUTLINE} math mfrac").count() == 1
    rows = " ".join(page.locator(f"{OUTLINE} .st-row .st-text").all_inner_texts())
    assert "It costs $5 and $6 more." in rows and "<img src=x onerror=window.hacked=1>" in rows
    assert page.locator(f"{OUTLINE} :is(img, script, a)").count() == 0
    assert page.evaluate("window.hacked") is None


def test_formulas_that_cannot_be_set_are_plain_text(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run())
    plain = module(
        page,
        "tree_maths",
        r"""[
      "\\frac{1}{2} \\times 3^{2}", "\\sqrt{x + 1} \\le \\pi", "\\boxed{42}", "\\unknown{x}",
    ].map(m.plainMaths)""",
    )
    assert plain == ["1/2 × 3²", "√(x + 1) ≤ π", "42", "unknown{x}"]
    pieces = module(
        page, "tree_maths", r"m.pieces('$5 and $6, or $x$ and \\(y\\), \\[z\\] $$w$$ \\boxed{\\frac{1}{2}}')"
    )
    assert [piece["maths"] for piece in pieces if "maths" in piece] == ["x", "y", "z", "w", "\\boxed{\\frac{1}{2}}"]


def test_the_outline_is_walked_by_keys_and_known_to_screen_readers(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run(), query="?run=read&view=outline")
    page.focus(OUTLINE)
    walked = []
    for key in [
        "Home",
        "ArrowDown",
        "ArrowDown",
        "ArrowUp",
        "ArrowRight",
        "ArrowLeft",
        "ArrowLeft",
        "ArrowLeft",
        "End",
    ]:
        page.keyboard.press(key)
        walked.append(page.get_attribute(TREE, "data-selected"))
    assert walked == ["0", "1", "4", "1", "4", "1", "1", "0", "5"], "the second left folds 1; its steps are no rows"
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f'{TREE}[data-selected="2"]')
    active = page.get_attribute(OUTLINE, "aria-activedescendant")
    row = page.locator(f"#{active}")
    page.wait_for_function("id => document.getElementById(id)?.getAttribute('aria-expanded') === 'true'", arg=active)
    assert [row.get_attribute(f"aria-{name}") for name in ("level", "selected", "posinset", "setsize")] == [
        "2",
        "true",
        "2",
        "2",
    ]
    assert row.get_attribute("role") == "treeitem" and page.get_attribute(OUTLINE, "role") == "tree"
    assert "Step 1, score 0.02, pruned" in str(row.get_attribute("aria-label"))
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("id => document.getElementById(id)?.getAttribute('aria-expanded') === 'false'", arg=active)


def test_typing_goes_to_the_row_that_begins_so(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run(), query="?run=read&view=outline")
    page.evaluate("document.addEventListener('keydown', event => { window.heard = (window.heard ?? '') + event.key; })")
    page.focus(OUTLINE)
    page.keyboard.type("bec")
    page.wait_for_selector(f'{TREE}[data-selected="4"]')
    assert page.evaluate("window.heard") is None, "what is typed ahead presses no key of the page"
    page.keyboard.press("?")
    assert page.evaluate("window.heard").endswith("?")


def test_one_selection_in_all_views_and_the_address(tree_page: Callable[..., Any], tree_app: Any) -> None:
    page = tree_page(run(), query="?run=read")
    spot = page.evaluate(f"document.querySelector('{TREE}').searchTree.position(3)")
    page.mouse.click(spot["x"], spot["y"])
    page.wait_for_selector(f'{TREE}[data-selected="3"]')
    show(page, "outline")
    page.wait_for_selector(f"{OUTLINE} [aria-selected=true]")
    assert "Add <img" in selected_row(page)
    page.click(f"{OUTLINE} .st-row:has-text('Another count')")
    page.wait_for_selector(f'{TREE}[data-selected="5"]')
    show(page, "icicle")
    page.wait_for_selector(f"{TREE} .iciclelayer .slice")
    spot = page.evaluate(f"document.querySelector('{TREE}').searchTree.position(4)")
    page.mouse.click(spot["x"], spot["y"])
    page.wait_for_selector(f'{TREE}[data-selected="4"]')
    assert page.evaluate("location.search") == "?run=read&node=4&view=icicle"
    assert page.locator(f"{TREE} .iciclelayer .slice").count() == 6, "a click selects and does not zoom"
    page.focus(f"{TREE} .st-plot")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector(f'{TREE}[data-selected="1"]')
    show(page, "tree")
    assert page.evaluate("location.search") == "?run=read&node=1"
    page.wait_for_function("document.querySelector('#says textarea').value === 'node 1'")
    assert tree_app.picked[0] == 3


def test_the_address_opens_a_view_in_a_colour(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run(), query="?run=read&view=icicle&color=logprob")
    page.wait_for_selector(f'{TREE}[data-view="icicle"][data-colour="logprob"]')
    assert page.input_value(f"{TREE} .st-colour") == "logprob"
    page.select_option(f"{TREE} .st-colour", "rank")
    page.wait_for_selector(f'{TREE}[data-colour="rank"]')
    assert page.evaluate("location.search") == "?run=read&view=icicle&color=rank"


def scale(page: Any, name: str) -> dict[str, Any]:
    """What a scale says of the nodes 1 to 5."""
    return dict(page.evaluate(
        f"""async name => {{
          const m = await import(new URL('rte/tree_colours.js', document.baseURI));
          const scale = m.scaleOn(document.querySelector('{TREE}').searchTree.view.shown, name, {{unscored: 'grey'}});
          const ids = [1, 2, 3, 4, 5];
          return {{id: scale.id, says: ids.map(scale.says), at: ids.map(i => scale.shares[i])}};
        }}""", name
    ))  # fmt: skip


def test_colours_mean_what_is_chosen(tree_page: Callable[..., Any]) -> None:
    backups = "".join(
        decide_line(node, "backup", reason="mean", numbers={"visits": visits, "mean": mean})
        for node, visits, mean in ((1, 8, 0.5), (2, 1, 0.25))
    )
    truth = "".join(truth_line(node, right) for node, right in ((1, True), (2, False), (4, True), (5, False)))
    page = tree_page(run(more=backups + truth, other=True))
    offered = page.locator(f"{TREE} .st-colour option").all()
    assert [option.get_attribute("value") for option in offered] == [
        "score", "rank", "logodds", "path", "logprob", "value", "visits", "truth", "gap", "rankgap", "leaves",
    ]  # fmt: skip
    assert scale(page, "rank")["at"] == [0.75, 0.25, 0, 1, 0.5]
    odds = scale(page, "logodds")["at"]
    assert odds[2] == 0 and odds[3] == 1 and 0.2 < odds[1] < 0.25 and 0.74 < odds[0] < 0.76
    assert scale(page, "path")["says"] == [".97", ".02", ".0003", ".97", ".01"]
    assert scale(page, "logprob")["says"] == [".90", ".82", ".74", ".67", ".61"]
    assert scale(page, "value")["says"] == [".50", ".25", "", "", ""]
    assert scale(page, "visits")["at"] == [1, 0, None, None, None]
    assert scale(page, "truth")["says"] == ["right", "wrong", "", "right", "wrong"]
    assert scale(page, "gap")["says"] == ["+.94", "−.96", "−.9994", "+.9992", "−.18"]
    assert scale(page, "rankgap")["says"] == ["+.50", "−.50", "−1.00", "+1.00", "+.00"]
    assert scale(page, "leaves")["at"] == [0.5, None, 0, 1, None]
    page.select_option(f"{TREE} .st-colour", "gap")
    page.wait_for_selector(f'{TREE}[data-colour="gap"]')
    assert "second higher" in page.inner_text(f"{TREE} .st-scale")


def test_how_sure_the_policy_was_is_shown_from_the_least_to_the_most_of_the_tree(tree_page: Callable[..., Any]) -> None:
    lines = [run_line("sure", "?")]
    for node, confidence in ((1, 15.0), (2, 14.0), (3, 16.0), (4, None), (5, 14.5)):
        lines.append(node_line(node, 0, f"step {node}", tokens=4, confidence=confidence, certainty=20.0 + node))
    page = tree_page("".join([*lines, end_line()]), query="?run=sure&color=confidence")
    page.wait_for_selector(f'{TREE}[data-colour="confidence"]')
    assert scale(page, "confidence")["says"] == ["15.0", "14.0", "16.0", "", "14.5"]
    assert scale(page, "confidence")["at"] == [0.5, 0, 1, None, 0.25]
    assert scale(page, "certainty")["at"] == [0, 0.25, 0.5, 0.75, 1]
    said = page.inner_text(f"{TREE} .st-scale").split("\n")
    assert said[0] == "confidence, nats 14.0" and said[-1] == "16.0"


def test_only_what_a_run_has_is_offered(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run_line("bare", "?") + node_line(1, 0, "one") + end_line(), query="?run=bare&color=truth")
    offered = page.locator(f"{TREE} .st-colour option").all()
    assert [option.get_attribute("value") for option in offered] == ["score"]
    assert page.get_attribute(TREE, "data-colour") == "score"


def test_what_was_not_weighed_has_words_of_its_own(tree_page: Callable[..., Any]) -> None:
    page = tree_page(run(), query="?run=read&node=5")
    page.wait_for_selector(f'{TREE}[data-selected="5"]')
    assert page.inner_text(f"{TREE} .st-says") == "step 2, score 0.41, not explored: 8 reached"
    inner = (
        run_line("bon", "?") + node_line(1, 0, "one") + node_line(2, 1, "two", finish="eos") + decide_line(2, "finish")
    )
    page = tree_page(inner + end_line(), query="?run=bon&node=1")
    page.wait_for_selector(f'{TREE}[data-selected="1"]')
    assert page.inner_text(f"{TREE} .st-says") == "step 1, not scored, continued"
    page.mouse.move(*page.evaluate(f"(s => [s.x, s.y])(document.querySelector('{TREE}').searchTree.position(1))"))
    page.wait_for_selector(f"{TREE} .st-tip:not([hidden])")
    assert page.inner_text(f"{TREE} .st-tip-head").startswith("Step 1,")
    assert page.inner_text(f"{TREE} .st-tip-foot").endswith("node 1")


def test_subtrees_that_are_searched_apart_are_told_apart(tree_page: Callable[..., Any]) -> None:
    lines = [run_line("dvts", "?")]
    for head in (1, 2, 3):
        lines += [node_line(head, 0, f"head {head}"), node_line(head + 3, head, "child")]
        lines += [
            decide_line(head, "keep", reason="subtree_rank", numbers={"subtree": lane})
            for lane in {1: (0, 3), 2: (1,), 3: (2,)}[head]
        ]
    page = tree_page("".join([*lines, end_line()]), query="?run=dvts&node=1")
    page.wait_for_selector(f'{TREE}[data-selected="1"]')
    page.wait_for_function(f"document.querySelectorAll('{TREE} .shapelayer path').length === 4")  # and the ring
    assert "subtrees 1, 4" in page.inner_text(f"{TREE} .st-says")
    assert {"subtrees 1, 4", "subtree 2", "subtree 3"} <= set(
        page.locator(f"{TREE} .textpoint text").all_text_contents()
    )
    assert page.is_visible(f"{TREE} .st-lanes")


def test_whole_texts_come_when_they_are_read(explore: Callable[..., Any], app: Any) -> None:
    """The lines carry the beginnings of texts; the outline has all of them, and a filter finds words in them."""
    long = "We count the pencils one by one, then the boxes, and " * 2 + "in the end there is a zebra: $x^2$."
    run_id = app.recorded([
        RunStarted(new_run_id(), "2026-01-02T03:04:05.678Z", "?", "3", "beam_search", PARAMS, POLICY, SCORER),
        StepSampled(1, 1, 0, 1, long, None, 5, -1.5, "eos", answer="3"),
        StepScored(2, 1, SCORER.name, 0.5),
        Decision(3, 1, "finish", "eos"),
        Decision(4, 1, "choose", "rule", {"weight": 0.5, "votes": 1, "of": 1, "score": 0.5}),
        RunFinished("done", None, "3", True, "exact", None, {"3": Grade("3", True, "exact")}),
    ])  # fmt: skip
    page = explore(f"/?run={run_id}&view=outline")
    page.wait_for_selector("#tree .st-outline math")
    assert "there is a zebra" in page.inner_text("#tree .st-outline")
    page.click("#tree .st-find")
    page.fill("#tree .st-filter [name=text]", "zebra")
    page.wait_for_function("document.querySelector('#tree .st-found').textContent === '1 of 1 steps'")


def test_keys_alone_lead_from_the_address_bar_to_a_wrong_step_and_its_reason(
    explore: Callable[..., Any], app: Any
) -> None:
    numbers = {"of": 2, "k": 1, "draws": 1, "cut_off": 0.5}
    run_id = app.recorded([
        RunStarted(new_run_id(), "2026-01-02T03:04:05.678Z", "?", "3", "beam_search", PARAMS, POLICY, SCORER),
        StepSampled(1, 1, 0, 1, "1 + 1 = 2.", None, 5, -1.5, "step"),
        StepSampled(2, 2, 0, 1, "1 + 1 = 3.", None, 5, -1.5, "step"),
        StepScored(3, 1, SCORER.name, 0.5),
        StepScored(4, 2, SCORER.name, 0.4),
        StepScored(5, 1, "step checker", 1.0, "exact"),
        StepScored(6, 2, "step checker", 0.0, "exact"),
        Decision(7, 1, "keep", "rank", numbers | {"rank": 1, "slots": 1, "score": 0.5}),
        Decision(8, 2, "prune", "rank", numbers | {"rank": 2, "slots": 0, "score": 0.4}),
        RunFinished("stopped"),
    ])  # fmt: skip
    page = explore(f"/?run={run_id}&color=truth")
    page.wait_for_selector("#tree .search-tree[data-colour=truth]")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('st-plot')"):
            break
    page.keyboard.press("x")
    page.wait_for_selector("#tree .search-tree[data-selected='2']")
    assert "a wrong step" in page.inner_text("#tree .st-says")
    page.wait_for_function("document.querySelector('#detail-facts')?.innerText.includes('rank 2 of 2')")
