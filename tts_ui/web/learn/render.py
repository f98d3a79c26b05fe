"""A lesson as HTML. Its words are the product's own; what a model or a person wrote is never among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from math import isclose

from markdown_it import MarkdownIt

from tts_ui.web.learn.effects import Effect, effects
from tts_ui.web.learn.texts import Lesson, Row
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

_FIGURE = re.compile(r"\{([a-z0-9.]+)([!#]?)\}")
_PICK = re.compile(r'<a href="pick:([ab])\.([a-z-]+)">(.*?)</a>')


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def filled(text: str) -> str:
    """The figures in their places. Raises `KeyError` for one that was not measured."""
    return _FIGURE.sub(lambda found: _said(effects().by_name[found[1]], found[2]), text)


def _said(effect: Effect, how: str) -> str:
    return str(effect.problems) if how == "#" else effect.said(interval=how == "!")


def rich(text: str, points: Mapping[str, int] | None = None) -> str:
    """Paragraphs of Markdown as HTML; on paper, without `points`, what selects a step is only its words."""
    return _PICK.sub(lambda found: _pick(found[1], found[2], found[3], points), _markdown().render(filled(text)))


def line(text: str) -> str:
    """One line of Markdown, without a paragraph around it."""
    return str(_markdown().renderInline(filled(text)))


def _pick(tree: str, name: str, says: str, points: Mapping[str, int] | None) -> str:
    if points is None:
        return says
    node = points[f"{tree}.{name}"]
    return f'<button type="button" class="link" data-pick="{node}" data-tree="tree-{tree}">{says}</button>'


def terms(lesson: Lesson) -> str:
    listed = "".join(f"<dt>{escape(word)}</dt><dd>{line(means)}</dd>" for word, means in lesson.terms.items())
    return f"<dl>{listed}</dl>"


def figures(lesson: Lesson) -> str:
    """The rows as bars, amounts below them, and the differences with what they show."""
    shares, amounts = shares_and_amounts(lesson)
    count = str(max(_effect(row).problems for row in lesson.rows))
    caption = filled(lesson.caption) or say("learn.effect_of", problems=count)
    said = _table(caption, shares, most=1.0) if shares else ""
    said += _table(say("learn.effect_amounts"), amounts, most=None) if amounts else ""
    rows = "".join(_difference(row) for row in lesson.differences)
    head = marked("learn.differences")
    told = f'<table class="learn-figures"><caption>{head}</caption><tbody>{rows}</tbody></table>' if rows else ""
    return f'{said}{told}<p class="hint">{marked("learn.interval_means")}</p>'


def shares_and_amounts(lesson: Lesson) -> tuple[list[Row], list[Row]]:
    """The figures that are shares of problems or steps, and those that are amounts."""
    shares = [row for row in lesson.rows if _effect(row).kind == "share"]
    return shares, [row for row in lesson.rows if row not in shares]


def verdict(effect: Effect) -> str:
    """What a difference shows, in a word."""
    return "tied" if not effect.excludes_zero else "more" if effect.mean > 0 else "less"


def _effect(row: Row) -> Effect:
    return effects().by_name[row.effect]


def _table(caption: str, rows: list[Row], most: float | None) -> str:
    top = most or max(_effect(row).mean for row in rows)
    body = "".join(_bar(row, _effect(row), top) for row in rows)
    return f'<table class="learn-figures"><caption>{escape(caption)}</caption><tbody>{body}</tbody></table>'


def _bar(row: Row, effect: Effect, top: float) -> str:
    """The range is drawn over the end of the bar, and stands in words beside it."""
    low, mean, high = (100 * min(1.0, value / top) for value in (effect.low, effect.mean, effect.high))
    whisker = "" if isclose(low, high) else f'<u style="left:{low:.1f}%;width:{high - low:.1f}%"></u>'
    drawn = f'<span class="learn-bar" aria-hidden="true"><i style="width:{mean:.1f}%"></i>{whisker}</span>'
    return (
        f'<tr><th scope="row">{line(row.label)}</th><td class="learn-number">{effect.said()}</td>'
        f'<td class="learn-drawn">{drawn}</td><td class="learn-range">{_range(effect)}</td></tr>'
    )


def _difference(row: Row) -> str:
    effect = _effect(row)
    shown = verdict(effect)
    return (
        f'<tr><th scope="row">{line(row.label)}</th><td class="learn-number">{effect.said()}</td>'
        f'<td class="learn-verdict {shown}">{marked(f"learn.difference_{shown}")}</td>'
        f'<td class="learn-range">{_range(effect)}</td></tr>'
    )


def _range(effect: Effect) -> str:
    """The interval as words, in the unit of the figure; amounts have none."""
    if isclose(effect.low, effect.high):
        return ""
    low, high = (Effect(effect.kind, end, end, end, effect.problems).said() for end in (effect.low, effect.high))
    return marked("learn.from_to", low=low, high=high)
