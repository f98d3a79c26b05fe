"""What a server takes on: every limit is an option, generous for oneself, strict for strangers, and documented."""

from __future__ import annotations

from typing import Any

import pytest
import typer.main
from support.command_line import run
from support.places import ROOT

from engine.runs.limits import LIMITS, PUBLIC, Limits
from tts_ui.cli.limits import table_rows
from tts_ui.cli.main import app
from tts_ui.web import app as web_app


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Limits]:
    """The limits with which the command would serve."""
    found: list[Limits] = []

    def serve(*, limits: Limits, **_: Any) -> None:
        found.append(limits)

    monkeypatch.setattr(web_app, "serve", serve)
    return found


def test_every_limit_is_an_option_and_has_its_row() -> None:
    options = {option.name: option for option in typer.main.get_command(app).commands["serve"].params}  # type: ignore[attr-defined]
    for limit in LIMITS.values():
        assert options[limit.name].opts == [f"--{limit.name.replace('_', '-')}"]
        assert options[limit.name].help.startswith(f"{limit.help}. Default: ")
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert "\n".join(table_rows()) in reference, "`make options` prints the rows"


@pytest.mark.parametrize(("options", "limits"), [
    ([], Limits()),
    (["--public"], Limits(**PUBLIC)),
    (["--host", "0.0.0.0"], Limits(**PUBLIC)),
    (["--max-n", "8"], Limits(max_n=8)),
    (["--public", "--max-n", "8", "--waiting", "2000"], Limits(**PUBLIC | {"max_n": 8, "waiting": 2000})),
])  # fmt: skip
def test_what_is_asked_for_wins(asked: list[Limits], options: list[str], limits: Limits) -> None:
    assert run("serve", "--port", "0", *options).code == 0
    assert asked == [limits]


def test_strangers_get_less() -> None:
    for name, most in PUBLIC.items():
        own = getattr(Limits(), name)
        assert own is None or most < own
