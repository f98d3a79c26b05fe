"""One card as HTML: its texts, filled with the settings of the run that is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from engine.search.params import RunParams
from engine.store import RunRecord
from tts_ui.words import parameters
from tts_ui.words.interface import form
from tts_ui.words.interface.markup import marked

#: The lines of each strategy's card by the names of their texts, which are those of `marks.MARKINGS`: the nodes that a
#: line refers to. A second line with the mark of another ends in `_size`.
_LINES: Mapping[str, Sequence[str]] = {
    "greedy": ("chain",),
    "majority_vote": ("completions", "first_draws", "voters"),
    "best_of_n": ("completions", "first_draws", "voters"),
    "beam_search": ("first_draws", "survivors", "children", "completions", "voters"),
    "dvts": ("first_draws", "subtrees", "children", "voters"),
    "lookahead": ("first_draws", "ahead", "survivors", "children", "voters"),
    "compute_optimal": ("probe", "probe_size", "completions", "survivors", "children", "voters"),
    "mcts": ("entered", "children", "rollouts", "completions", "voters"),
    "rebase": ("first_draws", "shares", "completions", "voters"),
    "vg_search": ("first_draws", "survivors", "alone", "completions", "voters"),
    "particle_filtering": ("first_draws", "particles", "completions", "voters"),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a card. `symbol` and `text` may name settings in braces; `mark` is a name of `marks.MARKINGS`."""

    symbol: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class CardText:
    """What is said of a strategy."""

    what: str
    source: str
    parameters: tuple[Parameter, ...]


def card_texts() -> Mapping[str, CardText]:
    """The texts by strategy."""
    return {strategy: _text(strategy, lines) for strategy, lines in _LINES.items()}


def _text(strategy: str, lines: Sequence[str]) -> CardText:
    names = ["what", "source", *lines, *(f"{line}_says" for line in lines)]
    said = {name: form(f"card_{strategy}.{name}") for name in names}
    parameters = (Parameter(said[line], line.removesuffix("_size"), said[f"{line}_says"]) for line in lines)
    return CardText(said["what"], said["source"], tuple(parameters))


def card(record: RunRecord, tree: str) -> str:
    """The card of the run's strategy; pointing at a parameter rings nodes in the tree with that element id."""
    text = card_texts().get(record.strategy)
    if text is None:
        return f'<p class="hint">{marked("card.none")}</p>'
    values = settings_of(record)
    lines = "".join(
        f'<li><button type="button" data-mark="{parameter.mark}" data-tree="{escape(tree)}">'
        f"<b>{_filled(parameter.symbol, values)}</b><span>{_filled(parameter.text, values)}</span></button></li>"
        for parameter in text.parameters
    )
    return (
        f'<section class="card"><h2>{escape(parameters.title(record.strategy))}</h2><p>{escape(text.what)}</p>'
        f'<p class="facts">{marked("card.point")}</p>'
        f'<ul>{lines}</ul><p class="facts">{marked("card.source", source=escape(text.source))}</p></section>'
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
