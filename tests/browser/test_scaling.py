"""The Scaling page in a browser: a figure with points, an address that says it all, the way to a tree, files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.accessibility import faults
from support.explore_page import PATIENCE_MS, App
from support.small_sweep import swept

POINTS = ".scaling-curves .point"
PLOT = ".scaling-curves"


@pytest.fixture(scope="module")
def sweep(app: App) -> str:
    return swept(app.host)


OpenPage = Callable[..., Any]


@pytest.fixture
def scaling(app: App, sweep: str, chromium_page: Callable[..., Any]) -> OpenPage:
    """Opens the page when its figure has been drawn: `scaling("x=tokens", width=390)`."""

    def open_page(query: str = "", **options: Any) -> Any:
        page = chromium_page(f"{app.url}/scaling?sweep={sweep}&{query}", **options)
        drawn(page)
        return page

    return open_page


def drawn(page: Any) -> None:
    page.wait_for_selector(POINTS, timeout=PATIENCE_MS, state="attached")  # a mark may be a line of no height
    page.wait_for_selector(".scaling[aria-busy=false]")


def line(page: Any, name: str) -> dict[str, Any]:
    """What Plotly drew for a line."""
    script = f"name => document.querySelector('{PLOT}').data.find((line) => line.name === name)"
    return dict(page.evaluate(script, name))


def choose(page: Any, name: str, value: str) -> None:
    page.select_option(f".scaling [name={name}]:not(.scaling-start *)", value)
    page.wait_for_function("value => new URL(location).searchParams.get(value[0]) === value[1]", arg=[name, value])
    page.wait_for_selector(".scaling[aria-busy=false]")


def table(page: Any) -> list[list[str]]:
    return [
        [cell.strip() for cell in row.inner_text().split("\t")][-8:] for row in page.locator("[data-point]").all()
    ]  # fmt: skip


def test_the_figure_has_every_point_of_the_table(scaling: OpenPage) -> None:
    page = scaling()
    rows = table(page)
    beam = [row for row in rows if row[0] == "Beam search"]
    assert [row[1] for row in beam] == ["4", "8"]
    assert [f"{height:.1f}" for height in line(page, "Beam search")["y"]] == [row[2].split()[0] for row in beam]


def test_another_axis_moves_the_points_and_is_in_the_address(scaling: OpenPage, app: App) -> None:
    page = scaling()
    before = line(page, "Beam search")["x"]
    choose(page, "x", "flops_all")
    page.wait_for_function(f"document.querySelector('{PLOT}').layout.xaxis.title.text.startsWith('FLOPs')")
    after = line(page, "Beam search")["x"]
    assert [round(n) for n in before] == [4, 8] and min(after) > 1e6
    page.go_back()
    page.wait_for_function(f"document.querySelector('{PLOT}').layout.xaxis.title.text.startsWith('N')")
    assert line(page, "Beam search")["x"] == before


def test_a_shared_address_shows_the_same(scaling: OpenPage, chromium_page: Callable[..., Any]) -> None:
    page = scaling()
    choose(page, "x", "tokens")
    choose(page, "by", "bin")
    page.get_by_role("button", name="easy").first.click()
    page.wait_for_selector(".scaling-point:not([hidden]) li")
    other = chromium_page(page.url)
    drawn(other)
    other.wait_for_selector(".scaling-point:not([hidden]) li")
    assert table(other) == table(page)
    assert other.input_value("[name=x]") == "tokens" and other.input_value("[name=by]") == "bin"
    assert other.inner_text(".scaling-point h2") == page.inner_text(".scaling-point h2")


def test_from_a_point_to_a_tree_in_two_clicks(scaling: OpenPage, app: App) -> None:
    page = scaling()
    last = page.locator(f"{PLOT} .scatterlayer .trace:has(.errorbar)").last.locator(".point").last
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    first = page.locator(".scaling-point li a").first
    first.wait_for()
    outcome = page.locator(".scaling-point li span").first.inner_text()
    first.click()
    page.wait_for_selector("#tree .search-tree[data-status=done]", timeout=PATIENCE_MS)
    run = page.evaluate("new URL(location).searchParams.get('run')")
    assert bool(app.host.store.run(run).correct) is (outcome == "right")


def test_two_ticked_points_are_compared(scaling: OpenPage) -> None:
    page = scaling()
    for name in ("Compare Beam search at N 8", "Compare Greedy at N 1"):
        page.get_by_role("checkbox", name=name).check()
        page.wait_for_selector(".scaling[aria-busy=false]")
    page.wait_for_selector(".scaling-compared h2")
    assert "paired over 12 problems" in page.inner_text(".scaling-compared")


def test_the_files_have_the_numbers_of_the_page(
    scaling: OpenPage, tmp_path: Path, chromium_page: Callable[..., Any]
) -> None:
    page = scaling("x=tokens")
    files = {}
    for kind, role in (("CSV", "link"), ("HTML", "link"), ("PNG", "button")):
        with page.expect_download() as download:
            page.get_by_role(role, name=kind, exact=True).click()
        files[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[kind])
    with files["CSV"].open() as file:
        written = [row for row in csv.DictReader(file) if row["kind"] == "measured"]
    assert [[row["line"], row["n"], f"{100 * float(row['accuracy']):.1f}"] for row in written] == [
        [row[0], row[1], row[2].split()[0]] for row in table(page)
    ]
    assert files["PNG"].read_bytes().startswith(b"\x89PNG") and files["PNG"].stat().st_size > 10_000
    requests: list[str] = []
    alone = chromium_page()
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto(files["HTML"].as_uri())
    alone.wait_for_selector("#curves .point", state="attached")
    assert requests == [files["HTML"].as_uri()]
    assert alone.locator("tbody tr").count() == len(written)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(scaling: OpenPage, dark: bool) -> None:
    page = scaling("published=5-math-500", dark=dark)
    page.click(".scaling-all")
    page.click(".scaling-more summary")
    page.get_by_role("button", name="Beam search").first.click()
    page.wait_for_selector(".scaling-point:not([hidden]) li")
    assert faults(page) == []


def test_a_phone_scrolls_only_down(scaling: OpenPage) -> None:
    page = scaling("published=5-math-500", width=390, height=844, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def begin(page: Any, limit: int, n: str, strategies: tuple[str, ...]) -> None:
    """Fills the form of a new sweep and presses its button, when the plan has said what that costs."""
    if page.locator(".scaling-start").is_hidden():
        page.click(".scaling-new")
    page.select_option(".scaling-begin [name=problems]", "builtin-1000")
    page.fill(".scaling-begin [name=limit]", str(limit))
    page.fill(".scaling-begin [name=n]", n)
    for tick in page.locator(".scaling-begin [name=strategies]").all():
        tick.set_checked(tick.get_attribute("value") in strategies)
    page.locator(".scaling-begin").get_by_text(f"{limit} problems under").wait_for(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Start the sweep").click()
    page.wait_for_selector(".scaling-running progress", timeout=PATIENCE_MS)


def begun(app: App, page: Any) -> str:
    """The id of the sweep that the page's address is about, once it is about another."""
    running = app.host.sweeping
    assert running is not None
    page.wait_for_function(
        "id => new URL(location).searchParams.get('sweep') === id", arg=running.plan.id, timeout=PATIENCE_MS
    )
    return running.plan.id


