"""The Runs page in a real browser: finding, tagging, deleting, comparing and opening runs, by mouse and by keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.explore_page import PATIENCE_MS, TREE, App, no_horizontal_scroll, wait_for
from support.sample_runs import flat, started, whole_run

from engine.runs.question import Question
from engine.search.events import RunFinished, Usage
from engine.search.params import RunParams
from engine.store.document import document
from engine.store.ids import new_run_id

LIST = ".runs[aria-busy=false]"


@pytest.fixture
def runs(app: App, chromium_page: Callable[..., Any], page_errors: list[str]) -> Callable[..., Any]:
    """Opens the page: `runs("?tag=x", width=390)`."""

    def open_page(query: str = "", **options: Any) -> Any:
        page = chromium_page(**options)
        page.on("console", lambda message: page_errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{app.url}/runs{query}")
        page.wait_for_selector(LIST, timeout=PATIENCE_MS)
        return page

    return open_page


@pytest.fixture
def tag() -> str:
    """A tag of this test's own runs."""
    return new_run_id()[-10:]


def add(app: App, tag: str, *, note: str | None = None, ended: bool = True, **asked: Any) -> str:
    run_id = new_run_id()
    first, *rest = flat(whole_run(run_id))
    events = [replace(started(run_id), **asked), *(rest if ended else rest[:3])]
    app.host.store.record(events, Usage(generated_tokens=1240, wall_s=0.4), run_id)
    app.host.store.flush(run_id)
    app.host.store.describe(run_id, (tag,), note)
    return run_id


def shown(page: Any) -> list[str]:
    return list(page.locator(".runs tbody tr[data-id]").evaluate_all("rows => rows.map((row) => row.dataset.id)"))


def shows(page: Any, *run_ids: str) -> None:
    """Waits until these are the rows, in this order."""
    page.wait_for_function(
        "ids => JSON.stringify([...document.querySelectorAll('.runs tbody tr[data-id]')].map((row) => row.dataset.id))"
        " === JSON.stringify(ids)",
        arg=list(run_ids),
    )


def part(page: Any, run_id: str, name: str) -> Any:
    return page.locator(f"tr[data-id='{run_id}'] [data-part={name}]")


def test_search_filters_and_order_are_in_the_address_and_back_undoes_them(
    runs: Callable[..., Any], app: App, tag: str
) -> None:
    old = add(app, tag, problem="apples and pears", created_at="2026-01-02T00:00:00Z")
    new = add(app, tag, problem="only pears", created_at="2026-02-03T00:00:00Z", strategy="dvts")
    page = runs(f"?tag={tag}")
    shows(page, new, old)
    page.fill(".runs [name=q]", "APPLES")
    shows(page, old)
    assert "q=APPLES" in page.url and f"tag={tag}" in page.url
    page.fill(".runs [name=q]", "")
    shows(page, new, old)
    page.select_option(".runs [name=sort]", "oldest")
    shows(page, old, new)
    page.select_option(".runs [name=strategy]", label="DVTS")
    shows(page, new)
    assert "strategy=dvts" in page.url and "sort=oldest" in page.url
    page.go_back()
    shows(page, old, new)
    assert page.input_value(".runs [name=strategy]") == ""
    page.go_forward()
    shows(page, new)
    page.reload()
    page.wait_for_selector(LIST)
    shows(page, new)
    assert page.input_value(".runs [name=strategy]") == "dvts"
    page.fill(".runs [name=until]", "2026-01-31")
    page.wait_for_selector(".runs-list .hint >> text=No run matches")
    page.click(".runs-list >> text=Clear filters")
    page.wait_for_function("!new URL(location.href).searchParams.has('tag')")


def test_a_filter_that_is_none_is_told(runs: Callable[..., Any], page_errors: list[str]) -> None:
    page = runs("?since=soon")
    page.wait_for_selector(".runs-error >> text=write it as 2026-11-30")
    page_errors.clear()  # the refusal's status


def test_pages(runs: Callable[..., Any], app: App, tag: str) -> None:
    run_ids = [add(app, tag, created_at=f"2026-01-01T00:00:{number:02}Z") for number in range(52)]
    page = runs(f"?tag={tag}")
    shows(page, *run_ids[:1:-1])
    page.click(".runs-pages >> text=Next")
    shows(page, run_ids[1], run_ids[0])
    assert "page=2" in page.url and page.locator(".runs-pages >> text=Next").is_disabled()
    page.go_back()
    shows(page, *run_ids[:1:-1])


