"""Headless Chromium and a small app around SearchTree, for the tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr
import pytest
from support import compare_page
from support.compare_page import Comparisons
from support.explore_page import PATIENCE_MS, TREE, App, OpenPage

from engine.runs.host import Host
from engine.store import Store
from tts_ui.web.app import launch
from tts_ui.web.components import SearchTree, scripts_route
from tts_ui.web.door import Visitors, serve_behind_door

if TYPE_CHECKING:  # imported at run time only where there is a browser
    from playwright.sync_api import ConsoleMessage, Dialog

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

NewPage = Callable[..., Any]

#: A refused form is answered with 422; leaving a page cuts its stream.
EXPECTED = ("status of 422", "AbortError", "Connection errored out")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests; every page has its own context, so nothing leaks between them."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def chromium_page(chromium: Any) -> Iterator[NewPage]:
    """Opens pages: `chromium_page(url, width=390, dark=True, touch=True)`. A script error fails the test."""
    contexts = []
    errors: list[str] = []

    def open_page(
        url: str = "about:blank", *, width: int = 1200, height: int = 800, dark: bool = False, touch: bool = False
    ) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", has_touch=touch
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, str]]:
    """The whole product in this process: its host and its address."""
    with Store.open(str(tmp_path_factory.mktemp("app") / "runs.db")) as store:
        host = Host(store)
        host.catalogue.load()
        served = launch(host)
        yield host, served.url
        served.close()
        host.close()


@pytest.fixture(scope="module")
def app(served: tuple[Host, str]) -> App:
    return App(*served)


@pytest.fixture
def page_errors() -> Iterator[list[str]]:
    """What the console complained about, but for what is expected."""
    errors: list[str] = []
    yield errors
    assert not [text for text in errors if not any(known in text for known in EXPECTED)], errors


@pytest.fixture
def explore(app: App, chromium_page: Callable[..., Any], page_errors: list[str]) -> OpenPage:
    """Opens the Explore page, ready to be used: `explore("/?run=ID", width=390)`."""

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            page_errors.append(message.text)

    def dismiss(dialog: Dialog) -> None:
        page_errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_page(path: str = "/", **options: Any) -> Any:
        page = chromium_page(**options)
        page.on("console", note)
        page.on("dialog", dismiss)
        page.goto(app.url + path)
        page.wait_for_selector(TREE)
        page.wait_for_selector("#run")
        if path == "/":  # a first visit shows the recorded example
            page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
        return page

    return open_page


@pytest.fixture(scope="module")
def comparisons(served: tuple[Host, str]) -> Comparisons:
    return Comparisons(*served)


@pytest.fixture
def compare(comparisons: Comparisons, chromium_page: Callable[..., Any], page_errors: list[str]) -> OpenPage:
    """Opens the Compare page, ready to be used: `compare("?runs=A,B", width=390)`."""

    def open_page(query: str = "", **options: Any) -> Any:
        page = chromium_page(**options)
        page.set_default_timeout(compare_page.PATIENCE_MS)
        page.on("console", lambda message: page_errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{comparisons.url}/compare{query}")
        page.wait_for_selector("#tree-a .search-tree")
        page.wait_for_selector("#run")
        return page

    return open_page


class TreeApp:
    """A page with one tree, a box that says what was selected, and buttons that play texts given by the test."""

    def __init__(self) -> None:
        self.plays: dict[str, Callable[[], Iterator[str]]] = {}
        self.first = ""
        self.picked: list[int] = []
        with gr.Blocks() as self.demo:
            self.tree = SearchTree(elem_id="tree")
            self.says = gr.Textbox(label="selected", elem_id="says")
            self.number = gr.Number(label="select", elem_id="number", precision=0)
            self.name = gr.Textbox(label="play", elem_id="name")
            go = gr.Button("Go", elem_id="go")
            go.click(self.play, self.name, self.tree, show_progress="hidden")
            self.tree.select(
                self.on_select, None, self.says, queue=False, show_progress="hidden", trigger_mode="multiple",
            )  # fmt: skip
            self.number.submit(self.on_number, self.number, self.tree, show_progress="hidden")
            self.demo.load(lambda: self.first, None, self.tree, show_progress="hidden")
        self.served = serve_behind_door(self.demo, Visitors(), [scripts_route()])
        self.url = self.served.url

    def play(self, name: str) -> Iterator[str]:
        yield from self.plays[name]()

    def on_number(self, number: float) -> Any:
        return gr.update(selected=int(number))

    def on_select(self, event: gr.SelectData) -> str:
        self.picked.append(event.value)
        return f"node {event.value}"


@pytest.fixture(scope="session")
def running_app() -> Iterator[TreeApp]:
    app = TreeApp()
    yield app
    app.served.close()


@pytest.fixture
def tree_app(running_app: TreeApp) -> TreeApp:
    running_app.plays, running_app.first, running_app.picked = {}, "", []
    return running_app


@pytest.fixture
def tree_page(tree_app: Any, chromium_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the page with a run already in the tree."""

    def open_page(text: str, query: str = "", **options: Any) -> Any:
        tree_app.first = text
        page = chromium_page(tree_app.url + query, **options)
        nodes = text.count('["n",') + 1
        page.wait_for_selector(f'.search-tree[data-nodes="{nodes}"]')
        return page

    return open_page
