"""What the pages' scripts say stands in `tts_ui/words/interface/js_*.toml`: no script has a text of its own, none asks
for one that is not there, and none that is there is said nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pygments.lexers.javascript import JavascriptLexer  # type: ignore[import-untyped]
from pygments.token import Token  # type: ignore[import-untyped]
from support.places import ROOT

from tts_ui.web.components import page_words
from tts_ui.words.interface import Language, choose, english, texts

STATIC = ROOT / "tts_ui" / "web" / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
#: Which section the scripts of a folder say; those of the head have none.
SECTIONS = {folder: f"js_{folder}" for folder in {script.parent.name for script in SCRIPTS} - {"static", "learn"}}

_TAGS = r"(?:a|b|button|input|nav|select|summary|textarea)"
_SIMPLE = rf"(?:{_TAGS}?(?:[#.][\w-]+|\[[^\]]+\]|:[\w-]+\([^)]*\))+|{_TAGS})"
#: Strings with two words that nobody reads.
UNREAD = {
    "a selector": rf"{_SIMPLE}(?:,? {_SIMPLE})*",
    "a question about the screen": r"\((?:max-width|min-width|pointer|prefers-[\w-]+): \w+\)",
    "classes": r"badge run-|notice error|(?:primary|hint|link) learn-[\w-]+|score-values stale|step | here| unjudged",
    "a style": r"linear-gradient\(to right, |#tree-\$\{place\} \{.*",
    "a position of Plotly's": r"middle center",
    "letters whose width is measured": r"nine letters",
    "what a log calls the check; people read tree_words.js's sourceName": r"exact check",
    "what a log calls the judge that stands for a person": r"labels: ",
    "what the owner's server is asked": r"sign out",
    "a format of files": r"CSV|PNG|HTML",
    "a command": r"tts-ui sweep .*",
    "the form of a file": r'\{"problem": \.\.\., "steps": \[\.\.\.\]\}',
    "an error for the console": r"(?:could not load|no text:|no value:|no KaTeX:)\s?",
}
#: Where a string is shown, whatever it is: as a property or attribute of an element, or as its content.
_LITERAL = r"""(["'`])(?P<text>(?:(?!\1)[^$])*[A-Za-z]{2}.*?)\1"""
SHOWN = [
    re.compile(before + _LITERAL)
    for before in (
        r"\b(?:textContent|innerText|title|placeholder|alt|ariaLabel)\s*[:=]\s*",
        r"\baria: \{ label: ",
        r"""setAttribute\("(?:aria-(?:label|valuetext|description)|title|placeholder)", """,
        r"\b(?:button|link|Option|append|replaceChildren|say|alert|confirm)\((?<!\.say\()(?<!\bsay\()",
        r"\}, (?=[^)\n]*\))(?!new )",
    )
]


def code_of(source: str) -> list[tuple[str, bool]]:
    """The parts of a script without its comments, and whether each is a string."""
    parts = JavascriptLexer().get_tokens(source)
    return [(text, kind in Token.Literal.String) for kind, text in parts if kind not in Token.Comment]


def own_texts(source: str) -> Iterator[str]:
    """Strings of two words, and those that are shown."""
    parts = code_of(source)
    words = re.compile(r"[A-Za-z]{2}[^A-Za-z]*\s[^A-Za-z]*[A-Za-z]{2}|[a-z]{3,}[:.]? $|^ [a-z]{2,}")
    found = [text.strip("\"'`") for text, is_string in parts if is_string and words.search(text.strip("\"'`"))]
    code = "".join(text for text, _ in parts)
    found += [each["text"] for shown in SHOWN for each in shown.finditer(code)]
    yield from (said for said in found if not any(re.fullmatch(known, said) for known in UNREAD.values()))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_a_text_of_its_own(script: Path) -> None:
    assert list(own_texts(script.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        'this.says.textContent = "Scored.";',
        "x.title = `Done ${n}`;",
        'box.setAttribute("aria-label", "Speed");',
        'element("b", {}, "cut")',
        'make("th", { scope: "col" }, "spread"), other);',
        'button("Yes", act)',
        'new Option("all", "")',
        "const said = `${n} of ${all} steps`;",
        'throw new Error("The file is empty; choose another.");',
        'const said = one + " seeds ";',
        'element("form", { aria: { label: "New sweep" } });',
    ],
)
def test_a_text_of_its_own_is_found(code: str) -> None:
    assert list(own_texts(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        '// It says "no such thing", and `more of it`.',
        'this.says.textContent = say("scored"); element("b", {}, say("step", { step: at + 1 }))',
        'root.querySelector("#answers [data-pick], #rules [data-pick]")',
        'element("tr", { className: "spread" }, element("td"))',
    ],
)
def test_what_nobody_reads_is_no_text(code: str) -> None:
    assert list(own_texts(code)) == []


def said_by(folder: str) -> tuple[set[str], set[str]]:
    """Names that the scripts of a folder ask for as they stand, and patterns of all that they may ask for."""
    asked, possible = set[str](), set[str]()
    for script in (STATIC / folder).glob("*.js"):
        code = "".join(text for text, _ in code_of(script.read_text(encoding="utf-8")))
        asked |= set(re.findall(r'\b(?<!\.)(?:say|words|pieces)\("(\w+)"', code))
        possible |= set(re.findall(r'["`](\w+)["`]', code))
        possible |= {re.sub(r"\$\{[^{}]*\}", r"\\w+", said) for said in re.findall(r"`([\w${}.? :\"!=]+)`", code)}
    return asked, possible


@pytest.mark.parametrize("folder", sorted(SECTIONS))
def test_each_text_is_said_and_each_that_is_said_is_there(folder: str) -> None:
    asked, possible = said_by(folder)
    there = texts()[SECTIONS[folder]].keys()
    assert asked - there == set()
    patterns = [re.compile(each) for each in possible if re.fullmatch(r"(?:\w|\\w\+)*[a-z](?:\w|\\w\+)*", each)]
    assert [name for name in there if not any(known.fullmatch(name) for known in patterns)] == []


def test_the_page_of_lessons_says_what_comes_with_them() -> None:
    """Its texts come with a lesson's, as one document; Python says the others of their section."""
    code = (STATIC / "learn" / "learn_page.js").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bwords\.(\w+)", code))
    python = "".join(path.read_text(encoding="utf-8") for path in (STATIC.parent / "learn").glob("*.py"))
    there = english()["learn"].keys()
    assert asked - there == set()
    others = [re.compile(re.sub(r"\{[^}]*\}", r"\\w+", name)) for name in re.findall(r"learn\.([\w{}]+)", python)]
    assert [name for name in there - asked if not any(known.fullmatch(name) for known in others)] == []


def test_each_section_has_its_scripts() -> None:
    assert {f"js_{name.removeprefix('words_').removesuffix('.js')}" for name in page_words.modules()} == set(
        SECTIONS.values()
    )


def test_a_translation_comes_with_its_rule_and_cannot_end_a_script() -> None:
    before = page_words.modules()["words_runs.js"]
    said: dict[str, dict[str, str | list[str]]] = {"js_runs": {"runs": ["</script>{n}"], "compare": "Vergleichen"}}
    choose(Language("de", "0", lambda n: 0, said))
    try:
        after = page_words.modules()["words_runs.js"]
        assert page_words.inlined("runs") == after.replace("export ", "")
    finally:
        choose(Language())
    assert page_words.modules()["words_runs.js"] == before
    found = re.search(r'const LANGUAGE = "de", TEXTS = (\{.*\});\nconst formOf = \(n\) => Number\(0\);', after)
    assert found and "</script" not in after
    told = json.loads(found[1])
    assert told["runs"] == ["</script>{n}"] and told["compare"] == "Vergleichen" and told["undo"] == "Undo"
    assert told["comparisons"] == {"english": ["{n} comparison", "{n} comparisons"]}  # counted as English counts
