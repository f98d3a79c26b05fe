"""SearchTree: the live, clickable picture of a search, as a Gradio component.

A pure view. Its value is text that only grows (see tree_lines.py); the browser reads what is new, lays the tree out
and draws it with the plotly.js of the installed plotly package, keeping zoom and selection. A click or a key fires
`select` with the node's id. Events of the page's scripts steer it, for one tree (`tree`: the id of its box) or for all:
`st-pick` {id} selects a node, `st-mark` {mark} rings the nodes of that name. The lines carry the beginnings of texts;
for whole ones the tree fires `ask` with {run, ids}, and whoever listens answers with the property `texts`. It knows
nothing of engines, stores or strategies.

Model text is data: the template is a constant and names no property, and the scripts write text as text.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABCMeta
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypedDict

import gradio as gr
from gradio.component_meta import ComponentMeta, updateable
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tts_ui.web.components import page_words
from tts_ui.web.components.tree_lines import INERT
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import literal, skeleton

STATIC = Path(__file__).parent.parent / "static" / "tree"

# Runs once per mounted tree. A failure is shown in the box: a tree that silently stays blank helps nobody.
_JS_ON_LOAD = """
const file = (name) => new URL("rte/" + name, document.baseURI).href;
const entry = file("%(entry)s"), plotlyUrl = file("%(plotly)s");
const says = element.querySelector(".st-empty");
const onFail = (error) => {
  says.textContent = %(failed)s;
  console.error(error);
};
says.textContent = props.empty_text;
if (props.early) {
  const link = document.createElement("link");
  document.head.append(Object.assign(link, { rel: "preload", as: "script", fetchPriority: "low", href: plotlyUrl }));
}
import(entry)
  .then(({ mountSearchTree }) => mountSearchTree({
    element, props, watch, plotlyUrl, onFail, onSelect: (detail) => trigger("select", detail),
    onSeek: (detail) => trigger("seek", detail),
    onAsk: (detail) => trigger("ask", detail),
    onRate: (detail) => trigger("rate", detail),
    katexUrl: "%(katex)s" && new URL("assets/%(katex)s", document.baseURI).href,
  }))
  .catch(onFail);
"""


class Mark(TypedDict):
    """A set of nodes to ring, by id, and what the tree says about them meanwhile."""

    nodes: list[int]
    says: str


class _Unstubbed(ComponentMeta):
    """Gradio's component class without its habit of writing a .pyi file beside this module on every import."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        attrs["__init__"] = updateable(attrs["__init__"])  # type: ignore[no-untyped-call]
        return ABCMeta.__new__(cls, name, bases, attrs)


class SearchTree(gr.HTML, metaclass=_Unstubbed):
    """A search tree that grows while it is watched. `tree.select(fn)` gives fn a gr.SelectData with the node's id."""

    def __init__(
        self,
        value: str = "",
        *,
        height: int = 460,
        direction: Literal["down", "right"] = "down",
        selected: int | None = None,
        sync_url: bool = True,
        select_chosen: bool = False,
        group: str = "",
        marks: Mapping[str, Mark] | None = None,
        colorbar: bool = True,
        empty_text: str | None = None,
        texts: str = "",
        judges: str = "",
        labelling: bool = False,
        rated: str = "",
        early: bool = False,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        visible: bool | Literal["hidden"] = True,
        render: bool = True,
        key: int | str | tuple[int | str, ...] | None = None,
    ) -> None:
        """
        Parameters:
            value: the lines of tree_lines.py; append to it while a search runs, and start again for another run.
            height: of the drawing, in pixels.
            direction: where steps lead from the problem; the reader can change it.
            selected: id of the node to select, from Python (does not fire `select`); -1 clears the selection, as
                Gradio leaves a None out of an update.
            sync_url: keep `?run=` and `?node=` of the address in step with the run and the selected node, and select
                that node when `?run=` fits. In a group `?node=` is `2.7`, node 7 of the second tree, and `?runs=` the
                page's.
            select_chosen: when a run has ended and nothing is selected, select the chosen answer's leaf.
            group: trees of one group select together: the step with the same texts on its path, else the same text at
                the same depth, else nothing. The event says what each has selected, as `linked`: run id to node id or
                None.
            marks: sets of nodes that the page may ask to be ringed, by name, with an `st-mark` event.
            colorbar: draw the legend; the last of several trees side by side is enough.
            empty_text: the text in the empty frame; None: how to fill it.
            texts: the answer to `ask`, made by `whole_texts`.
            judges: whose scores to show where there are several and, after a comma, whose to compare them with; empty:
                the reader's choice, or the first line's.
            labelling: let people label the steps of a run that is over; the event `rate` says what they said.
            rated: the answer to `rate`, made by `rated`.
            early: the page always has something to draw, so what draws it is fetched beside the scripts.
        """
        super().__init__(
            value,
            html_template=skeleton(STATIC / "search_tree.html"),
            css_template=_read("search_tree.css") + _read("tree_replay.css"),
            js_on_load=_JS_ON_LOAD
            % {
                "entry": script_address(STATIC / "search_tree.js"),
                "plotly": script_address(plotly_js()),
                "katex": katex(),
                "failed": literal("tree.failed"),
            },
            apply_default_css=False,
            elem_id=elem_id,
            elem_classes=elem_classes,
            visible=visible,
            render=render,
            key=key,
            height=height,
            direction=direction,
            selected=selected,
            sync_url=sync_url,
            select_chosen=select_chosen,
            group=group,
            marks=dict(marks or {}),
            colorbar=colorbar,
            empty_text=say("tree.empty") if empty_text is None else empty_text,
            texts=texts,
            judges=judges,
            labelling=labelling,
            rated=rated,
            early=early,
        )

    def postprocess(self, value: str | None) -> str:
        """The lines as they are: no template ever sees them, so Gradio's advice on HTML does not apply."""
        return value or ""

    def example_value(self) -> str:
        return ""

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "One JSON object per line: the nodes of a search tree"}


