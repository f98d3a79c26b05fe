"""Sweeps as rows of a list, in words."""

from __future__ import annotations

from typing import Any

from engine.store.sweep_records import SweepRecord
from tts_ui.words import numbers
from tts_ui.words.interface import say


def sweep_row(sweep: SweepRecord) -> dict[str, Any]:
    return {
        "id": sweep.id,
        "name": sweep.name,
        "set": sweep.problem_set,
        "problems": numbers.count(sweep.problems),
        "cells": numbers.count(sweep.cells),
        "state": say(f"scaling_says.state_{sweep.status}"),
        "done": sweep.done,
        "planned": sweep.planned,
        "when": sweep.created_at[:16].replace("T", " "),
        "running": sweep.status == "running",
        "error": sweep.error or "",
    }
