"""The app: pages, look and start-up. It asks the engine and the store for everything it shows."""
# ruff: noqa: E402  (Gradio reads its settings when it is imported)

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from collections.abc import Sequence
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
from engine.runs.limits import Limits
from engine.store import Store
from tts_ui.loopback import is_loopback
from tts_ui.web import programs, runs, scaling
from tts_ui.web import public as open_to_all
from tts_ui.web.compare import ComparePage
from tts_ui.web.components import scripts_route, tree_scripts
from tts_ui.web.door import Look, Served, Visitors, health_route, serve_behind_door
from tts_ui.web.door.functions import samples_only
from tts_ui.web.door.owner import Owners
from tts_ui.web.explore import ExplorePage
from tts_ui.web.lab import LabPage
from tts_ui.web.lab.label_files import labels_route
from tts_ui.web.lab.score_desk import ScoreDesk
from tts_ui.web.learn import LearnDesk, LearnPage
from tts_ui.web.parts import lessons
from tts_ui.web.public.housekeeping import Housekeeping
from tts_ui.web.public.hub import Hub
from tts_ui.web.public.opening import Opening
from tts_ui.web.public.recent import Recent
from tts_ui.web.share.routes import export_route
from tts_ui.words.interface import NAME, language, say
from tts_ui.words.interface.markup import marked, skeleton

_STATIC = Path(__file__).with_name("static")

_CURRENT = ' aria-current="page"'

#: In public mode a run that has not been watched for this long is stopped: visitors close tabs, and they share the CPU.
_UNWATCHED_LIMIT_S = 60.0

_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def build(
    host: Host, visitors: Visitors, opening: Opening | None = None, desk: programs.Desk | None = None, *,
    signs_in: bool = False,
) -> gr.Blocks:  # fmt: skip
    """All pages over one host, and the named endpoints of `desk`; `signs_in`: there is a way in for the owner."""
    opening = opening or Opening()
    demo: gr.Blocks
    with gr.Blocks(title=NAME, analytics_enabled=False, fill_width=True) as demo:
        _top("explore")
        lessons.import_all(host.store)
        ExplorePage(host, demo, visitors, lessons.run_ids(SHOWCASE)[0], opening.kept_until)
        open_to_all.foot(visitors, opening)
    # No page, so that none brings along what only programs ask for; and before pages whose functions have such names.
    with demo.route("Programs", "/programs", show_in_navbar=False):
        programs.named_endpoints(desk or programs.Desk(host, visitors))
    with demo.route(say("shell.compare"), "/compare"):
        _top("compare")
        ComparePage(host, demo, visitors, opening.kept_until)
        open_to_all.foot(visitors, opening)
    with demo.route(say("shell.scaling"), "/scaling"):
        _top("scaling")
        scaling.build()
        open_to_all.foot(visitors, opening)
    with demo.route(say("shell.runs"), "/runs"):
        _top("runs")
        runs.build(files=not visitors.strict)
        open_to_all.foot(visitors, opening)
    with demo.route(say("shell.lab"), "/lab"):
        _top("lab")
        LabPage(host, demo, visitors)
        open_to_all.foot(visitors, opening)
    with demo.route(say("shell.learn"), "/learn"):
        _top("learn")
        LearnPage(host, demo, visitors)
        open_to_all.foot(visitors, opening)
    if visitors.strict:
        with demo.route(say("shell.limits"), "/limits"):
            _top("limits")
            open_to_all.limits(host, demo, opening, signs_in=signs_in)
            open_to_all.foot(visitors, opening)
        with demo.route(say("shell.owner"), "/owner"):
            _top("owner")
            open_to_all.owner()
            open_to_all.foot(visitors, opening)
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
    host: str = "127.0.0.1",
    port: int = 7860,
    db: str | None = None,
    models: Path | None = None,
    public: bool = False,
    allowed: Sequence[str] = (),
    root_path: str = "",
    limits: Limits | None = None,
    opening: Opening | None = None,
    write_token: str | None = None,
) -> None:
    """Open the store, show the first page, load the models meanwhile, and serve until told to stop.

    What others can reach is public, whether they are welcome (`public`) or `host` lets them in. `allowed` are names
    under which it is served besides those of `host`, and `opening` is what only matters to what is public.

    Raises `InvalidInput`, `ModelError` or `StoreError` before anything is served.
    """
    opening = opening or Opening()
    public = public or opening.samples or not is_loopback(host)
    with Store.open(db) as store:
        catalogue = Catalogue(models or CATALOGUE, downloads=not public)
        if public and models is None:
            catalogue.keep_what_is_here()
        unwatched = _UNWATCHED_LIMIT_S if public else None
        engine = Host(store, catalogue, limits=limits, unwatched_limit_s=unwatched)
        try:
            served = launch(
                engine, host, port, public=public, allowed=allowed, root_path=root_path, opening=opening,
                write_token=write_token,
            )  # fmt: skip
            if not opening.samples:
                threading.Thread(target=_warm_up, args=[engine, public], name="warm-up", daemon=True).start()
            for_whom = "for everybody who can reach it; " if public else ""
            print(f"{NAME} on {served.url} ({for_whom}runs are kept in {store.url}; Ctrl-C ends it)", flush=True)
            interrupted = _wait()
            served.close()
        finally:
            engine.close()
    if interrupted:
        raise KeyboardInterrupt


