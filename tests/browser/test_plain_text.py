"""Model text as Markdown source, and the pieces of HTML around the tree: pure functions, no browser."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from engine.domains.maths.markdown import markdown
from engine.search.events import Decision, Grade, ModelInfo, StepSampled, StepScored, Usage
from engine.search.selection import RULES
from engine.search.tree import Tree
from engine.store import RunRecord
from engine.store.owner import this_process
from tts_ui.web.parts import bills, fragments

HARM = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' x='",
    "&lt;b>",
]

# --- Markdown ------------------------------------------------------------------------------------------------------


def read(source: str) -> str:
    """What a reader of the Markdown sees outside formulas."""
    return html.unescape(source.replace("<br>", "\n"))


@pytest.mark.parametrize(
    "text",
    [
        "## Step 1: add",
        "$5 and $6",
        "it costs $5 or 6 $ in all",
        "[x](javascript:alert(1))",
        "a_b_c * d * e `f` ~~g~~ | h | i",
        "1. one\n2. two\n\n    indented",
        "{{7*7}} ${alert(1)}",
        "caf\u00e9 \u2264 \u4e09",
        *HARM,
    ],
)
def test_what_is_no_formula_is_shown_letter_by_letter(text: str) -> None:
    source = markdown(text)
    assert read(source) == text
    assert not re.search(r"[<>\[\]$`*_#|~{}\\]", re.sub(r"<br>|&#\d+;", "", source))


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("so $x^2$ is", "$x^2$"),
        ("$$\\frac{1}{2}$$", "$$\\frac{1}{2}$$"),
        ("\\(a+b\\)", "\\(a+b\\)"),
        ("\\[a\\]", "\\[a\\]"),
        ("the answer: \\boxed{42}", "$\\boxed{42}$"),
        ("\\boxed{\\frac{1}{2}}", "$\\boxed{\\frac{1}{2}}$"),
        ("$a<b$", "$a\\lt b$"),
        ("$<img src=x onerror=alert(1)>$", "$\\lt img src=x onerror=alert(1)\\gt $"),
    ],
)
def test_formulas_stay_formulas(text: str, formula: str) -> None:
    source = markdown(text)
    assert formula in source
    assert "<" not in source


def test_blank_text_is_nothing() -> None:
    assert markdown("") == ""
    assert markdown("\n\n") == ""


# --- fragments -----------------------------------------------------------------------------------------------------


def a_tree(text: str = "2 + 2 = 4") -> Tree:
    """Node 1 kept, node 2 pruned below the root; node 3 the chosen leaf below node 1."""
    tree = Tree(text)
    numbers = {"rank": 2, "of": 2, "k": 1, "cut_off": 0.44, "score": 0.41}
    for event in (
        StepSampled(1, 1, 0, 1, text, None, 7, -1.25, "step", copies=3),
        StepSampled(2, 2, 0, 1, text, None, 5, None, "step"),
        StepScored(3, 1, "prm", 0.44),
        StepScored(4, 2, "prm", 0.41),
        Decision(5, 1, "keep", "rank", numbers | {"rank": 1, "score": 0.44}),
        Decision(6, 2, "prune", "rank", numbers),
        StepSampled(7, 3, 1, 2, text, None, 1240, -2.0, "eos", answer=text),
        StepScored(8, 3, "prm", 0.9),
        Decision(9, 3, "finish", "eos"),
        Decision(10, 3, "choose", "rule", {"weight": 0.9, "votes": 1, "of": 1, "score": 0.9}),
    ):
        tree.apply(event)
    return tree


def a_record(text: str = "4", **changes: Any) -> RunRecord:
    values: dict[str, Any] = {
        "run_id": "01abc", "created_at": "", "problem": text, "reference_answer": text, "strategy": "beam_search",
        "params": {"n": 4, "width": 2, "select": "prm_last_vote"}, "policy": ModelInfo(text, 520_000, 512),
        "scorer": ModelInfo("prm", 1, 512), "status": "done", "stop_reason": None, "origin": "search",
        "parent_run": None, "fork_node": None, "answer": text, "correct": True, "graded_by": "exact", "error": None,
        "grades": {text: Grade(text, True, "exact")}, "comparison_id": None, "sweep_id": None, "product_version": "",
        "usage": Usage(generated_tokens=1240, scored_tokens=1310, flops_paper=5e8, flops_all=9e8, wall_s=0.4),
        "owner": this_process(),
        "heartbeat": 0.0,
    }  # fmt: skip
    return RunRecord(**values | changes)


def words(fragment: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</?[bi]>", "", fragment))).split())


class Tags(HTMLParser):
    """The names of all tags and attributes, as a browser would find them."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(fragment)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attributes)}