def replay_place(group: str) -> gr.HTML:
    """Where the replay bar of a group of trees stands; without it, it stands under the first of them."""
    return gr.HTML(
        f'<div class="st-replay" data-replay="{group}" hidden></div>', css_template=_read("tree_replay.css"),
        apply_default_css=False, container=False, padding=False, elem_id=f"replay-{group}",
    )  # fmt: skip


def scripts_route() -> Route:
    """Where an app must serve our scripts and the plotly package's own plotly.min.js: nothing comes from elsewhere, and
    no address says where it lies here."""
    files = {file.name: file for file in (*STATIC.parent.glob("*/*.js"), plotly_js())}
    words = page_words.modules()

    async def script(request: Request) -> Response:
        name = request.path_params["name"]
        kept = {"cache-control": "public, max-age=31536000, immutable"}  # the address says which version it is
        if name in words:
            return Response(words[name], media_type="text/javascript", headers=kept)
        if name in files:
            return FileResponse(files[name], media_type="text/javascript", headers=kept)
        return Response(status_code=404)

    return Route("/rte/{name}", script)


def tree_files() -> list[Path]:
    """The scripts of a tree: whatever lies in its folder, and what it shares with other pages."""
    return [*sorted(STATIC.glob("*.js")), STATIC.parent / "shared" / "plotly_script.js"]


def tree_scripts() -> list[str]:
    """The addresses of all scripts of a tree and of what they say, as the first of them imports the others."""
    version = _version(STATIC, *page_words.modules().values())
    names = [*(file.name for file in tree_files()), page_words.module_name("tree")]
    return [f"rte/{name}?v={version}" for name in names]


@cache
def plotly_js() -> Path:
    """plotly.min.js of the installed plotly package, found without importing the package (which takes a second)."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the tree view needs the plotly package: pip install plotly")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


@cache
def katex() -> str:
    """The name of the KaTeX module that Gradio's own front end loads, by which formulas are set; "" without one."""
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    return next((file.name for file in sorted(assets.glob("katex-*.js"))), "")


def whole_texts(run_id: str, wanted: Mapping[int, str]) -> str:
    """Whole texts of nodes of a run, by id, as the property `texts` of its tree."""
    return json.dumps({"run": run_id, "texts": list(wanted.items())}, ensure_ascii=False).translate(INERT)


def rated(run_id: str, at: int, error: str = "") -> str:
    """Whether labels of a run were kept (or in one line, why not), as the property `rated` of its tree; `at` tells
    answers apart."""
    return json.dumps({"run": run_id, "at": at, "error": error}).translate(INERT)


@cache
def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def script_address(path: Path) -> str:
    """Its name and a version, that of all scripts beside it, of those that pages share and of what they say, so that a
    browser never pairs an old cached script with a new page."""
    return f"{path.name}?v={_version(path.parent, *page_words.modules().values())}"


@cache
def _version(folder: Path, *words: str) -> str:
    files = sorted([*folder.glob("*.js"), *STATIC.parent.glob("shared/*.js")])
    parts = [*(file.read_bytes() for file in files), *(each.encode() for each in words)]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]
