"""Which recorded runs the lab looks at: fields that the tabs have in common, and what they stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.errors import InvalidInput
from engine.runs.host import Host
from engine.store import RunRecord
from engine.store.listing import Wanted
from tts_ui.web.door import Visitors
from tts_ui.web.door.visitors import Asking
from tts_ui.words import numbers
from tts_ui.words.interface import say

#: Runs that are looked at unless another number is asked for, and at most.
USUAL, MOST = 300, 2000

#: Fields by name, in their order; an address fills them in (`/lab?q=...&tag=...&models=...&most=...`, or `run=ID`).
FIELDS = ("q", "tag", "models", "most")

_FREE: dict[str, Any] = {"choices": [""], "value": "", "allow_custom_value": True}
_COUNT: dict[str, Any] = {"value": USUAL, "minimum": 1, "maximum": MOST, "precision": 0}

_IDS = re.compile(r"[0-9A-Za-z-]{12,}(?:\s*,\s*[0-9A-Za-z-]{12,})*")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The fields, and the way from their values to runs."""

    fields: tuple[gr.components.Component, ...]
    host: Host
    visitors: Visitors

    def runs(self, values: Sequence[Any], request: Asking) -> list[RunRecord]:
        """The runs that are over and that this visitor may find, newest first. Raises `InvalidInput`."""
        given = dict(zip(FIELDS, values, strict=True))
        text, store = (given["q"] or "").strip(), self.host.store
        if _IDS.fullmatch(text) and (ids := [each.strip() for each in text.split(",")]) and store.known(ids[:1]):
            found = [store.whole_run(run_id) for run_id in ids]
        else:
            most = int(given["most"] or USUAL)
            if not 1 <= most <= MOST:
                asked = {"runs": numbers.count(most), "most": numbers.count(MOST)}
                raise InvalidInput("most", say("lab.too_many", n=most, **asked))
            within = self.visitors.may_list(request)
            wanted = Wanted(
                search=text or None, tag=given["tag"] or None, models=given["models"] or None, within=within
            )
            found = [each.record for each in store.listed(wanted, most)]
        over = [record for record in found if record.status != "running"]
        if not over:
            raise InvalidInput("q", say("lab.no_run"))
        return over

    def asked(self, request: gr.Request) -> tuple[Any, ...]:
        """The fields' values when the page opens, with what there is to choose from."""
        asked = request.query_params
        there = self.host.store.choices(self.visitors.may_list(request))
        most = asked.get("most") or ""
        return (
            asked.get("run") or asked.get("q") or "",
            gr.update(choices=["", *there.tags], value=asked.get("tag") or ""),
            gr.update(choices=["", *there.models], value=asked.get("models") or ""),
            int(most) if most.isdecimal() and 1 <= int(most) <= MOST else USUAL,
        )


def build(host: Host, visitors: Visitors) -> Chosen:
    """Put the fields on the page."""
    with gr.Row(elem_id="chosen"):
        fields = (
            gr.Textbox(label=say("lab.runs"), info=say("lab.runs_says"), max_lines=1, elem_id="chosen-q", scale=3),
            gr.Dropdown(label=say("lab.tag"), info=say("lab.any"), elem_id="chosen-tag", **_FREE),
            gr.Dropdown(label=say("lab.policy"), info=say("lab.any"), elem_id="chosen-models", **_FREE),
            gr.Number(label=say("lab.most"), info=say("lab.most_says", most=MOST), elem_id="chosen-most", **_COUNT),
        )
    return Chosen(fields, host, visitors)
