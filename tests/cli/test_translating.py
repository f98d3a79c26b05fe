"""`tts-ui serve --words`: the pages speak another language, and a translation with a mistake stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import Cli
from support.serving import serving
from support.visitor import Visitor

GERMAN = """
[language]
tag = "de"

[asking]
run = "Los"
problem = "Aufgabe {{in Worten}}"

[shell]
runs = "Läufe & Bäume"

[runs_page]
find = 'Läufe "finden"'

[lab]
most_says = "Bis {most:,} Läufe"
"""
POLISH = """
[language]
tag = "pl"
forms = 3
plural = "n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"
[durations]
day = ["{n} dzień", "{n} dni", "{n} dni"]
week = ["{n} tydzień", "{n} tygodnie", "{n} tygodni"]
"""

#: What a translation says, and what it is refused with.
MISTAKES = [
    ("[asking", "cannot be read (Expected ']'"),
    ("", "has no texts"),
    ("asking = 3", "cannot be read (asking stands outside all sections)"),
    ('[askign]\nrun = "Los"', "[askign] is no section of the interface; it has "),
    ('[asking]\nwalk = "Geh"', "asking.walk is no text of the interface"),
    ('[asking]\nrun = ""', "asking.run is empty; leave it out to keep the English text"),
    ('[asking]\nrun = "Los {'+"now"+'}"', "asking.run has {now}, which the English text has not: 'Run'"),
    ('[asking]\nrun = "Los {"', "asking.run: "),
    ('[asking]\nrun = ["Los"]', "asking.run is one text; write it in quotation marks"),
    ('[compare]\nstrategy = "Strategie"', "compare.strategy lacks {letter}; the English text is '{letter}: strategy'"),
    ('[compare]\nstrategy = "{letter.__class__}"', "compare.strategy lacks {letter}"),
    ('[compare]\nstrategy = "{letter:>99999999}"', "compare.strategy has {letter}, which the English text has not"),
    ('[counts]\nsteps = "{count} Schritte"', "counts.steps is a list of 2 texts, one for each form"),
    ('[counts]\nsteps = ["{count} Schritt"]', "counts.steps is a list of 2 texts, one for each form"),
    ('[counts]\nsteps = ["ein Schritt", "Schritte"]', "counts.steps lacks {count}"),
    ('[language]\nname = "Deutsch"', "[language] takes tag, forms and plural"),
    ('[language]\ntag = "<b>"', "language.tag '<b>' is no tag of a language"),
    ('[language]\nplural = "n > 1 ? 2 : 0"', "language.plural 'n > 1 ? 2 : 0' is no rule that numbers 2 forms from 0"),
    ('[language]\nplural = "import os"', "language.plural 'import os' is no rule"),
    ('[language]\nplural = "100 / n"', "language.plural '100 / n' is no rule"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), MISTAKES)
def test_a_mistake_is_told_in_one_line_before_anything_is_served(
    text: str, why: str, tts_ui: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "words.toml"
    file.write_text(text, encoding="utf-8")
    outcome = tts_ui("serve", "--port", "0", "--words", file)
    assert outcome.code == 2 and outcome.err.startswith("tts-ui: --words: ") and why in outcome.err, outcome.err
    assert outcome.err.count("\n") == 1 and not outcome.out


def test_a_file_that_is_not_there_is_named(tts_ui: Cli, tmp_path: Path) -> None:
    outcome = tts_ui("serve", "--port", "0", "--words", tmp_path / "none.toml")
    assert outcome.code == 2 and "none.toml cannot be read (No such file or directory)" in outcome.err


def test_the_pages_say_what_the_translation_says_and_the_rest_in_english(tmp_path: Path) -> None:
    words = tmp_path / "german"
    words.mkdir()
    (words / "all.toml").write_text(GERMAN, encoding="utf-8")
    with serving(tmp_path) as serve:
        url = serve("--port", "0", "--words", str(words))
        explore, runs = (Visitor(url, "translated", page).config for page in ("", "runs"))
    labels = {each["props"].get("label") for each in explore["components"]}
    values = {str(each["props"].get("value")) for each in explore["components"]}
    assert "Aufgabe {in Worten}" in labels and "Examples" in labels and "Problem" not in labels
    assert "Los" in values and "Stop" in values and "Run" not in values
    header = next(value for value in values if "<header>" in value)
    assert ">Läufe &amp; Bäume</a>" in header and ">Compare</a>" in header
    skeletons = [each["props"].get("html_template") or "" for each in runs["components"]]
    assert any('aria-label="Läufe &quot;finden&quot;"' in each and ">Clear filters<" in each for each in skeletons)


def test_a_language_may_have_more_forms_than_english(tmp_path: Path) -> None:
    file = tmp_path / "polish.toml"
    file.write_text(POLISH, encoding="utf-8")
    with serving(tmp_path) as serve:
        url = serve("--port", "0", "--words", str(file), "--public", "--keep", "5w")
        limits = Visitor(url, "translated", "limits").config
    props = [each["props"] for each in limits["components"]]
    shown = next(each["value"] for each in props if each.get("elem_id") == "limits")
    assert "5 tygodni after they ended" in shown