def test_tags_and_a_note_by_keyboard(runs: Callable[..., Any], app: App, tag: str) -> None:
    run_id = add(app, tag)
    page = runs(f"?tag={tag}")
    shows(page, run_id)
    part(page, run_id, "edit").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "tags"
    page.keyboard.press("Escape")
    assert page.locator(".runs-editor").count() == 0
    assert page.evaluate("document.activeElement.dataset.part") == "edit"
    page.keyboard.press("Enter")
    page.keyboard.type(", <i>odd</i>")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong at step 3 <script>alert(1)</script>")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".runs-note >> text=wrong at step 3 <script>alert(1)</script>")
    assert page.locator(".runs-tag").all_inner_texts() == sorted([tag, "<i>odd</i>"])
    [listed] = app.host.store.runs(tag=tag)
    assert listed.note == "wrong at step 3 <script>alert(1)</script>"
    page.click(".runs-tag >> text=odd")
    page.wait_for_function("new URL(location.href).searchParams.get('tag') === '<i>odd</i>'")
    page.wait_for_selector(LIST)  # else the row that is clicked is about to be drawn anew
    shows(page, run_id)
    part(page, run_id, "edit").click()
    page.fill(".runs-editor [name=tags]", "x" * 60)
    page.click(".runs-editor >> text=Save")
    page.wait_for_selector(".runs-editor .bad >> text=longer than 40 characters")


def test_delete_and_undo(runs: Callable[..., Any], app: App, tag: str) -> None:
    first, second = (add(app, tag, created_at=f"2026-01-0{day}T00:00:00Z") for day in (1, 2))
    page = runs(f"?tag={tag}")
    shows(page, *(order := [second, first]))
    part(page, first, "delete").click()
    shows(page, second)
    page.keyboard.press("Enter")  # Undo has the focus
    shows(page, *order)
    for run_id in order:
        part(page, run_id, "tick").check()
    page.click(".runs-ticked >> text=Delete 2")
    page.wait_for_selector(".runs-list .hint >> text=No run matches")
    page.select_option(".runs [name=outcome]", "deleted")
    shows(page, *order)
    part(page, first, "restore").click()
    shows(page, second)
    page.select_option(".runs [name=outcome]", "")
    shows(page, first)


def test_what_is_running_or_came_with_the_tool_cannot_be_deleted(runs: Callable[..., Any], app: App, tag: str) -> None:
    run_id = add(app, tag, ended=False)
    page = runs(f"?tag={tag}")
    shows(page, run_id)
    assert not part(page, run_id, "delete").count() and "searching" in page.inner_text(f"tr[data-id='{run_id}']")
    app.host.store.record([RunFinished("done", answer="7", correct=True)], Usage(), run_id)
    part(page, run_id, "delete").wait_for(timeout=PATIENCE_MS)  # the list looks again by itself
    page = runs("?origin=example")
    assert shown(page) and not page.locator("[data-part=delete]").count()


def test_two_to_four_are_compared(runs: Callable[..., Any], app: App, tag: str) -> None:
    strategies = ("dvts", "best_of_n", "beam_search", "mcts", "greedy")
    run_ids = [
        add(app, tag, created_at=f"2026-01-0{number}T00:00:00Z", strategy=strategy)
        for number, strategy in enumerate(strategies, 1)
    ]
    page = runs(f"?tag={tag}&sort=oldest")
    shows(page, *run_ids)
    part(page, run_ids[0], "tick").check()
    assert not page.locator(".runs-compare").count()
    page.locator("[data-part=all]").check()
    page.wait_for_selector(".runs-ticked >> text=5 ticked")
    assert not page.locator(".runs-compare").count()
    for run_id in run_ids[2:]:
        part(page, run_id, "tick").uncheck()
    page.click(".runs-compare")
    page.wait_for_selector("#tree-b .search-tree[data-status=done]", timeout=PATIENCE_MS)
    assert f"runs={run_ids[0]},{run_ids[1]}" in page.url
    page.go_back()
    shows(page, *run_ids)


