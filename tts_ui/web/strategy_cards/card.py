"""One card as HTML: the texts of `cards.toml`, filled with the settings of the run that is shown."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from engine.search.params import RunParams
from engine.store import RunRecord
from tts_ui.words import parameters

_TEXTS = Path(__file__).with_name("cards.toml")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a card. `symbol` and `text` may name settings in braces; `mark` is a name of `marks.MARKINGS`."""

    symbol: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class CardText:
    """What `cards.toml` says of a strategy."""

    what: str
    source: str
    parameters: tuple[Parameter, ...]


@cache
def card_texts() -> Mapping[str, CardText]:
    """The texts by strategy."""
    read = tomllib.loads(_TEXTS.read_text(encoding="utf-8"))
    return {
        strategy: CardText(
            entry["what"], entry["source"], tuple(Parameter(**parameter) for parameter in entry["parameters"])
        )
        for strategy, entry in read.items()
    }


def card(record: RunRecord, tree: str) -> str:
    """The card of the run's strategy; pointing at a parameter rings nodes in the tree with that element id."""
    text = card_texts().get(record.strategy)
    if text is None:
        return '<p class="hint">This version has no strategy of that name.</p>'
    values = settings_of(record)
    lines = "".join(
        f'<li><button type="button" data-mark="{parameter.mark}" data-tree="{escape(tree)}">'
        f"<b>{_filled(parameter.symbol, values)}</b><span>{_filled(parameter.text, values)}</span></button></li>"
        for parameter in text.parameters
    )
    return (
        f'<section class="card"><h4>{escape(parameters.title(record.strategy))}</h4><p>{escape(text.what)}</p>'
        f'<p class="facts">Point at a line, or move to it with Tab, to ring its steps on the tree.</p>'
        f'<ul>{lines}</ul><p class="facts">Source: {escape(text.source)}</p></section>'
    )


def settings_of(record: RunRecord) -> dict[str, Any]:
    """What the texts may name: the run's settings, defaults for those it lacks, and K."""
    defaults = RunParams()
    values = {name: getattr(defaults, name) for name in RunParams.__slots__} | dict(record.params)
    n, width = values["n"], values["width"]
    whole = isinstance(n, int) and isinstance(width, int) and width > 0
    return values | {"survivors": n // width if whole else "N / M"}


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return escape(text.format_map({name: parameters.value(value) for name, value in values.items()}))