def launch(
    engine: Host, host: str = "127.0.0.1", port: int = 0, *, public: bool = False, allowed: Sequence[str] = (),
    root_path: str = "", opening: Opening | None = None, write_token: str | None = None,
) -> Served:  # fmt: skip
    """Serve the app from this process and return when it answers. Port 0 stands for any that is free; `root_path` is
    the path under which a proxy serves it; for `write_token` see `programs.program_routes`."""
    opening = opening or Opening()
    if opening.samples:
        engine.closed = samples_only()
    visitors = Visitors(strict=public, store=engine.store, samples=opening.samples)
    secret = opening.secret or secrets.token_bytes(32)
    owners, recent = Owners.of(secret, opening.owner_token), Recent()
    desk = programs.Desk(engine, visitors)
    owner = open_to_all.OwnerDesk(engine, visitors, owners, opening, recent, Hub.of_space())
    demo = build(engine, visitors, opening, desk, signs_in=owner.signs_in)
    own = [*owner.routes(), *open_to_all.MineDesk(engine, visitors, opening).routes()] if public else []
    housekeeping = Housekeeping(engine.store, opening)

    def end() -> None:
        housekeeping.close()
        recent.leave()

    space = os.environ.get("SPACE_HOST")
    served = serve_behind_door(
        demo, visitors,
        [*own, *runs.Desk(engine.store, visitors, opening.kept_until).routes(), *ScoreDesk(engine, visitors).routes(),
         *scaling.ScalingDesk(engine, visitors).routes(), *LearnDesk(engine.store).routes(), scripts_route(),
         labels_route(engine, visitors), export_route(engine, visitors), *programs.program_routes(desk, write_token),
         health_route(lambda: engine.store.known(["healthz"]))],
        _look(), host=host, port=port, allowed=[*allowed, *([space] if space else [])], framed=bool(space),
        root_path=root_path, secret=secret, owners=owners, on_close=end,
    )  # fmt: skip
    if public:
        recent.listen()
    return served


def _look() -> Look:
    names = (
        "app.css", "stage.css", "runs/runs.css", "lab/statistics.css", "scaling/scaling.css", "learn/learn.css",
        "public/public.css",
    )  # fmt: skip
    script = "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in ("app.js", "pages.js", "stage.js"))
    spoken = f"document.documentElement.lang = {json.dumps(language().tag)};"
    imported = dict.fromkeys(("", "compare", "learn"), tree_scripts())
    return Look(theme(), [_STATIC / name for name in names], f"{spoken}\n{script}", imported, _favicon())


def _favicon() -> Path:
    return assets() / "favicon.png"


def _warm_up(engine: Host, fetch: bool) -> None:
    """Load the default models while the user looks at the first page; the first Run reports a failure. `fetch`: then
    download what else the owner's models file names, as no visitor's choice does."""
    try:
        engine.catalogue.load()
    except TtsError as error:
        print(f"tts-ui: {error}", flush=True)
    if fetch:
        engine.catalogue.fetch_all(lambda problem: print(f"tts-ui: {problem}", flush=True))


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


#: The pages by the names of their texts; addresses are relative, so they also work under a proxy's path.
_PAGES = {
    "explore": "./", "compare": "./compare", "scaling": "./scaling", "runs": "./runs", "lab": "./lab",
    "learn": "./learn",
}  # fmt: skip


def _header(page: str) -> str:
    links = "".join(
        f'<a href="{address}"{_CURRENT if name == page else ""}>{marked(f"shell.{name}")}</a>'
        for name, address in _PAGES.items()
    )
    keys = {"enter": "<kbd>Enter</kbd>", "escape": "<kbd>Esc</kbd>", "ctrl": "<kbd>Ctrl</kbd>"}
    return skeleton(_STATIC / "header.html", **keys).replace("<!-- name -->", NAME).replace("<!-- pages -->", links)
