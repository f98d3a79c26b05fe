"""The app: pages, look and start-up. It asks the engine and the store for everything it shows."""
# ruff: noqa: E402  (Gradio reads its settings when it is imported)

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from engine.models.catalogue import hub

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
hub.stay_local()

import gradio as gr

from engine.assets import assets
from engine.errors import TtsError
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.runs.examples import SHOWCASE
from engine.runs.host import Host
from engine.store import Store
from tts_ui.web.compare import ComparePage
from tts_ui.web.explore import ExplorePage
from tts_ui.web.parts import lessons

NAME = "Reasoning Tree Explorer"
_STATIC = Path(__file__).with_name("static")

_CURRENT = ' aria-current="page"'

#: In public mode a run that has not been watched for this long is stopped: visitors close tabs, and they share the CPU.
_UNWATCHED_LIMIT_S = 60.0

_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def build(host: Host) -> gr.Blocks:
    """All pages over one host."""
    demo: gr.Blocks
    with gr.Blocks(title=NAME, analytics_enabled=False, fill_width=True) as demo:
        _top("Explore")
        lessons.import_all(host.store)
        ExplorePage(host, demo, lessons.run_ids(SHOWCASE)[0])
    with demo.route("Compare", "/compare"):
        _top("Compare")
        ComparePage(host, demo)
    return demo


def _top(page: str) -> None:
    """What every page begins with."""
    gr.HTML(_header(page), elem_id="header", container=False, padding=False)


def theme() -> gr.themes.Base:
    """Gradio's design tokens with one accent colour and system fonts: nothing is fetched from elsewhere."""
    return gr.themes.Base(
        primary_hue="teal", neutral_hue="slate", font=list(_FONT), font_mono=list(_MONO), spacing_size="sm",
        radius_size="sm", text_size="md",
    )  # fmt: skip


def serve(
    host: str = "127.0.0.1", port: int = 7860, db: str | None = None, models: Path | None = None, public: bool = False
) -> None:
    """Open the store, show the first page, load the models meanwhile, and serve until told to stop.

    Raises `InvalidInput`, `ModelError` or `StoreError` before anything is served.
    """
    with Store.open(db) as store:
        engine = Host(store, Catalogue(models or CATALOGUE), unwatched_limit_s=_UNWATCHED_LIMIT_S if public else None)
        try:
            demo = launch(engine, host, port)
            threading.Thread(target=_warm_up, args=[engine], name="warm-up", daemon=True).start()
            print(f"{NAME} on {demo.local_url} (runs are kept in {store.url}; Ctrl-C ends it)", flush=True)
            interrupted = _wait()
            demo.close()
        finally:
            engine.close()
    if interrupted:
        raise KeyboardInterrupt


def launch(engine: Host, host: str = "127.0.0.1", port: int | None = None) -> gr.Blocks:
    """Serve the app from this process and return at once; `demo.local_url` is its address, `demo.close()` ends it."""
    demo = build(engine)
    demo.queue(max_size=64, default_concurrency_limit=None)
    demo.launch(
        server_name=host, server_port=port, prevent_thread_lock=True, quiet=True, theme=theme(),
        css_paths=[_STATIC / "app.css"], head=f"<script>{(_STATIC / 'app.js').read_text(encoding='utf-8')}</script>",
        favicon_path=str(assets() / "favicon.png"), footer_links=[], show_error=True, ssr_mode=False,
    )  # fmt: skip
    return demo


def _warm_up(engine: Host) -> None:
    """Load the default models while the user looks at the first page. The first Run reports a failure."""
    try:
        engine.catalogue.load()
    except TtsError as error:
        print(f"tts-ui: {error}", flush=True)


def _wait() -> bool:
    """Wait for Ctrl-C or SIGTERM; True if it was Ctrl-C."""
    stop = threading.Event()
    received: list[int] = []

    def note(number: int, _: object) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    while not stop.wait(timeout=1):  # a plain wait() would block signals on some systems
        pass
    return signal.SIGINT in received


#: The pages by name; addresses are relative, so they also work under a proxy's path.
_PAGES = {"Explore": "./", "Compare": "./compare"}


def _header(page: str) -> str:
    links = "".join(
        f'<a href="{address}"{_CURRENT if name == page else ""}>{name}</a>' for name, address in _PAGES.items()
    )
    return f"""
<header>
  <h1>{NAME}</h1>
  <nav aria-label="Pages">{links}</nav>
  <span class="grow"></span>
  <button type="button" data-do="large" title="Larger, for a projector">large</button>
  <button type="button" data-do="dark" title="Light or dark">dark</button>
  <button type="button" data-do="help" title="Keys (?)">?</button>
</header>
<dialog id="help">
  <h3>Keys</h3>
  <table>
    <tr><td><kbd>r</kbd></td><td>run</td></tr>
    <tr><td><kbd>s</kbd></td><td>stop</td></tr>
    <tr><td><kbd>/</kbd></td><td>type a problem</td></tr>
    <tr><td><kbd>&uarr;</kbd> <kbd>&darr;</kbd> <kbd>&larr;</kbd> <kbd>&rarr;</kbd></td><td>walk the tree: parent,
    child, siblings</td></tr> <tr><td><kbd>Home</kbd> <kbd>End</kbd></td><td>the problem, the chosen answer</td></tr>
    <tr><td><kbd>Tab</kbd></td><td>on a strategy's card: ring what a parameter means</td></tr>
    <tr><td><kbd>?</kbd></td><td>this list; <kbd>Esc</kbd> closes it</td></tr>
  </table>
  <form method="dialog"><button>Close</button></form>
</dialog>"""
