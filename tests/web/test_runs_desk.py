"""What the Runs page asks of the server, and what it is told: on one's own machine, and on a public server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.recorded import PROBLEM
from support.sample_runs import record_all, started, whole_run
from support.site import Site
from support.visitor import Visitor, visiting

from engine.search.events import Usage
from engine.store.document import document
from engine.store.ids import new_run_id

FILE = {"content-type": "application/octet-stream"}


def listed(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.get("rte/runs", params=asked)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def ids(client: httpx.Client, **asked: Any) -> list[str]:
    return [row["id"] for row in listed(client, **asked)["rows"]]


def change(client: httpx.Client, do: str, *run_ids: str, **more: str) -> httpx.Response:
    return client.post("rte/runs/change", json={"do": do, "runs": list(run_ids), **more})


def opened(client: httpx.Client, content: bytes) -> dict[str, Any]:
    """The last thing that is said of a file."""
    return dict(json.loads(client.post("rte/runs/file", content=content, headers=FILE).text.splitlines()[-1]))


def recorded(site: Site) -> str:
    run_id = new_run_id()
    record_all(site.host.store, run_id, whole_run(run_id))
    site.host.store.flush()
    return run_id


@pytest.fixture
def mine(own: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own.url) as client:
        yield client


def test_a_row_says_what_a_run_was_and_what_came_of_it(own: Site, mine: httpx.Client) -> None:
    run_id = recorded(own)
    [row] = [row for row in listed(mine)["rows"] if row["id"] == run_id]
    said = {name: row[name] for name in ("problem", "strategy", "settings", "models", "judge", "answer", "outcome")}
    assert said == {
        "problem": "What is 3 + 4?", "strategy": "Beam search", "settings": "N 4, M 2", "models": "built-in",
        "judge": "built-in-prm", "answer": "7", "outcome": "correct",
    }  # fmt: skip
    assert (row["when"], row["mine"], row["deletable"]) == ("2026-01-02 03:04", True, True)


def test_filters_that_are_none_are_told_at_their_field(mine: httpx.Client) -> None:
    for asked, argument in (
        ({"since": "soon"}, "since"), ({"outcome": "x"}, "outcome"), ({"page": "0"}, "page"), ({"page": "x"}, "page"),
        ({"sort": "x"}, "sort"),
    ):  # fmt: skip
        answer = mine.get("rte/runs", params=asked)
        assert answer.status_code == 422 and answer.json()["argument"] == argument
        assert "\n" not in answer.json()["error"]


def test_pages_end_where_the_list_ends(own: Site, mine: httpx.Client) -> None:
    tag = new_run_id()[-12:]
    for _ in range(51):
        own.host.store.describe(recorded(own), (tag,), None)
    first, last = listed(mine, tag=tag), listed(mine, tag=tag, page="9")
    assert (first["total"], first["pages"], first["page"], len(first["rows"])) == (51, 2, 1, 50)
    assert (last["page"], len(last["rows"])) == (2, 1)
    assert not {row["id"] for row in first["rows"]} & {row["id"] for row in last["rows"]}
    assert listed(mine, tag=tag, q="nothing like it") == {"rows": [], "total": 0, "page": 1, "pages": 1}


def test_tags_notes_deletion_and_undo(own: Site, mine: httpx.Client) -> None:
    run_id, tag = recorded(own), new_run_id()[-12:]
    assert change(mine, "describe", run_id, tags=f"{tag}, b", note="<b>odd</b>").json() == {"changed": [run_id]}
    [row] = listed(mine, tag=tag)["rows"]
    assert (row["tags"], row["note"]) == ([tag, "b"] if tag < "b" else ["b", tag], "<b>odd</b>")
    assert [tag, tag] in mine.get("rte/runs/choices").json()["tag"]
    refused = change(mine, "describe", run_id, tags="x" * 50)
    assert refused.status_code == 422 and refused.json()["argument"] == "tags"
    assert change(mine, "delete", run_id).json() == {"changed": [run_id]}
    assert not ids(mine, tag=tag) and ids(mine, tag=tag, outcome="deleted") == [run_id]
    assert change(mine, "restore", run_id).json() == {"changed": [run_id]}
    assert ids(mine, tag=tag) == [run_id]


def test_a_running_run_is_not_deleted(own: Site, mine: httpx.Client) -> None:
    run_id = new_run_id()
    own.host.store.record([started(run_id)], Usage(), run_id)
    own.host.store.flush()
    refused = change(mine, "delete", run_id)
    assert refused.status_code == 422 and "stop it first" in refused.json()["error"]
    [row] = [row for row in listed(mine, outcome="running")["rows"] if row["id"] == run_id]
    assert row["running"] and not row["deletable"]


def test_a_file_brings_its_runs_once(own: Site, mine: httpx.Client) -> None:
    run_id = recorded(own)
    whole = document(*own.host.store.read(run_id))
    whole["run"]["id"] = new = new_run_id()
    content = json.dumps(whole).encode()
    assert opened(mine, content) == {"run_ids": [new], "known": 0, "warnings": [], "format": "tts-ui document"}
    assert opened(mine, content) == {"run_ids": [], "known": 1, "warnings": [], "format": "tts-ui document"}
    assert own.host.store.run(new).origin == "import" and new in ids(mine, origin="import")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "tts-ui.run", "version": 9}'])
def test_what_is_no_run_is_refused_in_one_line(mine: httpx.Client, content: bytes) -> None:
    before = listed(mine)["total"]
    said = opened(mine, content)
    assert said["error"] and "\n" not in said["error"] and "Traceback" not in said["error"]
    assert listed(mine)["total"] == before


def test_a_page_elsewhere_cannot_have_files_opened(mine: httpx.Client) -> None:
    assert mine.post("rte/runs/file", content=b"x", headers={"content-type": "text/plain"}).status_code == 422
    assert mine.post("rte/runs/file", content=b"x", headers=FILE | {"origin": "https://evil.org"}).status_code == 403


# --- strangers ------------------------------------------------------------------------------------------------------


def own_run(site: Site, visitor: Visitor) -> str:
    before = {record.id for record in site.host.store.runs(limit=1000)}
    visitor.start(n=4, width=2, problem=PROBLEM).ends()
    [run_id] = {record.id for record in site.host.store.runs(limit=1000)} - before
    return run_id


def test_a_stranger_finds_his_own_runs_and_the_examples_alone(public: Site) -> None:
    unasked = recorded(public)
    with visiting(public.url, "finderone") as one, visiting(public.url, "findertwo") as two:
        first = own_run(public, one)
        examples = set(ids(two.client))
        assert {row["origin"] for row in listed(two.client)["rows"]} == {"example"}
        second = own_run(public, two)
        assert set(ids(one.client)) == examples | {first} and set(ids(two.client)) == examples | {second}
        assert ids(one.client, q=PROBLEM[:20], origin="search") == [first]
        for asked in ({"outcome": "deleted"}, {"q": unasked}, {"tag": "x"}, {"kind": "comparisons"}):
            assert not {unasked, second} & set(ids(one.client, **asked))
        assert change(one.client, "describe", first, tags="secret").status_code == 200
        assert "secret" in one.client.get("rte/runs/choices").text
        assert "secret" not in two.client.get("rte/runs/choices").text
    with httpx.Client(base_url=public.url) as nobody:
        assert set(ids(nobody)) == examples


def test_a_stranger_changes_nothing_of_others(public: Site) -> None:
    with visiting(public.url, "ownerone") as owner, visiting(public.url, "ownertwo") as stranger:
        run_id = own_run(public, owner)
        with httpx.Client(base_url=public.url) as nobody:
            for client in (stranger.client, nobody):
                for do in ("describe", "delete", "restore"):
                    refused = change(client, do, run_id, tags="x")
                    assert refused.status_code == 422 and "only the browser" in refused.text.lower()
                mixed = change(client, "delete", ids(client)[0], run_id)
                assert mixed.status_code == 422
        assert public.host.store.run(run_id).note is None
        assert change(owner.client, "delete", run_id).json() == {"changed": [run_id]}
        assert "was deleted" in stranger.open(f"run={run_id}")
        assert change(stranger.client, "restore", run_id).status_code == 422
        assert change(owner.client, "restore", run_id).json() == {"changed": [run_id]}


def test_a_public_server_opens_no_files(public: Site) -> None:
    with visiting(public.url, "filesender", "runs") as stranger:
        assert stranger.client.post("rte/runs/file", content=b"{}", headers=FILE).status_code == 404
        assert "Open a file" in stranger.page  # the button is there, and hidden
        assert 'data-files=\\"no\\"' in stranger.page


def test_a_change_has_a_shape(public: Site, own: Site) -> None:
    good = {"do": "delete", "runs": ["x"]}
    wrong: list[Any] = [
        good | {"do": "drop"}, good | {"runs": []}, good | {"runs": ["x" * 129]}, good | {"runs": ["x"] * 201},
        good | {"more": 1}, good | {"runs": "x"}, good | {"tags": 1}, [],
    ]  # fmt: skip
    for site in (public, own):
        with httpx.Client(base_url=site.url) as client:
            assert client.get("rte/runs/change").status_code == 405
            for body in wrong:
                assert client.post("rte/runs/change", json=body).status_code == 400
