"""A server of recorded searches: it shows them all, computes nothing, and opens no file of a model."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.models_files import WITH_PRM
from support.openings import Openings
from support.places import ROOT
from support.public_site import public_site
from support.sample_runs import record_all, whole_run
from support.site import Site
from support.visitor import visiting

from engine.errors import Busy
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store
from engine.store.ids import new_run_id
from tts_ui.web.app import launch
from tts_ui.web.public.opening import Opening

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which files are opened")

MODEL = ROOT / "assets" / "models" / "builtin-xs"
PUBLISHED, PRIVATE = new_run_id(), new_run_id()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "copied"
    shutil.copytree(MODEL, folder)
    return folder


@pytest.fixture(scope="module")
def opened(model: Path) -> Iterator[Openings]:
    openings = Openings(model)
    yield openings
    openings.close()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, model: Path, opened: Openings) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("samples")
    (folder / "models.toml").write_text(WITH_PRM.format(name="copied", policy=model))
    with Store.open(str(folder / "runs.db")) as store:
        for run_id in (PUBLISHED, PRIVATE):
            record_all(store, run_id, whole_run(run_id))
        store.flush()
        store.started("a visitor of former days", [PRIVATE])
        host = Host(store, Catalogue(folder / "models.toml", downloads=False))
        served = launch(host, public=True, opening=Opening(samples=True))
        yield Site(host, served.url)
        served.close()
        host.close()


def test_runs_of_strangers_who_are_not_known_are_not_shown(tmp_path: Path) -> None:
    """A database that was open to all, and is shown now: without a cookie, or once forgotten, they are strangers."""
    forgotten = new_run_id()
    with public_site(tmp_path) as site:
        asked = {"model": "greedy/builtin-xs", "messages": [{"role": "user", "content": "What is 1 + 1?"}]}
        without_cookie = httpx.post(f"{site.url}v1/chat/completions", json=asked, timeout=60).json()["run"]
        record_all(site.host.store, forgotten, whole_run(forgotten))
        site.host.store.flush()
        site.host.store.started("somebody", [forgotten])
        site.host.store.forget_visitor("somebody")
        assert site.host.store.started_by("somebody", 10) == []
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store)
        served = launch(host, public=True, opening=Opening(samples=True))
        try:
            rows = httpx.get(f"{served.url}rte/runs").json()["rows"]
        finally:
            served.close()
            host.close()
    assert rows and not {without_cookie, forgotten} & {row["id"] for row in rows}


def test_the_watch_sees_what_is_opened(model: Path) -> None:
    openings = Openings(model)
    with next(model.glob("*.safetensors")).open("rb"):
        pass
    assert [name.endswith(".safetensors") for name in openings.names()] == [True]
    openings.close()


def test_everything_is_shown_and_no_file_of_a_model_is_opened(samples: Site, opened: Openings) -> None:
    with visiting(samples.url, "looker") as page:
        for path in ("", "compare", "scaling", "runs", "lab", "limits", "owner"):
            assert page.client.get(path).status_code == 200
        assert "samples-only" in page.page and "computes nothing" in page.page
        listed = page.client.get("rte/runs").json()
        found = {row["id"] for row in listed["rows"]}
        assert PUBLISHED in found and PRIVATE not in found and len(found) > 2  # with the examples
        assert not any(row["mine"] or row["deletable"] for row in listed["rows"])
        for run_id in sorted(found)[:3]:
            assert "No run has the id" not in page.open(f"run={run_id}")
        assert page.client.get(f"export/{PUBLISHED}/json").status_code == 200
        select = page.function("tree", "select")
        step = {"index": 1, "value": 1, "selected": True, "linked": {}, "moments": {}}
        assert page.direct(select, PUBLISHED, event_data=step).status_code == 200
    assert opened.names() == []


def test_whatever_would_have_to_be_computed_is_refused_at_the_door(samples: Site, opened: Openings) -> None:
    with visiting(samples.url, "asker") as page, visiting(samples.url, "asker2", "compare") as compare:
        fields, ask = page.form(), page.function("run")
        assert page.direct(ask, *fields).status_code == 403
        answer = page.join(ask + 1, None, *fields)
        assert answer.status_code == 403 and "computes nothing" in answer.text
        for element, event in (
            ("draw-more", "click"), ("search-here", "click"), ("try-step", "click"), ("rollouts-go", "click"),
            ("grading", "submit"), ("other-judge", "input"), ("other-score", "click"),
        ):  # fmt: skip
            number = page.function(element, event)
            assert 403 in (page.direct(number).status_code, page.join(number).status_code), element
        ask = compare.function("run")
        assert compare.direct(ask).status_code == compare.join(ask + 1).status_code == 403
        with visiting(samples.url, "asker3", "lab") as lab:
            for element, event in (
                ("judges-judge", "input"), ("judges-score", "click"), ("recut", "click"), ("score-runs-score", "click")
            ):  # fmt: skip
                ids = [each["id"] for each in lab.config["components"] if each["props"].get("elem_id") == element]
                if ids:
                    assert lab.join(lab.function(element, event)).status_code == 403, element
            body = {"problem": "1 + 1", "steps": ["2"], "judges": ["builtin-prm"]}
            for what in ("about", "score", "cuts", "keep"):
                assert lab.client.post(f"rte/lab/{what}", json=body).status_code == 403
            change = {"do": "delete", "runs": [PUBLISHED]}
            assert lab.client.post("rte/runs/change", json=change).status_code == 422
        assert httpx.post(f"{samples.url}rte/scaling/start", json={}).status_code == 404
    # Behind the door nothing is computed, either.
    with pytest.raises(Busy, match="computes nothing"):
        samples.host.submit(Question("1 + 1"), RunParams())
    with pytest.raises(Busy, match="computes nothing"):
        samples.host.judging("builtin-prm", lambda judge: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(Busy, match="computes nothing"):
        samples.host.with_policy(None, lambda policy: None)  # type: ignore[arg-type, return-value]
    assert opened.names() == []
    assert not samples.host.catalogue.loaded(None, None)
