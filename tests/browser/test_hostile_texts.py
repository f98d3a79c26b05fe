"""A thousand texts that mean harm in a real browser: on Explore, Compare, Runs, in the lab and on the exported page.

None is obeyed: nothing sets what they would set, no dialog opens, nobody is asked for anything, no policy is broken,
and each page is soon there. As an ordinary test the first of them, with FUZZ=long all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from support.explore_page import TREE, App
from support.hostile import hostile_records, hostile_texts

from engine.runs.importing import import_file

LONG = os.environ.get("FUZZ") == "long"
TEXTS, A_RUN = hostile_texts(1_000 if LONG else 50), 50
#: Steps of a run that are selected, one after another.
SELECTED = 300 if LONG else 40
PATIENCE_MS = 60_000

#: Before any script of a page: what runs what a text says, or is kept from it by the page's policy, leaves a note.
HOOK = """
window.harm = [];
Object.defineProperty(window, 'hacked', {set() { window.harm.push('script'); }, get() { return undefined; }});
for (const name of ['alert', 'confirm', 'prompt', 'open', 'print']) {
  window[name] = () => { window.harm.push(name); };
}
document.addEventListener('securitypolicyviolation', event => {
  window.harm.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@pytest.fixture(scope="module")
def run_ids(app: App, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Runs that hold every text as a problem, a step, an answer, a model's or a judge's name."""
    file = tmp_path_factory.mktemp("hostile") / "texts.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in hostile_records(TEXTS, A_RUN)))
    with ThreadPoolExecutor() as threads:  # Playwright keeps a loop running in this one
        return list(threads.submit(import_file, app.host.store, file).result().run_ids)


@pytest.fixture
def wary(chromium: Any, app: App) -> Iterator[Callable[..., Any]]:
    """Opens an address; fails at the end for every note, dialog, error of a script, and request to somebody else."""
    contexts, pages, told = [], [], []
    ours = urlsplit(app.url).netloc

    def asked(request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws") and address.netloc != ours:
            told.append(f"asked for {request.url}")

    def dismiss(dialog: Any) -> None:
        told.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def open_page(address: str) -> Any:
        context = chromium.new_context(viewport={"width": 1200, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(HOOK)
        page.on("request", asked)
        page.on("dialog", dismiss)
        page.on("pageerror", lambda error: told.append(f"error {error}"))
        pages.append(page)
        page.goto(address)
        return page

    yield open_page
    for page in pages:
        told += page.evaluate("window.harm")
        told += ["left the page"] * (urlsplit(page.url).netloc not in (ours, ""))
    for context in contexts:
        context.close()
    assert not told, told


def test_on_explore(wary: Callable[..., Any], app: App, run_ids: list[str]) -> None:
    for run_id in run_ids:
        page = wary(f"{app.url}/?run={run_id}")
        page.wait_for_selector(f"{TREE}[data-status=done]")
        nodes = int(page.get_attribute(TREE, "data-nodes"))
        for node in range(1, min(nodes, SELECTED + 1)):
            page.evaluate("id => window.dispatchEvent(new CustomEvent('st-pick', {detail: {id}}))", node)
            page.wait_for_selector(f"#detail-facts .here[data-pick='{node}']")
        page.focus("#tree .st-plot")
        for key in ("Home", "ArrowDown", "ArrowDown", "End"):
            page.keyboard.press(key)
        for tab in page.get_by_role("tab").all():
            if tab.is_visible():
                tab.click()


def test_on_compare(wary: Callable[..., Any], app: App, run_ids: list[str]) -> None:
    for first, second in zip(run_ids, [*run_ids[1:], run_ids[0]], strict=True):
        if first == second:
            second = app.solved()
        page = wary(f"{app.url}/compare?runs={first},{second}")
        page.wait_for_function("document.querySelectorAll('.search-tree[data-status=done]').length === 2")


def test_in_the_list_of_runs(wary: Callable[..., Any], app: App, run_ids: list[str]) -> None:
    """With every text as a tag and a note, too."""
    for run_id, text in zip(run_ids, TEXTS, strict=False):
        said = text.encode("utf-8", "replace").decode()
        change = {"do": "describe", "runs": [run_id], "tags": said[:30].replace(",", " "), "note": said[:5_000]}
        httpx.post(f"{app.url}/rte/runs/change", json=change).raise_for_status()
    page = wary(f"{app.url}/runs")
    page.wait_for_selector(f"a[href*='{run_ids[0]}']")
    for run_id in run_ids:
        assert page.locator(f"a[href*='{run_id}']").count()


def test_in_the_lab(wary: Callable[..., Any], app: App, run_ids: list[str]) -> None:
    for run_id in run_ids[: None if LONG else 1]:
        page = wary(f"{app.url}/lab?tab=score&run={run_id}&node=3")
        page.wait_for_selector(".score-judges input")
        page.wait_for_function("document.querySelector('.score-problem').value.length > 0")
    for tab in ("judges", "calibration", "labels", "width", "faults"):
        page = wary(f"{app.url}/lab?tab={tab}")
        page.wait_for_selector("[role=tabpanel]", state="attached")


def test_on_the_exported_page(wary: Callable[..., Any], app: App, run_ids: list[str], tmp_path: Path) -> None:
    from tts_ui.web.share.page import page_of

    for run_id in run_ids:
        file = tmp_path / f"{run_id}.html"
        file.write_bytes(page_of(app.host.store, [run_id], app.host.domains))
        page = wary(file.as_uri())
        page.wait_for_selector("#tree-0 .search-tree")
        page.focus("#tree-0 .st-plot")
        for key in ("Home", "ArrowDown", "End"):
            page.keyboard.press(key)
