"""How much of a text is shown: formulas that a browser can typeset, words and steps of any length, no steering."""

from __future__ import annotations

import html
import json
import re

import pytest

from engine.domains.maths.markdown import markdown
from tts_ui.cli.terminal import json_text, printable
from tts_ui.web.parts.steps import rest
from tts_ui.words import texts


@pytest.mark.parametrize(
    "formula",
    [
        "$" + "\\frac{" * 150 + "1" + "}{2}" * 150 + "$",
        "$" + "\\frac{" * 150 + "$",
        "$$" + "x^{" * 50 + "2" + "}" * 50 + "$$",
        "\\[" + "\\left(" * 50 + "1" + "\\right)" * 50 + "\\]",
        "\\(" + "\\begin{matrix}" * 30 + "1" + "\\end{matrix}" * 30 + "\\)",
        "$" + "\\sqrt" * 500 + "2$",
        "$" + "\\sqrt " * 30 + "2$",
        "$" + "1 + " * 5_000 + "1$",
    ],
)
def test_a_formula_too_deep_or_too_long_is_shown_as_it_was_written(formula: str) -> None:
    source = markdown(f"so {formula} holds")
    assert "$" not in source and "\\" not in source
    assert html.unescape(source) == f"so {formula} holds"


def test_many_formulas_are_typeset_up_to_a_limit() -> None:
    source = markdown(" ".join(["$a_1 + b_2$"] * 5_000))
    assert 100 < source.count("$a_1") < 1_000


@pytest.mark.parametrize(
    "formula", [r"$\frac{\sqrt{\frac{1}{2}}}{\left(x^{2^{y}}\right)}$", r"$\alpha\beta\gamma = 3$"]
)
def test_what_people_write_is_typeset(formula: str) -> None:
    assert formula in markdown(f"so {formula} holds")


def test_the_rest_of_a_long_text_is_there_on_demand_in_short_lines() -> None:
    text = "x" * 1_000_000
    assert len(texts.rendered(text)) < 10_100
    folded = rest(text)
    assert folded.startswith('<details class="rest"><summary>The other 990,000 characters, as plain text</summary>')
    lines = re.findall(r"<div>(.*?)</div>", folded)
    assert max(map(len, lines)) <= 500 and 100_000 < sum(map(len, lines)) <= 200_000
    assert "790,000 more characters are in the run's export" in folded
    assert rest("a short one") == "" and texts.rendered("a short one") == "a short one"
    harm = rest("y" * texts.RENDERED + "<script>alert(1)</script>")
    assert "<script>" not in harm and "&lt;script&gt;" in harm


#: C1 controls, the marks and overrides of the direction of writing, line separators, half a character.
STEERING = "".join(map(chr, [*range(0x80, 0xA0), 0x61C, 0x200E, 0x200F, 0x2028, 0x202E, 0x2066, 0x2069, 0x7F, 0xD800]))


def test_a_terminal_is_not_steered() -> None:
    assert printable(f"a{STEERING}b") == f"a{chr(0xFFFD) * len(STEERING)}b"
    written = json_text({"text": f"a{STEERING}b \u00e9\u4e09"})
    assert not set(STEERING) & set(written) and "\u00e9\u4e09" in written
    assert json.loads(written) == {"text": f"a{STEERING}b \u00e9\u4e09"}
