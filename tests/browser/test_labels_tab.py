"""The Labels tab of the lab: who has labelled, how raters agree, the steps where they differ, and labels as files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.explore_page import TREE, App, fill, wait_for_text

from engine.runs.lab.sources import EXACT


@pytest.fixture(scope="module")
def run_ids(app: App) -> list[str]:
    """Two runs that Ann and Bob have labelled; they differ on one step."""
    ids = [app.solved(strategy="best_of_n", n=4, seed=seed) for seed in (21, 22)]
    for run_id in ids:
        tree = app.host.store.tree(run_id)
        app.host.store.label(run_id, "Ann", {node.id: 1 for node in tree.nodes[1:3]})
        app.host.store.label(run_id, "Bob", {node.id: 1 for node in tree.nodes[1:3]})
    app.host.store.label(ids[0], "Bob", {1: -1})
    return ids


def shown(page: Any, url: str, run_ids: list[str], labeller: str = "") -> None:
    page.goto(f"{url}/lab?tab=labels&q={','.join(run_ids)}")
    page.wait_for_selector("#labels-go", state="visible")
    page.wait_for_function("ids => document.querySelector('#chosen-q textarea, #chosen-q input').value === ids",
                           arg=",".join(run_ids))  # fmt: skip
    if labeller:
        fill(page, "labels-name", labeller)
    page.click("#labels-go")


def test_raters_are_compared_and_a_cell_leads_to_where_they_differ(
    app: App, chromium_page: Any, run_ids: list[str]
) -> None:
    page = chromium_page()
    shown(page, app.url, run_ids)
    wait_for_text(page, "#labels", "Agreement")
    table = page.locator("#labels .agreement tbody tr")
    rows = {tuple(row.locator("td").all_inner_texts()[:2]): row for row in table.all()}
    pair = rows["labels: Ann", "labels: Bob"].locator("td")
    assert pair.all_inner_texts()[2:4] == ["4", "75%"]
    assert ("labels: Ann", EXACT) in rows
    rows["labels: Ann", "labels: Bob"].locator("summary").click()
    link = rows["labels: Ann", "labels: Bob"].locator("li a")
    assert link.count() == 1 and "Ann: right, Bob: wrong" in link.inner_text()
    link.click()
    page.wait_for_selector(f"{TREE}[data-run='{run_ids[0]}'][data-selected='1']")
    wait_for_text(page, "#detail-facts .truths", "labels: Bob")


def test_the_selection_s_labels_are_a_file(app: App, chromium_page: Any, run_ids: list[str]) -> None:
    page = chromium_page()
    shown(page, app.url, run_ids)
    wait_for_text(page, "#labels", "Give a labeller")
    shown(page, app.url, run_ids, "Ann")
    wait_for_text(page, "#labels", "The labels of Ann")
    wait_for_text(page, "#labels", "Next for Ann")
    with page.expect_download() as download:
        page.click("#labels a[href*='/trl?']")
    records = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    assert {record["prompt"] for record in records} and all(all(record["labels"]) for record in records)
