"""What the page shows, as a document that its script puts in place: the list of lessons, and one of them."""

from __future__ import annotations

from typing import Any

from tts_ui.web.learn.effects import effects
from tts_ui.web.learn.recorded import recorded
from tts_ui.web.learn.render import figures, line, rich, terms
from tts_ui.web.learn.texts import Lesson, Link, lesson_named, lessons
from tts_ui.words.interface import say, texts
from tts_ui.words.interface.markup import marked


def document(name: str) -> dict[str, Any]:
    """The lesson of this name, if there is one, and the list of all."""
    found = lesson_named(name)
    return {
        "words": dict(texts()["learn"]),
        "lessons": [_row(lesson) for lesson in lessons()],
        "lesson": _lesson(found) if found else None,
        "unknown": bool(name) and found is None,
        "intro": f"<p>{marked('learn.index_intro')}</p><p>{marked('learn.index_models')}</p>",
    }


def _row(lesson: Lesson) -> dict[str, Any]:
    minutes = say("learn.minutes", minutes=lesson.minutes)
    return {"name": lesson.name, "title": lesson.title, "short": line(lesson.short), "minutes": minutes}


def _lesson(lesson: Lesson) -> dict[str, Any]:
    told = recorded(lesson.name)
    ids = dict(zip("ab", (side.run_id for side in told.sides), strict=False))
    here = lesson.number - 1
    count = len(lessons())
    return {
        **_row(lesson),
        "number": say("learn.lesson", number=lesson.number, count=count),
        "terms": terms(lesson),
        "problem": told.question.problem,
        "sides": len(told.sides),
        "before": rich(lesson.intro),
        "question": line(lesson.question),
        "choices": [{"id": choice.id, "text": line(choice.text)} for choice in lesson.choices],
        "answer": lesson.answer,
        "look": rich(lesson.look, told.points),
        "reveal": say("learn.reveal", problems=effects().by_name[lesson.rows[0].effect].problems),
        "figures": figures(lesson),
        "effect": rich(lesson.effect),
        "means": rich(lesson.means),
        "think": rich(lesson.think),
        "links": [_link(link, ids) for link in lesson.links],
        "next": _row(lessons()[here + 1]) if here + 1 < count else None,
        "previous": _row(lessons()[here - 1]) if here else None,
    }


def _link(link: Link, ids: dict[str, str]) -> dict[str, str]:
    return {"text": line(link.text), "to": link.to.format(**ids)}
