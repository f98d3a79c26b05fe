"""What a judge wrote, on the pages: text, never HTML, folded where it is long."""

from __future__ import annotations

from engine.runs.equal_flops import EqualVote
from engine.search.tree import Node
from tts_ui.web.parts.critiques import critiques
from tts_ui.words.equal_flops import vote_said

LONG = "Step 1 adds two numbers. " * 40


def node(**written: str) -> Node:
    scores = dict.fromkeys(written, 0.25)
    return Node(1, 0, 1, "So 4.", scores=scores, critiques=dict(written))


def test_a_critique_is_escaped() -> None:
    shown = critiques(node(prm="<img src=x onerror=alert(1)> & <b>so</b>"), "prm")
    assert "<img" not in shown and "<b>" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;so&lt;/b&gt;" in shown
    assert "<script" not in critiques(node(**{"<script>": "x"}), None)


def test_a_long_one_is_folded_and_a_short_one_is_not() -> None:
    assert '<details class="critique" open>' in critiques(node(prm="It adds up."), "prm")
    long = critiques(node(prm=LONG), "prm")
    assert '<details class="critique">' in long and "200 words, PRM 0.25" in long and LONG.strip() in long


def test_the_judge_that_is_shown_comes_first_and_no_critique_leaves_nothing() -> None:
    both = critiques(node(a="first", b="second"), "b")
    assert both.index("second") < both.index("first")
    assert critiques(node(), "b") == ""


def test_the_vote_says_what_is_missing() -> None:
    assert vote_said(EqualVote(23, 280.4, 40, "42", True)) == "23 samples of 280 tokens elect 42, correct"
    assert vote_said(EqualVote(23, 280.4, 8, "42", False)) == (
        "23 samples of 280 tokens; only 8 independent draws are recorded, 15 too few (they elect 42, wrong)"
    )
    assert "run majority_vote with N 23" in vote_said(EqualVote(23, 280.4, 0))
    assert vote_said(EqualVote(0, 280.4, 0)) == "the same FLOPs buy not one sample of 280 tokens"
