"""What the Score tab asks of the server: bills, ceilings, and what strangers may not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.site import Site
from support.visitor import Stream, visiting

from engine.runs.host import Host
from engine.runs.limits import PUBLIC, Limits
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store
from tts_ui.web.app import launch


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that strangers reach, with the ceilings that it has for them."""
    with Store.open(str(tmp_path_factory.mktemp("limited") / "runs.db")) as store:
        host = Host(store, limits=Limits(**PUBLIC))
        served = launch(host, public=True)
        yield Site(host, served.url)
        served.close()
        host.close()


WORK: dict[str, Any] = {
    "problem": "What is 34 times 56?", "steps": ["34 * 50 = 1700.", "34 * 6 = 204."], "judges": ["builtin-prm"],
}  # fmt: skip


def ask(site: Site, what: str, **changed: Any) -> httpx.Response:
    with httpx.Client(base_url=site.url, timeout=60) as client:
        return client.post(f"rte/lab/{what}", json=WORK | changed)


def test_the_cost_is_said_before_and_the_bill_after(own: Site) -> None:
    with visiting(own.url, "bill1234", "lab") as visitor:
        about = visitor.client.post("rte/lab/about", json=WORK).json()
        (judged,) = visitor.client.post("rte/lab/score", json=WORK).json()["judges"]
        assert len(judged["scores"]) == judged["read"] == 2
        assert about["score"] == pytest.approx(judged["tokens"], abs=25) and about["cuts"] > about["score"]
        assert visitor.client.post("rte/lab/about", json=WORK).json()["score"] == 0
        (again,) = visitor.client.post("rte/lab/score", json=WORK).json()["judges"]
        assert (again["tokens"], again["read"], again["scores"]) == (0, 0, judged["scores"])


def test_cuts_are_told_with_every_rule(own: Site) -> None:
    said = ask(own, "cuts", judges=["builtin-prm", "builtin-prm-weak"]).json()
    assert [cut["steps"] for cut in said["cuts"]] == [2, 2, 1, 1]
    for judge in said["judges"]:
        given, *_, pairs = judge["cuts"]
        assert given["min"] <= given["avg"] and pairs["min"] == pairs["last"] == pairs["avg"]


@pytest.mark.parametrize(
    ("argument", "changed"),
    [
        ("problem", {"problem": " "}),
        ("steps", {"steps": []}),
        ("steps", {"steps": ["a", " "]}),
        ("judges", {"judges": []}),
        ("scorer", {"judges": ["nobody"]}),
        ("problem", {"problem": "7" * 10_001}),
        ("steps", {"steps": ["7" * 5_001] * 2}),
        ("steps", {"steps": ["7"] * 201}),
        ("scorer", {"judges": ["math-shepherd-7b"]}),
    ],
)
def test_mistakes_are_refused_before_any_model_reads(limited: Site, argument: str, changed: dict[str, Any]) -> None:
    answer = ask(limited, "score", **changed)
    assert answer.status_code == 422 and answer.json()["argument"] == argument


def test_a_public_page_offers_what_is_here(public: Site) -> None:
    with httpx.Client(base_url=public.url) as client:
        judges = client.get("rte/lab/solution").json()["judges"]
        assert judges and all(judge["name"].startswith("builtin") for judge in judges)
        assert client.get("rte/lab/solution", params={"run": "nothing"}).status_code == 422
        assert client.post("rte/lab/score", json={"problem": "P"}).status_code == 400
        assert client.post("rte/lab/other", json=WORK).status_code == 404
        assert client.get("rte/lab/score").status_code == 405


def test_nobody_scores_the_runs_of_others(public: Site) -> None:
    running = public.host.submit(Question("What is 18 * 19?"), RunParams("best_of_n", n=2))
    running.future.result(timeout=60)
    public.host.store.flush(running.id)
    with visiting(public.url, "stranger1", "lab") as visitor:
        score = visitor.function("score-runs-score")
        assert visitor.join(score, "builtin-prm-weak", running.id, "", "", 10).status_code == 200
        stream = Stream(visitor)
        stream.ends()
        assert "only the browser that started a run may score it" in stream.said
    assert public.host.store.scorings(running.id) == []


def test_who_has_no_place_in_the_line_keeps_nothing(limited: Site) -> None:
    """Or the disk would be filled by whoever goes on asking."""
    before = limited.host.store.count()
    limited.host.closed = "the line is closed"
    try:
        assert ask(limited, "keep").json()["error"] == "The line is closed"
    finally:
        limited.host.closed = ""
    assert limited.host.store.count() == before
    assert ask(limited, "keep").json()["run"] and limited.host.store.count() == before + 1


def test_what_a_visitor_keeps_is_his(public: Site) -> None:
    with visiting(public.url, "keeper12", "lab") as visitor:
        run_id = visitor.client.post("rte/lab/keep", json=WORK).json()["run"]
        assert [row["id"] for row in visitor.client.get("rte/runs").json()["rows"]].count(run_id) == 1
    tree = public.host.store.tree(run_id)
    assert [node.origin for node in tree.nodes[1:]] == ["human", "human"]
    assert all("builtin-prm" in node.scores for node in tree.nodes[1:])
    with httpx.Client(base_url=public.url) as other:
        assert run_id not in [row["id"] for row in other.get("rte/runs").json()["rows"]]
