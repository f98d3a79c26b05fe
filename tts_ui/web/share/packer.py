"""What the tree view needs, packed for a page that is opened from disk: the same modules, unchanged but for one thing.

A browser lets no page from disk import modules beside it. Here they travel within the page, which makes a `blob:`
address of each and says in an import map where each is. A module that asks for another by `import.meta.url` would find
that blobs have no neighbours, so in place of it stands the address that the module has on the server.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tts_ui.web.components import SearchTree, page_words
from tts_ui.web.components.search_tree import STATIC, plotly_js, tree_files
from tts_ui.words.interface.markup import skeleton

_EXPORTED = STATIC.parent / "exported"
_OWN_ADDRESS = 'new URL("rte/%s", document.baseURI).href'
_VERSION = re.compile(r"\?v=[0-9a-f]+")
#: A font beside a style sheet in the newest of its three forms, and in the others, which no browser of today needs.
_FONT, _OLD_FONT = re.compile(r"url\(\./([\w-]+\.woff2)\)"), re.compile(r',url\(\./[^)]*\)format\("\w+"\)')
#: Gradio's rules hold within its own pages.
_SCOPE = re.compile(r"\.gradio-container[\w-]* ")
#: Names of a template's variables that JavaScript knows as such.
_NAME = re.compile(r"[A-Za-z_]\w*")


def static(name: str) -> str:
    """A part of the page itself."""
    return (_EXPORTED / name).read_text(encoding="utf-8")


def static_page(name: str) -> str:
    """A page with its texts."""
    return skeleton(_EXPORTED / name)


@cache
def look() -> str:
    """The style sheets of the product and of this page."""
    return (STATIC.parent / "app.css").read_text(encoding="utf-8") + static("page.css")


def modules() -> dict[str, str]:
    """Every script of the tree by its address, and what it says."""
    tree = SearchTree(render=False)
    found = _VERSION.search(str(tree.js_on_load))
    version = found[0] if found else ""
    sources = {file.name: file.read_text(encoding="utf-8") for file in tree_files()}
    words = page_words.module_name("tree")
    sources[words] = page_words.modules()[words]
    return {
        f"rte/{name}{version}": source.replace("import.meta.url", _OWN_ADDRESS % f"{name}{version}")
        for name, source in sources.items()
    }


def component() -> str:
    """The tree as a JavaScript object: its templates as functions of its properties, and what runs when it is mounted.
    Gradio makes functions of the same texts in the browser, which this page's policy forbids."""
    tree = SearchTree(render=False)
    names = ", ".join(["value", *filter(_NAME.fullmatch, tree.props)])
    return (
        f"{{html: ({{{names}}}) => `{_quoted(str(tree.html_template))}`,\n"
        f"css: ({{{names}}}) => `{_quoted(str(tree.css_template))}`,\n"
        f"mount(element, props, watch, trigger) {{{_unended(str(tree.js_on_load))}}}}}"
    )


def plotly_address() -> str:
    """Under which address below `rte/` the tree asks for plotly.js."""
    asked = re.search(rf"{re.escape(plotly_js().name)}\?v=[0-9a-f]+", str(SearchTree(render=False).js_on_load))
    return asked[0] if asked else plotly_js().name


@cache
def plotly() -> str:
    return packed(plotly_js().read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Formulas:
    """KaTeX as Gradio's own front end brings it: the address and source of its module, its style sheet with fonts."""

    address: str
    source: str
    sheet: str


@cache
def formulas() -> Formulas | None:
    """None where this Gradio keeps it otherwise; formulas are then shown as they were written."""
    spec = find_spec("gradio")
    folder = Path(str(spec.origin)).parent / "templates" / "frontend" / "assets" if spec else Path()
    scripts, sheets = list(folder.glob("katex-*.js")), list(folder.glob("katex-*.css"))
    if len(scripts) != 1 or len(sheets) != 1:
        return None

    def font(found: re.Match[str]) -> str:
        return f"url(data:font/woff2;base64,{_base64((folder / found[1]).read_bytes())})"

    sheet = _SCOPE.sub("", _OLD_FONT.sub("", sheets[0].read_text(encoding="utf-8")))
    return Formulas(f"assets/{scripts[0].name}", scripts[0].read_text(encoding="utf-8"), _FONT.sub(font, sheet))


#: In its place where no step has a formula: the tree, too, finds that there is none to be had, and asks nobody.
NO_FORMULAS = "export default null;"


def packed(content: object) -> str:
    """JSON for a `<script>` that holds data: compressed, and spelled in letters and digits: no text can end it."""
    written = json.dumps(content, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return _base64(gzip.compress(written.encode(), mtime=0))


def _unended(source: str) -> str:
    """A script in which no string ends the element that holds it."""
    return re.sub(r"</(?=script)", r"<\\/", source, flags=re.IGNORECASE)


def _quoted(template: str) -> str:
    """For a template literal: `${...}` is all that JavaScript is to see in it."""
    return _unended(template.replace("\\", "\\\\").replace("`", "\\`"))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
