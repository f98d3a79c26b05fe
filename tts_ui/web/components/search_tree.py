"""SearchTree: the live, clickable picture of a search, as a Gradio component.

A pure view. Its value is text that only grows (see tree_lines.py); the browser reads what is new, lays the tree out
and draws it with the plotly.js of the installed plotly package, keeping zoom and selection. A click or a key fires
`select` with the node's id. Events of the page's scripts steer it, for one tree (`tree`: the id of its box) or for all:
`st-pick` {id} selects a node, `st-mark` {mark} rings the nodes of that name. It knows nothing of engines, stores or
strategies.

Model text is data: the template is a constant and names no property, and the scripts write text as text.
"""

from __future__ import annotations

import hashlib
from abc import ABCMeta
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypedDict
from urllib.parse import quote

import gradio as gr
from gradio.component_meta import ComponentMeta, updateable

STATIC = Path(__file__).parent.parent / "static" / "tree"
EMPTY_TEXT = "Press Run to watch a search grow here"

# Runs once per mounted tree. A failure is shown in the box: a tree that silently stays blank helps nobody.
_JS_ON_LOAD = """
const file = (path) => new URL("gradio_api/file=" + path, document.baseURI).href;
element.querySelector(".st-empty").textContent = props.empty_text;
import(file("%(entry)s"))
  .then(({ mountSearchTree }) => mountSearchTree({
    element, props, watch, plotlyUrl: file("%(plotly)s"), onSelect: (detail) => trigger("select", detail),
  }))
  .catch((error) => {
    element.querySelector(".st-empty").textContent = "The tree view could not be loaded. Reload the page to try again.";
    console.error(error);
  });
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
        empty_text: str = EMPTY_TEXT,
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
            empty_text: the text in the empty frame.
        """
        serve_assets()
        super().__init__(
            value,
            html_template=_read("search_tree.html"),
            css_template=_read("search_tree.css"),
            js_on_load=_JS_ON_LOAD % {"entry": _address(STATIC / "search_tree.js"), "plotly": _address(plotly_js())},
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
            empty_text=empty_text,
        )

    def postprocess(self, value: str | None) -> str:
        """The lines as they are: no template ever sees them, so Gradio's advice on HTML does not apply."""
        return value or ""

    def example_value(self) -> str:
        return ""

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "One JSON object per line: the nodes of a search tree"}


@cache
def serve_assets() -> None:
    """Lets Gradio serve our scripts and the plotly package's own plotly.min.js: nothing comes from elsewhere."""
    gr.set_static_paths([STATIC, plotly_js()])


@cache
def plotly_js() -> Path:
    """plotly.min.js of the installed plotly package, found without importing the package (which takes a second)."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the tree view needs the plotly package: pip install plotly")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


@cache
def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


@cache
def _address(path: Path) -> str:
    """Path and a version, so that a browser never pairs an old cached script with a new page."""
    files = sorted(STATIC.glob("*.js")) if path.parent == STATIC else [path]
    version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    return f"{quote(path.as_posix())}?v={version}"
