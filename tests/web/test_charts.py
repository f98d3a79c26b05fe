"""The charts' HTML: round ticks, true places, words for what is missing, and no text that could be markup."""

from __future__ import annotations

import re

import pytest

from tts_ui.web.compare.charts import Line, chart, token_ticks
from tts_ui.web.compare.curves import Curve


@pytest.mark.parametrize("most", [0, 1, 3, 7, 119, 1910, 2000, 2001, 123_456])
def test_ticks_are_few_whole_and_reach_the_most(most: int) -> None:
    ticks = token_ticks(most)
    assert ticks[0] == 0 and ticks[-1] >= max(1, most) and 2 <= len(ticks) <= 6
    assert len({b - a for a, b in zip(ticks, ticks[1:], strict=False)}) == 1


def test_a_line_is_a_stair_through_its_points_to_the_last_token() -> None:
    html = chart("Title", "note", [Line(1, "Beam search", Curve(((500, 0.25), (1000, 1.0))), 2000)])
    assert 'class="run-b"' in html and 'd="M250.0 750.0H500.0V0.0H1000.0"' in html
    assert "from 0.25 after 500 tokens to 1.00 after 2,000" in html
    assert 'd="M250.0 750.0h0M500.0 0.0h0"' in html


def test_what_is_not_drawn_is_named_with_the_reason() -> None:
    html = chart("Title", "note", [Line(0, "Greedy", Curve((), "no PRM was used"), 100)])
    assert "Not drawn: A Greedy: no PRM was used." in html
    assert "<path" not in html


def test_letters_do_not_cover_each_other() -> None:
    lines = [Line(place, "x", Curve(((10, 0.5),)), 10) for place in range(4)]
    heights = [float(found) for found in re.findall(r'style="bottom:([\d.]+)%">[A-D]<', chart("T", "n", lines))]
    assert heights == [50, 60, 70, 80]


def test_labels_are_text() -> None:
    html = chart("T", "n", [Line(0, "<img src=x>", Curve(((1, 1.0),)), 1)])
    assert "<img" not in html and "&lt;img" in html
