"""Which models a form asks for: a pair of the catalogue, and optionally a judge other than the pair's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import gradio as gr

from engine.errors import ModelError
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import RunRecord

#: Seconds between checks of a download.
_POLL_S = 0.2

OWN = "the pair's own"

#: The fields, by the names under which the command line and `Host` know them.
FIELDS = ("models", "scorer")


def pair_field(catalogue: Catalogue) -> gr.Dropdown:
    choices = [(pair.title or pair.name, pair.name) for pair in catalogue.pairs.values()]
    return gr.Dropdown(
        choices, value=catalogue.default, label="Models", scale=2, min_width=170, filterable=False, elem_id="models"
    )


def judge_field(catalogue: Catalogue) -> gr.Dropdown:
    choices = [(scorer.title or scorer.label, scorer.label) for scorer in catalogue.scorers.values()]
    return gr.Dropdown(
        [(OWN, OWN), *choices], value=OWN, label="Judge (PRM)", min_width=200, filterable=False, elem_id="scorer",
        info="Scores the steps. Any judge works with any policy.",
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
    """Refuse a problem too long for the context window, if the models are loaded already. Raises `InvalidInput`."""
    if catalogue.loaded(models, scorer):
        from engine.runs.run import check_fits

        pair = catalogue.load(models, scorer)
        with suppress(ModelError):  # a server that does not answer: the run will say so
            check_fits(question, pair.policy, pair.scorer)


async def waiting(
    submitted: asyncio.Task[Any], catalogue: Catalogue, models: str | None, scorer: str | None
) -> AsyncIterator[str]:
    """What a request is waiting for before its search can start: a line whenever that changes, until it can."""
    said = ""
    while not submitted.done():
        line = ""
        if not catalogue.loaded(models, scorer):
            download = catalogue.download
            line = f"{download}".replace("d", "D", 1) if download else "Loading the models"
        if line not in ("", said):
            said = line
            yield line
        await asyncio.wait([submitted], timeout=_POLL_S)


def connect(models: gr.Dropdown, sampling: dict[str, Any], catalogue: Catalogue) -> None:
    """When the policy changes, put its own sampling settings into the fields `sampling` (named as in `RunParams`)."""

    def settings(pair: str) -> list[Any]:
        defaults = RunParams(**catalogue.entry(pair).policy.sampling.given())
        return [getattr(defaults, name) or 0 for name in sampling]

    models.input(
        settings, models, list(sampling.values()), queue=False, show_progress="hidden", api_visibility="private"
    )
