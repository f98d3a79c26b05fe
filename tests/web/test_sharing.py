"""Runs as files from a server, and what a file tells: what is on the list, and nothing about where it was made."""

from __future__ import annotations

import json
import re
import socket
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from support.finished_runs import Solve
from support.harmful import harmful_run
from support.sample_runs import started, whole_run
from support.site import Site

from engine.domains import Domains
from engine.search.events import Event, RunFinished, RunStarted, Usage
from engine.search.tree import Tree
from engine.store import Store
from engine.store.exporters import FORMATS
from engine.store.ids import new_run_id
from tts_ui.web.parts.feed import Feed
from tts_ui.web.share.menu import menu
from tts_ui.web.share.routes import file_name
from tts_ui.web.share.story import Teller

#: All that a page tells of a run, and of a step.
RUN = {
    "letter", "label", "id", "created", "problem", "reference", "policy", "judge", "settings", "status", "answer",
    "outcome", "correct", "votes", "cost", "chosen", "answers", "steps", "lines",
}  # fmt: skip
STEP = {"parent", "depth", "status", "text", "scores", "why", "facts", "answer", "correct", "outcome"}
#: The lines of the tree: of those that come once a run the entries; of those that come once a step their kinds, and the
#: entries of the object at their end.
LINES = {"t", "id", "root", "j", "s", "x", "e", "l", "ok", "status"}
KINDS, RARE = {"n", "c", "v", "x", "d"}, {"k", "f", "c", "o", "a", "r", "n", "m", "u"}


def recorded(site: Site, events: list[Event]) -> str:
    first = events[0]
    assert isinstance(first, RunStarted)
    site.host.store.record(events, Usage(generated_tokens=7), first.run_id)
    site.host.store.flush(first.run_id)
    return first.run_id


def a_run(site: Site) -> str:
    run_id = new_run_id()
    return recorded(site, [event for part in whole_run(run_id) for event in part])


def a_failure(site: Site) -> str:
    """A run that failed for a reason that names a folder and a key."""
    run_id = new_run_id()
    return recorded(site, [started(run_id), RunFinished("failed", error="/secret/folder sk-secret http://10.0.0.1")])


@pytest.mark.parametrize("format", [*FORMATS, "html"])
def test_whoever_knows_the_whole_id_has_the_file(public: Site, format: str) -> None:
    run_id = a_run(public)
    answer = httpx.get(f"{public.url}export/{run_id}/{format}")
    assert answer.status_code == 200
    assert re.fullmatch(
        rf'attachment; filename="beam_search-[0-9a-z]{{18}}\.{format}"', answer.headers["content-disposition"]
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "text/html" not in answer.headers["content-type"]
    assert answer.content
    for beginning in (run_id[:18], run_id[:-1], f"{run_id[:-1]}%25", run_id.upper()):
        refused = httpx.get(f"{public.url}export/{beginning}/{format}")
        assert refused.status_code == 404 and run_id not in refused.text


def test_what_is_refused(public: Site) -> None:
    one, other = a_run(public), a_run(public)
    for path in (
        f"{one}/exe", f"{one}/../html", f"{one}/html/x", f"{one},{one}/html", f"{one},{other}/png", "/html",
        f"{one},{other}/json", f"{','.join([one, other, 'a', 'b', 'c'])}/html", f"{one}/HTML",
        quote("../../etc/passwd", safe="") + "/json",
    ):  # fmt: skip
        assert httpx.get(f"{public.url}export/{path}").status_code == 404, path
    assert httpx.post(f"{public.url}export/{one}/json").status_code == 405
    assert httpx.get(f"{public.url}export/{one},{other}/html").status_code == 200


def test_strangers_are_not_told_why_a_run_failed(public: Site, own: Site) -> None:
    for format in (*FORMATS, "html"):
        told = httpx.get(f"{public.url}export/{a_failure(public)}/{format}").text
        assert "secret" not in told and "10.0.0.1" not in told, format
    assert "/secret/folder" in httpx.get(f"{own.url}export/{a_failure(own)}/json").text


def told(store: Store, *run_ids: str) -> list[dict[str, Any]]:
    with Domains() as domains:
        return Teller(domains).runs([Feed(store, run_id, discreet=True) for run_id in run_ids])


def test_a_page_tells_what_is_on_the_list(own: Site, solved: Solve) -> None:
    found = solved("beam_search", n=8, width=4)
    run_ids = [recorded(own, list(found.events)), recorded(own, harmful_run(new_run_id())), a_failure(own)]
    runs = told(own.host.store, *run_ids)
    for run in runs:
        assert set(run) == RUN
        assert all(set(step) <= STEP for step in run["steps"])
        for line in map(json.loads, run["lines"].splitlines()):
            if isinstance(line, dict):
                assert set(line) <= LINES
            else:
                assert line[0] in KINDS and not any(set(part) - RARE for part in line if isinstance(part, dict))
    written = json.dumps(runs)
    for run_id in run_ids:
        written = written.replace(run_id, "")  # it is random, and may hold a short host name
    for private in ("secret", socket.gethostname(), own.host.store.url, "token_ids", "heartbeat", "digest", "dtype"):
        assert private not in written
    tree = Tree.from_events(found.events)
    assert [step["parent"] for step in runs[0]["steps"]] == [node.parent for node in tree.nodes]
    assert runs[0]["chosen"] == tree.chosen and runs[0]["answer"] == found.record.answer


def test_settings_of_nobody_s_knowledge_are_left_out(own: Site) -> None:
    run_id = new_run_id()
    first = started(run_id)
    asked = RunStarted(**{
        name: getattr(first, name) for name in first.__dataclass_fields__ if name not in ("seq", "params")
    }, params={**first.params, "api_key": "sk-secret"})  # fmt: skip
    [run] = told(own.host.store, recorded(own, [asked, RunFinished("done")]))
    assert "sk-secret" not in json.dumps(run)
    assert ["N", "4"] in run["settings"]


def test_texts_come_in_pieces_with_their_formulas(own: Site) -> None:
    [run] = told(own.host.store, recorded(own, harmful_run(new_run_id())))
    texts = [step["text"] for step in run["steps"][1:]]
    assert ["${alert(1)}"] in texts
    assert [("x^2", False), " is maths"] in texts
    assert [("\\boxed{42}", False)] in texts
    assert ["$5 and $6"] in texts
    assert ["## no heading\n- no list\n> no quote\n\n    no code"] in texts


def test_the_menu_offers_what_there_is(own: Site) -> None:
    records = [own.host.store.whole_run(a_run(own)) for _ in range(2)]
    ids = ",".join(record.id for record in records)
    assert re.findall(r'href="\./export/([^"]+)"', menu(records[:1])) == [
        f"{records[0].id}/{format}" for format in ("html", *FORMATS)
    ]
    assert re.findall(r'href="\./export/([^"]+)"', menu(records)) == [f"{ids}/html"]
    assert re.findall(r'href="\./export/([^"]+)"', menu(records, one_comparison=True)) == [f"{ids}/html", f"{ids}/json"]


def test_a_file_s_name_is_tame() -> None:
    assert file_name("beam_search", 'a"b\r\n../c:d', "csv") == "beam_search-a-b-c-d.csv"
    assert len(file_name("x" * 500, "y" * 500, "csv")) < 80
