"""`tts-ui runs --prune`, and what `serve` is told about how it is open."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from support.command_line import Cli, run
from support.sample_runs import record_all, whole_run

from engine.store import Store
from engine.store.listing import Wanted
from tts_ui.web import app as web_app
from tts_ui.web.public.opening import Opening, duration

OLD = "2020-01-01T00:00:00.000+00:00"


@pytest.fixture
def some(db: Path) -> Path:
    """A database with a new run, two old ones, and an old one that is kept."""
    with Store.open(str(db)) as store:
        for run_id in ("new", "old1", "old2", "kept"):
            record_all(store, run_id, whole_run(run_id))
        store.flush()
        store.describe("kept", ("keep",), None)
    connection = sqlite3.connect(db)
    with connection:
        connection.execute("UPDATE runs SET created_at = ?, heartbeat = 0 WHERE id != 'new'", [OLD])
    connection.close()
    return db


def left(db: Path) -> set[str]:
    with Store.reading(str(db)) as store:
        return {each.record.id for each in store.listed(Wanted(), 10)}


def test_a_dry_run_shows_what_would_go_and_changes_nothing(some: Path, tts_ui: Cli) -> None:
    before = some.read_bytes()
    shown = tts_ui("runs", "--prune", "7d", "--dry-run", "--db", some)
    assert shown.code == 0 and "2 runs would go" in shown.out
    assert "old1" in shown.out and "old2" in shown.out and "kept" not in shown.out and "new" not in shown.out
    told = json.loads(tts_ui("runs", "--prune", "7d", "--dry-run", "--json", "--db", some).out)
    assert [each["id"] for each in told["runs"]] == ["old1", "old2"]
    assert some.read_bytes() == before and len(left(some)) == 4


def test_pruning_removes_them_and_says_what_became_of_the_file(some: Path, tts_ui: Cli) -> None:
    done = tts_ui("runs", "--prune", "7d", "--db", some)
    assert done.code == 0 and done.out.strip() == "2 runs removed; the database is smaller now"
    assert left(some) == {"new", "kept"}
    assert "no run is that old" in tts_ui("runs", "--prune", "7d", "--db", some).out


def test_nothing_is_made_where_there_is_no_database(tmp_path: Path, tts_ui: Cli) -> None:
    assert "no run is that old" in tts_ui("runs", "--prune", "1w", "--db", tmp_path / "none.db").out
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        (["--prune", "soon"], "prune"), (["--prune", "7"], "prune"), (["--dry-run"], "dry-run"),
        (["--prune", "7d", "--tag", "x"], "prune"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(some: Path, tts_ui: Cli, options: list[str], argument: str) -> None:
    refused = tts_ui("runs", *options, "--db", some)
    assert refused.code == 2 and argument in refused.err and len(refused.err.strip().splitlines()) == 1
    assert len(left(some)) == 4


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Opening]:
    """How the command would be open."""
    found: list[Opening] = []

    def serve(*, opening: Opening, **_: Any) -> None:
        found.append(opening)

    monkeypatch.setattr(web_app, "serve", serve)
    monkeypatch.setenv("TTS_UI_DB", str(tmp_path / "runs.db"))
    return found


def test_serve_hands_on_how_it_is_open(asked: list[Opening], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("serve", "--port", "0").code == 0
    assert asked[-1].secret is None and not (tmp_path / "runs.db.secret").exists()  # nobody else comes here
    assert run("serve", "--port", "0", "--public", "--keep", "2w").code == 0
    assert asked[-1].keep_s == 14 * 24 * 3600 and asked[-1].secret and (tmp_path / "runs.db.secret").exists()
    monkeypatch.setenv("TTS_UI_OWNER_TOKEN", "a token for the owner")
    monkeypatch.setenv("TTS_UI_SECRET", "a secret of this server")
    assert run("serve", "--port", "0", "--public").code == 0
    assert asked[-1].owner_token == "a token for the owner" and asked[-1].secret == b"a secret of this server"
    assert run("serve", "--port", "0", "--examples-only").code == 0
    assert asked[-1].samples
    assert run("serve", "--port", "0").code == 0  # the variable may be there for another server


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        (["--public", "--keep", "tomorrow"], "keep"), (["--public", "--owner-token", "short"], "owner-token"),
        (["--public", "--secret", "short"], "secret"),
        (["--examples-only", "--keep", "7d"], "keep"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(asked: list[Opening], options: list[str], argument: str) -> None:
    refused = run("serve", "--port", "0", *options)
    assert refused.code == 2 and f"{argument}:" in refused.err and len(refused.err.strip().splitlines()) == 1
    assert not asked and "short" not in refused.err


def test_times_are_said_as_people_do() -> None:
    said = {3600: "1 hour", 12 * 3600: "12 hours", 86400: "1 day", 7 * 86400: "7 days", 14 * 86400: "2 weeks"}
    assert {seconds: duration(seconds) for seconds in said} == said
