"""A translation of the interface: read, and held against the English texts before anything is served."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import Any

from engine.errors import InvalidInput
from tts_ui.words.interface import Language, Text, english, read

#: The section that says which language it is.
_ABOUT = "language"
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
#: What is in a rule: it is given to scripts, too.
_RULE = re.compile(r"[n\d\s?:%&|<>=!()+-]+")
#: Numbers for which a rule must name a form.
_NUMBERS = range(1000)
_ENGLISH_FORMS, _ENGLISH_RULE = 2, Language().plural


def translation(path: Path) -> Language:
    """The translation in a file, or in the `*.toml` files of a folder. It may leave texts out: these stay English.

    Its section `language` may give its `tag` (such as "de") and, where texts that depend on a number have other forms
    than in English, how many `forms` there are and the `plural` rule that numbers them, as gettext writes it.

    Raises `InvalidInput` for a file that cannot be read, and for texts that the interface has not, or that have other
    placeholders than the English ones.
    """
    try:
        found: dict[str, Any] = dict(read(path))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        said = " ".join(str(why).split())
        raise _refused(f"{path} cannot be read ({said}); see docs/translating.md for how it is written") from error
    if not found:
        raise _refused(f"{path} has no texts; give a file, or a folder with files that end in .toml")
    about, forms = _about(found.pop(_ABOUT, {}))
    for part, named in found.items():
        if part not in english():
            raise _refused(f"[{part}] is no section of the interface; it has {', '.join(english())}")
        for name, text in named.items():
            _check(f"{part}.{name}", english()[part].get(name), text, forms)
    return replace(about, texts=found)


def _about(told: Mapping[str, Any]) -> tuple[Language, int]:
    """The language, without its texts, and how many forms those have."""
    if not told.keys() <= {"tag", "forms", "plural"}:
        raise _refused(f"[{_ABOUT}] takes tag, forms and plural")
    tag, forms, plural = told.get("tag", "und"), told.get("forms", _ENGLISH_FORMS), told.get("plural", _ENGLISH_RULE)
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise _refused(f"{_ABOUT}.tag {tag!r} is no tag of a language; give one like de or pt-BR")
    try:
        form = gettext.c2py(plural)
        if not _RULE.fullmatch(plural) or not isinstance(forms, int) or any(not 0 <= form(n) < forms for n in _NUMBERS):
            raise ValueError
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise _refused(
            f"{_ABOUT}.plural {plural!r} is no rule that numbers {forms} forms from 0; give one like {_ENGLISH_RULE!r}"
        ) from error
    return Language(tag, plural, form), forms


def _check(name: str, known: Text | None, text: object, forms: int) -> None:
    if known is None:
        raise _refused(f"{name} is no text of the interface; see its files for what there is")
    if isinstance(known, str):
        if not isinstance(text, str):
            raise _refused(f"{name} is one text; write it in quotation marks")
        said = [text]
    else:
        if not isinstance(text, list) or len(text) != forms or not all(isinstance(form, str) for form in text):
            raise _refused(f"{name} is a list of {forms} texts, one for each form; see docs/translating.md")
        said = text
    wanted = set(_placeholders(name, [known] if isinstance(known, str) else known))
    given = set(_placeholders(name, said))
    fields = {field for field, _ in wanted}
    if lacking := sorted(fields - {field for field, _ in given}):
        raise _refused(f"{name} lacks {_braced(lacking)}; the English text is {known!r}")
    if strange := sorted(field for field, how in given if field not in fields or (how and (field, how) not in wanted)):
        raise _refused(f"{name} has {_braced(strange)}, which the English text has not: {known!r}")


def _placeholders(name: str, said: list[str]) -> Iterator[tuple[str, str]]:
    """What is to be filled in, and how it is written there."""
    for text in said:
        if not text.strip():
            raise _refused(f"{name} is empty; leave it out to keep the English text")
        try:
            parts = list(Formatter().parse(text))
        except ValueError as error:
            raise _refused(f"{name}: {error}; a brace that is no placeholder is written twice") from error
        yield from ((field, f"{how or ''}{as_ or ''}") for _, field, how, as_ in parts if field is not None)


def _braced(fields: list[str]) -> str:
    return ", ".join(f"{{{field}}}" for field in fields)


def _refused(why: str) -> InvalidInput:
    return InvalidInput("words", why)
