"""The page that is sent to others, opened from disk in an offline browser: it works, asks nobody, obeys no text."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.explore_page import App, OpenPage
from support.finished_runs import Finished, Solve
from support.harmful import HARM, harmful_run
from support.large_runs import large_run

from engine.domains import Domains
from engine.search.events import Event, RunStarted, Usage
from engine.store import Store
from engine.store.ids import new_run_id
from tts_ui.web.components.search_tree import STATIC
from tts_ui.web.share import packer
from tts_ui.web.share.page import page_of

TREE = "#tree-0 .search-tree"


@dataclass
class Files:
    """Runs as files on the disk."""

    store: Store
    domains: Domains
    folder: Path

    def of(self, *runs: list[Event]) -> Path:
        run_ids = []
        for events in runs:
            first = events[0]
            assert isinstance(first, RunStarted)
            self.store.record(events, Usage(generated_tokens=1240), first.run_id)
            run_ids.append(first.run_id)
        self.store.flush()
        file = self.folder / f"{run_ids[0]}.html"
        file.write_bytes(page_of(self.store, run_ids, self.domains))
        return file


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    with Store.open(str(tmp_path / "runs.db")) as store, Domains() as domains:
        yield Files(store, domains, tmp_path)


Opened = Callable[..., Any]


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Opened]:
    """Opens a file where there is no network. What it asks for besides itself, and what it complains of, fails the
    test."""
    asked: list[str] = []
    complaints: list[str] = []
    contexts = []

    def open_file(file: Path, name: str = "", **options: Any) -> Any:
        if name:  # as a person saves a download
            file = Path(shutil.copy(file, tmp_path / name))
        context = chromium.new_context(offline=True, **{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        page.goto(file.as_uri())
        page.wait_for_selector(f"{TREE}:not([data-nodes='0'])")
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert not [url for url in asked if not url.startswith(("blob:", "data:", "file:"))], asked
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts), asked
    assert not complaints, complaints


def copied(found: Finished) -> list[Event]:
    return list(found.events)


def position(page: Any, tree: str, node: int) -> dict[str, float]:
    where: dict[str, float] = page.evaluate(
        "([tree, node]) => document.querySelector(`${tree} .search-tree`).searchTree.position(node)", [tree, node]
    )
    return where


def test_a_run_is_walked_and_read_from_disk(files: Files, opened: Opened, solved: Solve) -> None:
    found = solved("beam_search", n=8, width=4)
    tree = found.tree
    page = opened(files.of(copied(found)))
    page.wait_for_selector(f"{TREE}[data-status=done][data-selected='{tree.chosen}'][data-nodes='{len(tree)}']")
    assert found.record.problem in page.inner_text("#problem")
    assert str(found.record.answer) in page.inner_text("#told")

    first = tree.children(tree.root)[0]
    at = position(page, "#tree-0", first.id)
    page.mouse.click(at["x"], at["y"])
    page.wait_for_selector(f"{TREE}[data-selected='{first.id}']")
    detail = page.inner_text("#detail")
    assert detail.startswith("Step 1")
    assert " ".join(first.text.split()) in " ".join(page.text_content(".step-text").split())
    assert f"{first.tokens} tokens" in detail and "kept: rank" in detail
    assert str(found.record.judge) in page.inner_text("#detail .scores")

    # By keyboard from here: down to a second step, along its siblings, and the chosen answer.
    page.focus(f"{TREE} .st-plot")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.querySelector('#detail .head').innerText.startsWith('Step 2')")
    page.keyboard.press("End")
    page.wait_for_selector(f"{TREE}[data-selected='{tree.chosen}']")
    page.wait_for_selector(f"#detail .here[data-pick='{tree.chosen}']")
    assert "chosen" in page.inner_text("#detail .why")
    rows = page.locator("#detail button.step")
    path = len(tree.path(tree[tree.chosen or 0]))
    assert rows.count() >= path
    rows.first.press("Enter")
    page.wait_for_function("() => document.querySelector('#detail .head').innerText.startsWith('Step 1')")


def test_formulas_are_typeset_by_what_the_page_brings(files: Files, opened: Opened) -> None:
    assert packer.formulas(), "this Gradio keeps KaTeX elsewhere"
    page = opened(files.of(large_run(new_run_id(), 20)))
    page.wait_for_selector("#detail .step-text .katex .boxed, #detail .step-text .katex .fbox")
    assert page.evaluate("document.fonts.check('16px KaTeX_Main')")
    assert page.evaluate("getComputedStyle(document.querySelector('.katex-mathml')).position") == "absolute"


def test_runs_side_by_side_select_together(files: Files, opened: Opened, solved: Solve) -> None:
    runs = [solved("beam_search", n=8, width=4), solved("best_of_n", n=8)]
    page = opened(files.of(*map(copied, runs)))
    page.wait_for_selector("#tree-1 .search-tree:not([data-nodes='0'])")
    assert [head.split("\n")[0] for head in page.locator(".run-head").all_inner_texts()] == [
        "A Beam search", "B Best of N",
    ]  # fmt: skip
    shared = {node.text for node in runs[1].tree.children(runs[1].tree.root)}
    first = next(node for node in runs[0].tree.children(runs[0].tree.root) if node.text in shared)
    at = position(page, "#tree-0", first.id)
    page.mouse.click(at["x"], at["y"])
    page.wait_for_function("() => document.querySelector('#tree-1 .search-tree').dataset.selected !== ''")
    page.wait_for_function("() => /B\\s+score/.test(document.querySelector('#detail').innerText)")


def test_no_text_is_obeyed(files: Files, opened: Opened) -> None:
    run = harmful_run(new_run_id())
    file = files.of(run)
    source = file.read_text(encoding="utf-8")
    head, _, _ = source.partition("<style>")
    assert not [harm for harm in HARM if "<" in harm and harm in source]
    assert "default-src 'none'" in head and "connect-src" not in head and "http" not in head.replace("http-equiv", "")
    page = opened(file)
    for node, text in enumerate(HARM, start=1):
        page.evaluate("id => window.dispatchEvent(new CustomEvent('st-pick', {detail: {id}}))", node)
        page.wait_for_selector(f"#detail .here[data-pick='{node}']")
        if "$" not in text and "\\" not in text:
            assert page.text_content(".step-text") == text.strip("\n")
        assert not page.locator(
            "#detail :is(h1, h2, a, img, script, iframe, ul:not(.why), code, blockquote), #problem *"
        ).count()
    assert page.evaluate("window.hacked") is None
    assert page.text_content("#problem") == "\n".join(HARM)


def test_markup_that_slipped_in_would_not_run(files: Files, chromium_page: Callable[..., Any]) -> None:
    page = chromium_page(files.of(large_run(new_run_id(), 10)).as_uri())
    refused = page.evaluate(
        """() => new Promise((resolve) => {
          document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
          const script = document.createElement("script");
          script.textContent = "window.hacked = 1";
          document.body.append(script);
        })"""
    )
    assert refused.startswith("script-src")
    assert page.evaluate("window.hacked") is None


def test_every_script_of_the_tree_is_packed() -> None:
    packed = {name.partition("?")[0] for name in packer.modules()}
    beside = {"rte/plotly_script.js", "rte/words_tree.js"}
    assert packed == {f"rte/{file.name}" for file in STATIC.glob("*.js")} | beside
    assert not [name for name, source in packer.modules().items() if "import.meta.url" in source]


@pytest.mark.parametrize(("nodes", "most"), [(20, 600_000), (2_000, 800_000)])
def test_it_weighs_little_without_plotly(files: Files, nodes: int, most: int) -> None:
    size = files.of(large_run(new_run_id(), nodes)).stat().st_size
    assert size - len(packer.plotly()) < most < 2_000_000


def test_two_thousand_steps_are_drawn(files: Files, opened: Opened) -> None:
    page = opened(files.of(large_run(new_run_id(), 2_000)))
    page.wait_for_selector(f"{TREE}[data-nodes='2002']")
    assert "WebGL is not supported" not in page.inner_text("body")


def test_a_phone_shows_it_without_scrolling_sideways(files: Files, opened: Opened) -> None:
    page = opened(files.of(large_run(new_run_id(), 40)), viewport={"width": 390, "height": 800}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_attribute("#dark", "aria-pressed") == "true"


def test_nothing_but_the_file_is_needed(files: Files, opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = files.of(large_run(new_run_id(), 10))
    elsewhere = tmp_path_factory.mktemp("a folder, elsewhere #1 ?") / "run of mine.html"
    shutil.move(file, elsewhere)
    files.store.close()
    page = opened(elsewhere)
    page.wait_for_selector(f"{TREE}[data-status=done]")


# --- from the pages --------------------------------------------------------------------------------------------------


def test_the_share_menu_downloads_a_run_and_copies_its_link(explore: OpenPage, app: App, opened: Opened) -> None:
    run_id = app.recorded(large_run(new_run_id(), 12))
    page = explore(f"/?run={run_id}&node=3")
    page.wait_for_selector("#strip .share")
    page.focus("#strip .share summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#strip .share[open]")
    assert page.locator("#strip .share a").count() == 6
    with page.expect_download() as downloading:
        page.click("#strip .share a:has-text('HTML')")
    assert downloading.value.suggested_filename == f"beam_search-{run_id[:18]}.html"
    saved = opened(downloading.value.path(), name="run.html")
    saved.wait_for_selector(f"{TREE}[data-run='{run_id}'][data-status=done]")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-do=link]")
    page.wait_for_selector("[data-do=link]:has-text('Link copied')")
    copied_link = page.evaluate("navigator.clipboard.readText()")
    assert f"run={run_id}" in copied_link and "node=3" in copied_link
    page.keyboard.press("Escape")
    page.wait_for_selector("#strip .share:not([open])")


def test_compare_offers_its_runs_as_one_page(app: App, chromium_page: Callable[..., Any], opened: Opened) -> None:
    run_ids = [app.recorded(large_run(new_run_id(), 12, seed)) for seed in (1, 2)]
    page = chromium_page(f"{app.url}/compare?runs={','.join(run_ids)}")
    page.click("#comparison .share summary")
    assert page.locator("#comparison .share a").count() == 1  # made apart, they are no comparison
    with page.expect_download() as downloading:
        page.click("#comparison .share a")
    saved = opened(downloading.value.path(), name="runs.html")
    saved.wait_for_selector(f"#tree-1 .search-tree[data-run='{run_ids[1]}'][data-status=done]")
