"""Lessons on paper: a handout with room for answers and no solutions, and the teacher's notes with them.

Pages of their own, without Gradio and without anything fetched: they are printed, or saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from tts_ui.web.learn.render import figures, line, rich, shares_and_amounts, terms
from tts_ui.web.learn.texts import Lesson, Row
from tts_ui.words.interface import NAME, language, say, texts
from tts_ui.words.interface.markup import marked

_STATIC = Path(__file__).parent.parent / "static" / "learn"
#: The page's policy names this script by its hash.
_PRINT = 'document.querySelector("button").onclick = () => window.print();'
_WRITE = '<p class="write" aria-hidden="true"></p>'


def handout(lessons: Sequence[Lesson]) -> str:
    """What pupils get: the questions with room for answers; the figures are filled in on the back of a sheet."""
    return _page(say("learn.paper_title"), [_handout(lesson) for lesson in lessons])


def notes(lessons: Sequence[Lesson]) -> str:
    """What the teacher gets: aim, minutes, what is usually guessed, answers, figures."""
    return _page(say("learn.notes_title"), [_notes(lesson) for lesson in lessons])


def _page(title: str, sheets: Sequence[str]) -> str:
    body = "".join(f'<section class="sheet">{sheet}</section>' for sheet in sheets)
    said = escape(title)
    return (
        f'<!doctype html><html lang="{language().tag}"><head><meta charset="utf-8"><title>{said} - {NAME}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{_sheet()}</style></head><body><main><p class="screen"><button type="button">'
        f"{marked('learn.paper_print')}</button></p>{body}</main><script>{_PRINT}</script></body></html>"
    )


@cache
def _sheet() -> str:
    return (_STATIC / "paper.css").read_text(encoding="utf-8")


def _head(lesson: Lesson, what: str) -> str:
    minutes = say("learn.minutes", minutes=lesson.minutes)
    return f"<header><h1>{lesson.number}. {escape(lesson.title)}</h1><p>{escape(what)}, {escape(minutes)}</p></header>"


def _handout(lesson: Lesson) -> str:
    said = {name: escape(text) for name, text in texts()["learn"].items() if isinstance(text, str)}
    ticks = "".join(f"<li>{line(choice.text)}</li>" for choice in lesson.choices)
    shares, amounts = shares_and_amounts(lesson)
    tables = _blank(line(lesson.caption) or said["paper_right"], [said["paper_share"], said["paper_range"]], shares)
    tables += _blank(said["effect_amounts"], [said["paper_amount"]], amounts) if amounts else ""
    return (
        f'{_head(lesson, say("learn.paper_title"))}<p class="name">{said["paper_name"]}:</p>{rich(lesson.intro)}'
        f"<h2>{said['paper_words']}</h2>{terms(lesson)}"
        f"<h2>{said['predict']}</h2><p>{line(lesson.question)} {said['paper_expect']}</p>"
        f'<ul class="ticks">{ticks}</ul><p>{said["paper_why"]}:</p>{2 * _WRITE}'
        f"<h2>{said['run']}</h2><p>{said['paper_tree']}:</p>{4 * _WRITE}"
        f'<div class="back"><h2>{said["effect"]}</h2><p>{said["paper_fill"]}:</p>{tables}'
        f"<h2>{said['think']}</h2>{rich(lesson.think)}{6 * _WRITE}</div>"
    )


def _blank(caption: str, columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A table to be filled in."""
    heads = "".join(f'<th scope="col">{column}</th>' for column in columns)
    cells = "<td></td>" * len(columns)
    body = "".join(f'<tr><th scope="row">{line(row.label)}</th>{cells}</tr>' for row in rows)
    return f"<table><caption>{caption}</caption><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _notes(lesson: Lesson) -> str:
    parts = [
        ("notes_aim", lesson.notes.aim), ("notes_guess", lesson.notes.guess), ("notes_answers", lesson.notes.answers),
        ("notes_not_shown", lesson.notes.not_shown),
    ]  # fmt: skip
    told = "".join(f"<h2>{marked(f'learn.{name}')}</h2>{rich(text)}" for name, text in parts)
    answer = next(choice.text for choice in lesson.choices if choice.id == lesson.answer)
    measured = marked("learn.measured", answer=line(answer))
    return (
        f"{_head(lesson, say('learn.notes_title'))}<p>{line(lesson.question)}</p><p><b>{measured}</b></p>{told}"
        f"<h2>{marked('learn.notes_figures')}</h2>{figures(lesson)}{rich(lesson.effect)}"
    )
