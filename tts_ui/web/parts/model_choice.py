"""Which models a form asks for: a pair of the catalogue, and optionally a judge other than the pair's own."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.models.catalogue.catalogue import Catalogue
from engine.models.catalogue.fit import fit
from engine.models.catalogue.models_file import PairEntry
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import RunRecord
from tts_ui.words.interface import say

#: The value that stands for it.
OWN = "the pair's own"

#: The fields, by the names under which the command line and `Host` know them.
FIELDS = ("models", "scorer")


def pair_field(catalogue: Catalogue, *, fitting: bool = True) -> gr.Dropdown:
    """`fitting`: what this machine has no room for is said to be so, for which files of models may be read."""
    choices = [(_named(catalogue, pair, fitting=fitting), pair.name) for pair in catalogue.pairs.values()]
    return gr.Dropdown(
        choices,
        value=catalogue.default,
        label=say("asking.models"),
        scale=2,
        min_width=170,
        filterable=False,
        elem_id="models",
    )


def _named(catalogue: Catalogue, pair: PairEntry, *, fitting: bool) -> str:
    """A pair's name and, if it is asked for, why it cannot run on this machine; the style sheet greys what says so."""
    name = pair.title or pair.name
    if not fitting:
        return name
    judge = catalogue.scorer(pair.name)
    found = fit(catalogue, [pair.policy, *([judge] if judge else [])])
    return say("asking.unfit", pair=name, why=found) if found.fits is False else name


def judge_field(catalogue: Catalogue) -> gr.Dropdown:
    choices = [(scorer.title or scorer.label, scorer.label) for scorer in catalogue.scorers.values()]
    return gr.Dropdown(
        [(say("asking.own_judge"), OWN), *choices], value=OWN, label=say("asking.judge"), min_width=200,
        filterable=False, elem_id="scorer", info=say("asking.judge_says"),
    )  # fmt: skip


def chosen(models: str | None, scorer: str | None) -> tuple[str | None, str | None]:
    """The two fields as `Catalogue.load` takes them."""
    return models, None if scorer in (None, OWN) else scorer


def values_of(catalogue: Catalogue, record: RunRecord) -> dict[str, Any]:
    """The fields that ask for this run's models again; models not in the catalogue leave the fields as they are."""
    policy, scorer = record.policy.name, record.scorer.name if record.scorer else None
    pair = next((pair for pair in catalogue.pairs.values() if pair.policy.label == policy), None)
    if pair is None or (scorer and scorer not in catalogue.scorers):
        return dict.fromkeys(FIELDS, gr.skip())
    own = catalogue.scorer(pair.name)
    return {"models": pair.name, "scorer": OWN if scorer is None or (own and own.label == scorer) else scorer}


def check_length(catalogue: Catalogue, question: Question, models: str | None, scorer: str | None) -> None:
    """Refuse a problem too long for the context window, if that can be told at once. Raises `InvalidInput`."""
    behind_servers = [entry for entry in (catalogue.entry(models).policy, catalogue.scorer(models, scorer)) if entry]
    if catalogue.loaded(models, scorer) and not any(entry.urls for entry in behind_servers):
        from engine.runs.run import check_fits

        pair = catalogue.load(models, scorer)
        check_fits(question, pair.policy, pair.scorer)


def connect(models: gr.Dropdown, sampling: dict[str, Any], catalogue: Catalogue) -> None:
    """When the policy changes, put its own sampling settings into the fields `sampling` (named as in `RunParams`)."""

    def settings(pair: str) -> list[Any]:
        defaults = RunParams(**catalogue.entry(pair).policy.sampling.given())
        return [getattr(defaults, name) or 0 for name in sampling]

    models.input(
        settings, models, list(sampling.values()), queue=False, show_progress="hidden", api_visibility="private"
    )
