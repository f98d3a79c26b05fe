"""Which models a form asks for: a pair of the catalogue, and another judge than the pair's own where one is wanted."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.models import Catalogue
from engine.store import RunRecord

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
        info="Who scores the steps. Any may judge any policy.",
    )  # fmt: skip


def chosen(models: str | None, scorer: str | None) -> tuple[str | None, str | None]:
    """The two fields as `Catalogue.load` takes them."""
    return models, None if scorer in (None, OWN) else scorer


def values_of(catalogue: Catalogue, record: RunRecord) -> dict[str, Any]:
    """The fields that ask for this run's models again; models that are not in the catalogue leave them as they are."""
    policy, scorer = record.policy.name, record.scorer.name if record.scorer else None
    pair = next((pair for pair in catalogue.pairs.values() if pair.policy.label == policy), None)
    if pair is None or (scorer and scorer not in catalogue.scorers):
        return dict.fromkeys(FIELDS, gr.skip())
    own = catalogue.scorer(pair.name)
    return {"models": pair.name, "scorer": OWN if scorer is None or (own and own.label == scorer) else scorer}
