"""What the pages say stands in one place: no module of theirs says anything else, and nothing there is said nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from string import Formatter

import pytest
from support.places import ROOT

from tts_ui.words.interface import Text, english, say

UI, WEB = ROOT / "tts_ui", ROOT / "tts_ui" / "web"
#: What answers programs and other servers, in their language, and what is told to the owner in the server's log.
ELSEWHERE = ("programs/", "door/", "public/hub.py", "public/housekeeping.py")
PAGES = [name for path in sorted(WEB.rglob("*.py")) if not (name := str(path.relative_to(WEB))).startswith(ELSEWHERE)]
#: What looks like words and is no text of the pages: values that menus keep and orders hold, names of a page's parts
#: and of what the engine found, the log, what only developers read, a file's columns, and the engine's own texts.
NO_TEXT = {
    "app.py": {"Segoe UI", "for everybody who can reach it; ", "runs are kept in ", "; Ctrl-C ends it)"},
    "compare/form.py": {"settings strategies"},
    "compare/page.py": {"box ", "tree ", "head ", "card "},
    "compare/table.py": {"sum real"},
    "components/page_words.py": {"export "},
    "components/search_tree.py": {
        "One JSON object per line: the nodes of a search tree",
        "the tree view needs the plotly package: pip install plotly",
    },
    "lab/faults_tab.py": {"not found", "cannot tell"},
    "learn/page.py": {"head ", "tree "},
    "parts/fields.py": {"the strategy's own"},
    "parts/model_choice.py": {"the pair's own"},
    "public/owner_desk.py": {"sign out", "tts-ui: a sign-in at the Hub was refused: "},
    "public/owner_state.py": {"page "},
    "scaling/exports.py": {"greedy of a larger policy", "arXiv 2502.06703, Table "},
}

#: What is given the name of a text first.
SAYS = {"say", "marked", "literal", "form"}
#: What Gradio shows of its components: arguments by their names, and the first one of some.
SHOWN = {"label", "info", "placeholder", "empty_text"}
SHOWS_FIRST = {"Accordion", "Button", "Error", "Info", "Tab", "Warning", "notice"}

_NAME = re.compile(r"\w+\.\w+")
_TAG = re.compile(r"<[^>]*>?|^[^<>]*>|&\w+;")
#: Two words, or one beside a blank or a full stop, where something is put in.
_WORDS = re.compile(r"[A-Za-z]{2,}[,;:.!?)]*\s+\(?[A-Za-z]|^\s+[a-z]{3,}|[a-z]{3,}[,;:]?\s+$|^[A-Z][a-z]+[.!?]$")
#: Scripts, style sheets, headers of HTTP, and attributes of HTML in pieces.
_CODE = re.compile(r"=>|const |URL|mount\(|default null|location\.|in lines|/\*|; (charset|filename)=|: \S+rem")
_ATTRIBUTE = re.compile(r'\s[\w-]+="[^"]*"?|\sopen|public, max-age.*')


def texts_of(source: str) -> Iterator[str]:
    """Literals with words in them that are neither documentation nor code nor names."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, documented)]
    docs = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docs:
            continue
        said = _TAG.sub(" ", node.value).strip() if re.search("[<>&]", node.value) else node.value
        if _WORDS.search(said) and not _CODE.search(node.value) and not _ATTRIBUTE.fullmatch(node.value):
            yield node.value