def test_comparisons_are_listed_and_opened(runs: Callable[..., Any], app: App) -> None:
    asked = [RunParams(strategy, n=4, width=2) for strategy in ("best_of_n", "dvts")]
    comparing = app.host.compare(Question("What is 17 + 25 - 4?"), asked)
    ids = [running.id for running in comparing.runs]
    for running in comparing.runs:
        running.future.result(timeout=60)
        app.host.store.flush(running.id)
    page = runs("?q=17+%2B+25")
    assert set(shown(page)) == set(ids)
    page.click("[data-kind=comparisons]")
    page.wait_for_function("document.querySelectorAll('.runs-members li').length === 2")
    assert page.locator(".runs-members a").all_inner_texts() == ["Best of N", "DVTS"]
    page.locator("tr[data-id] [data-part=open]").click()
    page.wait_for_selector("#tree-b .search-tree[data-status=done]", timeout=PATIENCE_MS)
    assert f"runs={','.join(ids)}" in page.url
    page.go_back()
    page.click("[data-kind='']")
    page.locator(".runs tbody >> text=compared with 1 other").first.click()
    page.wait_for_selector("#tree-b .search-tree[data-status=done]", timeout=PATIENCE_MS)


def test_files_are_opened_by_button_and_by_drop(runs: Callable[..., Any], app: App, tag: str, tmp_path: Path) -> None:
    whole = document(*app.host.store.read(add(app, tag)))
    ids = [new_run_id(), new_run_id()]
    paths = [tmp_path / "one.json", tmp_path / "two.json"]
    for run_id, path in zip(ids, paths, strict=True):
        path.write_text(json.dumps(whole | {"run": whole["run"] | {"id": run_id}}))
    page = runs("?origin=import")
    page.set_input_files(".runs-pick", paths[0])
    page.wait_for_selector(".runs-says >> text=one.json: 1 new run")
    part(page, ids[0], "open").wait_for()
    page.set_input_files(".runs-pick", paths[0])
    page.wait_for_selector(".runs-says >> text=one run was here already")
    page.evaluate(
        """([name, text]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], name));
          for (const kind of ["dragenter", "dragover", "drop"]) {
            const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
            document.querySelector(".runs").dispatchEvent(event);
          }
        }""",
        ["two.json", paths[1].read_text()],
    )  # fmt: skip
    page.wait_for_selector(".runs-says >> text=two.json: 1 new run")
    paths[0].write_text("no run at all")
    page.set_input_files(".runs-pick", paths[0])
    page.wait_for_selector(".runs-says .bad >> text=one.json, line 1: it is not JSON")
    paths[1].write_text(json.dumps(whole | {"run": whole["run"] | {"id": (last := new_run_id())}}))
    page.set_input_files(".runs-pick", paths[1])
    page.click(".runs-says >> text=Show it")
    wait_for(page, run=last, status="done")


def test_by_keyboard_from_the_search_to_the_run(runs: Callable[..., Any], app: App, tag: str) -> None:
    run_ids = [
        add(app, tag, problem=f"problem {number} {tag}", created_at=f"2026-01-0{number}T00:00:00Z")
        for number in (3, 2, 1)
    ]
    page = runs()
    page.keyboard.press("/")
    page.keyboard.type(tag)
    shows(page, *run_ids)
    part(page, run_ids[0], "open").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{TREE}[data-run='{run_ids[1]}'][data-status=done]", timeout=PATIENCE_MS)


def test_every_control_can_be_reached_with_tab(runs: Callable[..., Any], app: App, tag: str) -> None:
    run_id = add(app, tag, note="a note")
    page = runs(f"?tag={tag}")
    shows(page, run_id)
    page.focus(".runs [name=q]")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.name || e.dataset.part || e.dataset.kind || e.className || e.tagName)(document.activeElement)"
            )
        )
    assert {"strategy", "models", "judge", "outcome", "origin", "tag", "since", "until", "sort", "comparisons",
            "runs-clear", "runs-open", "all", "tick", "open", "runs-tag", "edit", "delete"} <= reached  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_needs_no_sideways_scrolling(runs: Callable[..., Any], app: App, tag: str, dark: bool) -> None:
    run_id = add(app, tag, problem="x" * 300, note="y" * 300)
    page = runs(f"?tag={tag}", width=390, height=844, dark=dark, touch=True)
    shows(page, run_id)
    no_horizontal_scroll(page)
    page.click(".runs-unfold")
    page.wait_for_selector(".runs [name=since]", state="visible")
    part(page, run_id, "edit").click()
    part(page, run_id, "tick").check()
    no_horizontal_scroll(page)
    page.locator("[data-do=large]").click()
    page.wait_for_selector("html.large")
    no_horizontal_scroll(page)