def everything(record: RunRecord, tree: Tree) -> str:
    pages = [
        fragments.strip(record, tree),
        fragments.answers(record, tree, record.judge),
        fragments.rules(record, tree, record.judge),
        bills.cost(record),
    ]
    for node in tree.nodes:
        shown = (record, tree, node, record.judge)
        pages += [fragments.detail_head(*shown), fragments.detail(*shown)]
    return "".join(pages)


@pytest.mark.parametrize("text", HARM)
def test_fragments_hold_no_tag_of_the_models(text: str) -> None:
    shown = everything(a_record(text, params={"n": text, "select": "prm_last_vote"}), a_tree(text))
    assert text not in shown
    assert html.escape(text) in shown
    assert Tags(shown).found.isdisjoint({"script", "img", "onmouseover", "onerror", "x"})
    assert html.escape(text) in fragments.strip(a_record(error=text, status="failed"), a_tree())


def test_the_strip_says_what_came_out_and_what_it_cost() -> None:
    said = words(fragments.strip(a_record("2 + 2 = 4"), a_tree()))
    cost = "1,240 tokens PRM 1,310 900 MFLOP 0.4 s"
    assert said == f"Answer 2 + 2 = 4 \u2713 correct 1 of 1 votes, weight 0.90 {cost} Compare this"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": "done", "answer": None, "correct": False}, "no answer"),
        ({"status": "stopped", "answer": None, "correct": None}, "stopped, no answer"),
        ({"status": "interrupted", "answer": None, "correct": None}, "interrupted"),
        ({"status": "failed", "error": "the disk is full"}, "failed the disk is full"),
        ({"status": "running", "answer": None, "correct": None}, "searching 3 steps, 1 finished"),
        ({"correct": False}, "\u2717 wrong"),
        ({"scorer": None, "params": {"n": 4, "select": "majority_vote"}}, "no PRM"),
    ],
)
def test_every_end_has_its_words(changes: dict[str, Any], says: str) -> None:
    assert says in words(fragments.strip(a_record(**changes), a_tree()))


def test_a_step_says_why_it_lives_or_died() -> None:
    record, tree = a_record(), a_tree()
    assert words(fragments.detail_head(record, tree, tree[2], record.judge)) == "Step 1 of 1 PRM 0.41 #2/2"
    assert words(fragments.detail_head(record, tree, tree[1], record.judge)) == "Step 1 of 2 PRM 0.44 #1/2"
    pruned, kept, chosen = (words(fragments.detail(record, tree, tree[node], record.judge)) for node in (2, 1, 3))
    assert "pruned: rank 2 of 2, cut-off 0.44" in pruned
    assert "log-probability n/a" in pruned and "drawn once" in pruned
    assert "kept: rank 1 of 2, 1 survive" in kept
    assert "on the chosen path" in kept and "drawn 3 times" in kept and "log-probability -1.25" in kept
    assert "chosen: 1 of 1 votes, weight 0.90" in chosen and "1,240 tokens" in chosen


def test_without_a_scorer_no_score_is_invented() -> None:
    record = a_record(scorer=None, params={"n": 4, "select": "majority_vote"})
    tree = Tree("2 + 2")
    tree.apply(StepSampled(1, 1, 0, 1, "4", None, 1, -0.5, "eos", answer="4"))
    tree.apply(Decision(2, 1, "finish", "eos"))
    assert not re.search("PRM|0\\.00", words(fragments.detail_head(record, tree, tree[1], record.judge)))
    assert 'class="bar"' not in fragments.detail(record, tree, tree[1], record.judge)


def test_hundreds_of_siblings_are_cut_to_the_best() -> None:
    tree = Tree("2 + 2")
    for node in range(1, 301):
        tree.apply(StepSampled(node, node, 0, 1, f"draw {node}", None, 1, -0.5, "step"))
        tree.apply(StepScored(1000 + node, node, "prm", node / 1000))
    shown = fragments.detail(a_record(), tree, tree[1], "prm")
    assert "Siblings (299)" in shown
    assert shown.count("<button") < 60
    assert words(shown).index("draw 300") < words(shown).index("draw 299")
    assert "259 more" in words(shown)


def test_one_run_is_read_under_every_rule() -> None:
    said = fragments.rules(a_record(), a_tree(), "prm")
    assert len(re.findall("<tr", said)) == 1 + len(RULES)
    assert said.count('class="own"') == 1
    for name in RULES:
        assert name in said
    unscored = fragments.rules(a_record(scorer=None, params={"select": "majority_vote"}), a_tree(), None)
    assert "majority_vote" in unscored
    assert "prm_" not in unscored
