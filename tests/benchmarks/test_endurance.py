"""Short versions of what is measured for long: visitors at a public server, kill -9, PostgreSQL restarted."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.endurance import endured, errors_in, figures
from benchmarks.kills import killed, postgresql


def test_visitors_meet_no_error_and_leave_nothing_open(tmp_path: Path) -> None:
    told, samples, log = endured(tmp_path, 8.0, 4, pace=10.0)
    assert not told.errors and not errors_in(log), (told.errors, log[-2000:])
    assert told.did["runs watched to the end"] > 0 and told.did["pages"] >= 4
    assert 0 < len(told.first) <= len(told.answered) <= len(told.whole) + told.did["left in the middle"]
    assert samples[-1].handles < samples[0].handles + 40
    assert {figure.name for figure in figures(told, samples, log, "short")} >= {"short: errors"}


def test_nothing_is_lost_by_kill_9(tmp_path: Path) -> None:
    faults, seen = killed(tmp_path, 6)
    assert not +faults, faults
    assert seen["solve"] == seen["sweep"] == seen["server"] == 2
    assert seen["runs shown before"] > 0


def test_nothing_is_lost_when_postgresql_restarts() -> None:
    with postgresql.postgresql() as server:
        if server is None:
            pytest.skip("PostgreSQL is not installed")
        faults, seen = postgresql.restarted(server, 2)
    assert not +faults, faults
    assert seen["restarts"] == 2 and seen["runs"] >= 4