def test_a_sweep_is_started_followed_and_seen(app: App, scaling: OpenPage) -> None:
    page = scaling("strategy=beam_search")
    address = page.url
    page.click(".scaling-new")
    page.select_option(".scaling-begin [name=problems]", "builtin-easy")
    assert page.url == address and page.input_value("[name=n][form]") == "8"  # the figure's choices are not the form's
    begin(page, 40, "4,16", ("greedy", "beam_search"))
    sweep = begun(app, page)
    assert "strategy=" not in page.url  # what was asked of another sweep
    assert " of 120 runs" in page.inner_text(".scaling-running")
    page.wait_for_function("!document.querySelector('.scaling-running progress')", timeout=120_000)
    drawn(page)
    assert app.host.store.find_sweep(sweep).status == "done"
    assert [(row[0], row[1], row[3]) for row in table(page)] == [
        ("Beam search", "4", "40"), ("Beam search", "16", "40"), ("Greedy", "1", "40")
    ]  # fmt: skip
    page.click(".scaling-all")
    page.locator(f"[data-sweep='{sweep}'] a").click()
    page.wait_for_selector(".runs[aria-busy=false] tbody tr", timeout=PATIENCE_MS)
    assert page.inner_text(".runs-count") == "120 runs"
    page.wait_for_selector(".runs label:not([hidden]) > [name=sweep]")
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_function("document.querySelector('.runs-count').innerText !== '120 runs'")
    assert "sweep" not in page.url


def test_a_sweep_is_stopped_and_keeps_what_is_over(app: App, scaling: OpenPage) -> None:
    page = scaling()
    begin(page, 300, "64", ("best_of_n", "dvts"))
    sweep = begun(app, page)
    page.wait_for_function("document.querySelector('.scaling-running progress').value > 0", timeout=120_000)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function("!document.querySelector('.scaling-running progress')", timeout=60_000)
    record = app.host.store.find_sweep(sweep)
    assert record.status == "stopped" and 0 < record.done < record.planned
    drawn(page)
    page.click(".scaling-all")
    assert "stopped" in page.inner_text(f"[data-sweep='{sweep}']")


def test_hatching_survives_another_address(scaling: OpenPage) -> None:
    """Plotly names it by the address at which it drew; under another one nothing would be painted."""
    page = scaling()
    page.get_by_role("button", name="Beam search").first.click()
    page.wait_for_selector(".scaling-point:not([hidden]) li")
    page.wait_for_selector(".scaling[aria-busy=false]")
    bars = page.locator(".scaling-bars .point path").evaluate_all("all => all.map((path) => path.style.fill)")
    hatched = [fill for fill in bars if fill.startswith("url(")]
    assert hatched
    assert {fill.split('"')[1].split("#")[0] for fill in hatched} <= {page.url, ""}


def test_without_a_sweep_the_page_says_what_to_do(chromium_page: Callable[..., Any], tmp_path: Path) -> None:
    from engine.runs.host import Host
    from engine.store import Store
    from tts_ui.web.app import launch

    with Store.open(str(tmp_path / "empty.db")) as store:
        host = Host(store)
        served = launch(host)
        page = chromium_page(f"{served.url.rstrip('/')}/scaling")
        page.wait_for_selector(".scaling-empty h2")
        assert "tts-ui sweep" in page.inner_text(".scaling-empty code")
        page.get_by_role("button", name="Start the sweep").wait_for()
        assert page.locator(".scaling-which").is_hidden() and page.locator(".scaling-all").is_hidden()
        assert faults(page) == []
        served.close()
        host.close()


def test_ties_follow_the_n_of_the_bars_and_guessed_difficulty_unfolds(scaling: OpenPage) -> None:
    page = scaling("n=8")
    assert page.input_value("select[name=n]") == "8"
    choose(page, "n", "4")
    assert page.inner_text(".scaling-ties").startswith("At N = 4, over 12 problems: ")
    page.click(".scaling-guesses summary")
    cells = page.locator(".scaling-confusion td")
    cells.first.wait_for()
    assert sum(int(count) for count in cells.all_inner_texts()) == 12
    assert faults(page) == []
