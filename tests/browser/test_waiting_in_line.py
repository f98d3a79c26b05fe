"""A request that waits for others says so, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.explore_page import PATIENCE_MS, PROBLEM, App, OpenPage, attribute, fill, is_at_rest, wait_for_text

from engine.runs.host import Host, Running
from engine.runs.limits import Limits
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store
from tts_ui.web.app import launch


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, str]]:
    """The product, with room for one run at a time."""
    with Store.open(str(tmp_path_factory.mktemp("app") / "runs.db")) as store:
        host = Host(store, limits=Limits(runs_at_once=1, max_n=600, max_problem=5000))
        host.catalogue.load()
        served = launch(host)
        yield host, served.url
        served.close()
        host.close()


def busy(app: App) -> Running:
    return app.host.submit(Question(PROBLEM), RunParams("best_of_n", n=512, temperature=1.5))


def test_the_place_in_the_line_is_shown_and_the_run_begins_when_its_turn_comes(explore: OpenPage, app: App) -> None:
    page = explore()
    before = attribute(page, "run")
    ahead = busy(app)
    page.click("#run")
    wait_for_text(page, "#strip", "Waiting in line: yours is next; 1 run is being searched")
    assert attribute(page, "run") == before
    ahead.stop()
    page.wait_for_function(
        "before => document.querySelector('#tree .search-tree').dataset.run !== before", arg=before, timeout=PATIENCE_MS
    )
    is_at_rest(page)


def test_stop_takes_a_request_back(explore: OpenPage, app: App) -> None:
    page = explore()
    ahead = busy(app)
    runs = app.runs()
    page.click("#run")
    wait_for_text(page, "#strip", "Waiting in line")
    page.click("#stop:not([disabled])")
    wait_for_text(page, "#notice", "taken back before it began")
    is_at_rest(page)
    ahead.stop()
    assert ahead.ended.wait(30)
    assert app.runs() == runs and not app.host.running


def test_compare_says_so_too(chromium_page: Callable[..., Any], app: App) -> None:
    ahead = busy(app)
    page = chromium_page(app.url + "/compare")
    page.click("#run")
    wait_for_text(page, "#notice", "Waiting in line: yours is next; 1 run is being searched")
    ahead.stop()
    page.wait_for_selector("#head-a .run-head", timeout=PATIENCE_MS)
    is_at_rest(page)


def test_a_ceiling_is_told_at_its_field(explore: OpenPage, app: App) -> None:
    page = explore()
    fill(page, "n", "604")
    page.click("#run")
    wait_for_text(page, "#n .validation-error", "604 completions are too many; give at most 600")
    fill(page, "n", "16")
    fill(page, "problem", "7 + " * 1251)
    page.click("#run")
    wait_for_text(page, "#problem .validation-error", "5,004 characters are too many; give at most 5,000")
