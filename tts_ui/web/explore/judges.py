"""Other judges of the run that is shown: scoring its tree by one more, and what if one of them had steered it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from html import escape
from threading import Lock

import gradio as gr

from engine.domains import Domains
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.host import Host
from engine.runs.lab.rescoring import Rescored, positions_about, rescore
from engine.runs.lab.what_if import Steered, what_if
from engine.search.scorer import Scorer
from engine.search.tree import Tree
from tts_ui.web.parts.feed import Feed
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: Steps of the largest tree for which the page itself says what if; the lab does so for any.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Controls:
    """The row with which a tree is scored by one more judge."""

    row: gr.Row
    judge: gr.Dropdown
    cost: gr.HTML
    go: gr.Button


def build(catalogue: Catalogue) -> Controls:
    choices = [(scorer.title or scorer.label, scorer.label) for scorer in catalogue.scorers.values()]
    with gr.Row(visible=False, elem_id="score-by", elem_classes="score-by") as row:
        judge = gr.Dropdown(
            choices, value=None, label=say("other_judge.judge"), filterable=False, elem_id="other-judge",
            min_width=220, scale=2, info=say("other_judge.judge_says"),
        )  # fmt: skip
        cost = gr.HTML("", elem_id="other-cost", container=False, padding=False)
        go = gr.Button(say("other_judge.score"), size="sm", elem_id="other-score", interactive=False, min_width=90)
    return Controls(row, judge, cost, go)


async def _about(tree: Tree, scorer: Scorer) -> tuple[int, int]:
    return positions_about(tree, scorer), scorer.info.parameters


async def cost_of(host: Host, tree: Tree, judge: str, visitor: str) -> str:
    """What it will take to score a tree by a judge, in words. Raises `InvalidInput` and `ModelError`."""
    about = host.judging(judge, partial(_about, tree), visitor=visitor)
    positions, parameters = await asyncio.wrap_future(about)
    values = {"positions": numbers.count(positions), "work": numbers.flops(2.0 * positions * parameters)}
    return say("other_judge.about_work" if parameters else "other_judge.about", **values)


async def score_by(host: Host, run_id: str, judge: str, visitor: str) -> Rescored:
    """Add a judge's scores to a run. Raises `InvalidInput` where there is nothing to add."""
    work = host.judging(judge, lambda scorer: rescore(host.store, [run_id], scorer), visitor=visitor)
    (done,) = await asyncio.wrap_future(work)
    if done.refused:
        raise InvalidInput("judge", done.refused)
    return done


def done(scored: Rescored) -> str:
    """What was added, and what it took, as HTML."""
    if scored.scoring is None:
        return ""
    usage = scored.scoring.usage
    said = marked(
        "other_judge.scored", n=scored.steps, judge=escape(scored.scoring.scorer.name),
        steps=numbers.count(scored.steps), positions=numbers.count(usage.scored_tokens),
        time=numbers.seconds(usage.wall_s),
    )  # fmt: skip
    if not scored.too_long:
        return said
    return f"{said} {marked('other_judge.too_long', n=scored.too_long, steps=numbers.count(scored.too_long))}"


class WhatIfs:
    """What would have come of the runs shown last under their other judges."""

    def __init__(self, domains: Domains, most: int = 16) -> None:
        self._domains, self._most = domains, most
        self._known: OrderedDict[tuple[str, int], list[Steered] | str] = OrderedDict()
        self._lock = Lock()

    def of(self, feed: Feed) -> list[Steered] | str:
        """For each judge, or why that cannot be told."""
        if not feed.over:
            return say("other_judge.not_ended")
        key = (feed.record.id, len(feed.log))
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = self._told(feed)
            with self._lock:
                self._known[key] = known
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
        return known

    def _told(self, feed: Feed) -> list[Steered] | str:
        if len(feed.tree) > _MOST:
            return say("other_judge.too_large", steps=numbers.count(_MOST))
        try:
            return what_if(feed.record, feed.log, self._domains[feed.record.domain], feed.truth)
        except InvalidInput as error:
            return say("other_judge.not_told", why=error.message)
