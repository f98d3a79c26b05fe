"""Truth that people bring to the tree of Explore: labels by keys, and rollouts below its steps.

Neither changes what the run decided; both are kept as scorings of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import escape
from itertools import count
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from engine.runs.lab.rolling import MOST, due, roll_out_recorded, tokens_about
from engine.search.params import RunParams
from engine.store import RunRecord
from tts_ui.web.components import rated
from tts_ui.web.door import Visitors
from tts_ui.web.explore.intervene import sampled_like
from tts_ui.web.parts import model_choice
from tts_ui.web.parts.notices import sentence
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say

#: Labels in one change: the steps of a path.
_LABELS_MOST = 1000
_POLL_S = 0.3
_WHICH = {"step": "this_step", "path": "chosen_path", "all": "all_steps"}

_answers = count(1)


@dataclass(frozen=True, slots=True)
class Controls:
    """The fields of the rollouts."""

    k: gr.Number
    which: gr.Dropdown
    button: gr.Button


def build(*, visible: bool = True) -> Controls:
    with gr.Accordion(say("rollouts.title"), open=False, elem_id="rollouts", visible=visible):
        with gr.Row():
            k = gr.Number(
                8,
                precision=0,
                minimum=1,
                maximum=MOST,
                label=say("rollouts.number"),
                min_width=80,
                elem_id="rollouts-k",
            )
            which = gr.Dropdown(
                [(say(f"rollouts.{name}"), which) for which, name in _WHICH.items()],
                value="step",
                label=say("rollouts.which"),
                min_width=130,
                filterable=False,
                elem_id="rollouts-which",
            )
            button = gr.Button(say("rollouts.estimate"), size="sm", min_width=110, elem_id="rollouts-go")
        gr.HTML(f'<p class="hint">{escape(say("rollouts.says"), quote=False)}</p>', container=False, padding=False)
    return Controls(k, which, button)


@dataclass(frozen=True, slots=True)
class TruthDesk:
    """Keeps labels and estimates of runs that a visitor may change."""

    host: Host
    visitors: Visitors

    def label(self, event: gr.EventData, request: gr.Request) -> str:
        """Keep what a tree was told; returns the property `rated`, which says why not if it was refused."""
        run_id = str(getattr(event, "run", ""))
        try:
            self.visitors.check(request, run_id)
            self.host.store.label(
                run_id, str(getattr(event, "labeller", "")), _ratings(getattr(event, "ratings", None))
            )
        except TtsError as error:
            return rated(run_id, next(_answers), sentence(error, discreet=self.visitors.strict))
        return rated(run_id, next(_answers))

    async def estimate(
        self, run_id: str, node: str, k: float | None, which: str, request: gr.Request
    ) -> AsyncIterator[str]:
        """Estimate steps of a run; yields how far it is, and at last what it cost. Raises `TtsError`."""
        if not run_id:
            raise InvalidInput("step", say("go_on.no_run"))
        await asyncio.to_thread(self.visitors.check, request, run_id)
        record = await asyncio.to_thread(self.host.store.whole_run, run_id)
        tree = await asyncio.to_thread(self.host.store.tree, run_id)
        rollouts = int(k) if k is not None and k == int(k) else 0
        selected = int(node) if node.isdecimal() and int(node) < len(tree) else 0
        nodes = due(record, tree, which, selected, rollouts)  # type: ignore[arg-type]  # a word of _WHICH
        params, models = self._like(record, rollouts * len(nodes))
        about = numbers.count(tokens_about(tree, nodes, rollouts))
        below: dict[str, Any] = {"n": rollouts, "rollouts": rollouts, "steps": counted("steps", len(nodes))}
        done: list[int] = [0]
        domain = self.host.domains[record.domain]
        future = self.host.with_policy(
            models,
            lambda policy: roll_out_recorded(
                self.host.store, record, tree, nodes, rollouts, policy, domain, params,
                lambda so_far: done.__setitem__(0, so_far),
            ),
            visitor=self.visitors.name(request),
        )  # fmt: skip
        try:
            while not future.done():
                yield say("rollouts.going", tokens=about, done=done[0], of=len(nodes), **below)
                await asyncio.wait([asyncio.wrap_future(future)], timeout=_POLL_S)
            usage = future.result().usage
        finally:
            future.cancel()
        yield say(
            "rollouts.done", generated=numbers.count(usage.generated_tokens), read=numbers.count(usage.prompt_tokens),
            reused=numbers.count(usage.prompt_tokens_reused), **below,
        )  # fmt: skip

    def _like(self, record: RunRecord, draws: int) -> tuple[RunParams, str]:
        """Sampling as in the run, and the pair that has its policy. Raises `InvalidInput`."""
        pair = model_choice.values_of(self.host.catalogue, record)["models"]
        if not isinstance(pair, str):
            pair = next(
                (each.name for each in self.host.catalogue.pairs.values() if each.policy.label == record.policy.name),
                None,
            )
        if pair is None:
            raise InvalidInput("models", say("rollouts.no_policy", policy=record.policy.name))
        params = sampled_like(record)
        if draws > self.host.limits.max_n:
            most = {"draws": numbers.count(draws), "most": numbers.count(self.host.limits.max_n)}
            raise InvalidInput("rollouts", say("rollouts.too_many", **most))
        return params, pair


def _ratings(told: object) -> dict[int, int | None]:
    """What a tree sent: pairs of a step and its rating. Raises `InvalidInput`."""
    if not isinstance(told, list) or not 1 <= len(told) <= _LABELS_MOST:
        raise InvalidInput("rating", say("rating.select"))
    ratings: dict[int, int | None] = {}
    for pair in told:
        if not (isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int):
            raise InvalidInput("rating", say("rating.select"))
        if pair[1] is not None and type(pair[1]) is not int:
            raise InvalidInput("rating", say("rating.give"))
        ratings[pair[0]] = pair[1]
    return ratings