def shown_by(source: str) -> Iterator[str]:
    """Texts of a letter or more that are given to a component or a notice as they are, single words, too."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        given = [each.value for each in call.keywords if each.arg in SHOWN]
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in SHOWS_FIRST:
            given += call.args[:1]
        for part in (part for value in given for part in ast.walk(value)):
            text = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
            if re.search("[A-Za-z]{2}", text) and not _NAME.fullmatch(text):
                yield text


@pytest.mark.parametrize("module", PAGES)
def test_no_page_has_a_text_of_its_own(module: str) -> None:
    source = (WEB / module).read_text(encoding="utf-8")
    assert set(texts_of(source)) == NO_TEXT.get(module, set()), "texts belong into tts_ui/words/interface"
    assert [text for text in shown_by(source) if text != ""] == []


def test_a_text_of_its_own_is_found() -> None:
    assert list(shown_by('gr.Button("Run"); gr.Textbox(label="Problem", info=f"Of {n}"); gr.Tab(say("a.b"))')) == [
        "Run", "Problem", "Of ",
    ]  # fmt: skip
    source = '''"""Not this one."""
raise InvalidInput("runs", "give a run")
shown = f'<p class="hint">{n} steps</p><b>No answer</b>'
why = f"drawn {n} times"
'''
    assert set(texts_of(source)) == {"give a run", " steps</p><b>No answer</b>", "drawn ", " times"}


def said_in(source: str) -> tuple[set[str], list[re.Pattern[str]]]:
    """The names of the texts that a module says, and patterns for those that it puts together."""
    names, patterns = set[str](), list[re.Pattern[str]]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
            names.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in node.values]
            if parts and re.match(r"\w+\\\.|card_", parts[0]):
                patterns.append(re.compile("".join(parts)))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "counted":
            names |= {f"counts.{each.value!s}" for each in node.args[:1] if isinstance(each, ast.Constant)}
    return names, patterns


def test_each_text_is_said_somewhere_and_each_that_is_said_is_there() -> None:
    there = {f"{part}.{name}" for part, named in english().items() for name in named}
    names, patterns = set[str](), list[re.Pattern[str]]()
    for path in UI.rglob("*.py"):
        more, put_together = said_in(path.read_text(encoding="utf-8"))
        names |= more
        patterns += put_together
    for path in WEB.rglob("*.html"):
        names |= set(re.findall(r"\{\{(\w+\.\w+)\}\}", path.read_text(encoding="utf-8")))
    unsaid = {name for name in there - names if not any(pattern.fullmatch(name) for pattern in patterns)}
    scripted = {name for name in unsaid if name.startswith(("js_", "learn."))}  # said by scripts: tests of theirs
    assert unsaid == scripted
    sections = {name.partition(".")[0] for name in there}
    called = {name for path in UI.rglob("*.py") for name in named_in_calls(path.read_text(encoding="utf-8"))}
    assert {name for name in called if name.partition(".")[0] in sections} <= there
    with pytest.raises(KeyError):
        say("asking.walk")


def named_in_calls(source: str) -> Iterator[str]:
    """The names that are given, whole, to what says a text."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        if getattr(call.func, "id", "") in SAYS and call.args:
            inside = [part for part in ast.walk(call.args[0]) if isinstance(part, ast.JoinedStr)]
            pieces = {id(piece) for part in inside for piece in part.values}
            for part in ast.walk(call.args[0]):
                if isinstance(part, ast.Constant) and id(part) not in pieces and _NAME.fullmatch(str(part.value)):
                    yield str(part.value)


def calls_with_values() -> Iterator[tuple[str, set[str]]]:
    """Every call that names its text and its values one by one."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in UI.rglob("*.py"))
    for call in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
        values = {each.arg for each in call.keywords}
        if getattr(call.func, "id", "") in ("say", "marked") and None not in values:
            named = call.args[0]
            for name in [named.body, named.orelse] if isinstance(named, ast.IfExp) else [named]:
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield name.value, {str(each) for each in values}


def places_in(text: Text) -> set[str]:
    forms = [text] if isinstance(text, str) else text
    return {field for form in forms for _, field, _, _ in Formatter().parse(form) if field is not None}


def test_what_is_said_is_given_the_values_that_it_needs() -> None:
    known = {f"{part}.{name}": text for part, named in english().items() for name, text in named.items()}
    checked = 0
    for name, values in calls_with_values():
        text, checked = known[name], checked + 1
        assert places_in(text) <= values, name
        assert isinstance(text, str) or "n" in values, f"{name} has forms for numbers"
    assert checked > 500


@pytest.mark.parametrize("part", english())
def test_texts_are_texts(part: str) -> None:
    for name, text in english()[part].items():
        forms = [text] if isinstance(text, str) else text
        assert all(form.strip(" ;,") for form in forms), name
        assert isinstance(text, str) or len(text) == 2, name
        assert all(places_in(form) <= places_in(text) for form in forms)
