"""`/export/selection/FORMAT`: the labels of the runs that the lab's fields choose, as one file."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from engine.store.exporters import LABELS, render_labels
from tts_ui.web.door import Visitors
from tts_ui.web.lab.chosen import FIELDS, Chosen
from tts_ui.web.parts.notices import sentence
from tts_ui.words.interface import say


def labels_route(host: Host, visitors: Visitors) -> Route:
    """Where the Labels tab leads. A visitor gets the labels of runs that he may find (`Visitors.may_list`)."""
    chosen = Chosen((), host, visitors)
    at_once = asyncio.Semaphore(1)  # a file is made at a time; more wait

    def content(request: Request) -> Response:
        format = request.path_params["format"]
        if format not in LABELS:
            raise InvalidInput("format", say("labels.formats", known=", ".join(LABELS)))
        found = chosen.runs([request.query_params.get(name) for name in FIELDS], request)
        there = host.store.labelled([record.id for record in found])
        runs = (host.store.read(record.id) for record in found if record.id in there)
        file = render_labels(format, runs, request.query_params.get("labels") or None)
        return Response(file, media_type=LABELS[format].media_type, headers={
            "content-disposition": f'attachment; filename="labels.{format}.jsonl"', "cache-control": "no-store",
        })  # fmt: skip

    async def answer(request: Request) -> Response:
        try:
            async with at_once:
                return await asyncio.to_thread(content, request)
        except (TtsError, ValueError) as error:  # a number that is none
            if isinstance(error, TtsError):
                return PlainTextResponse(sentence(error, discreet=visitors.strict), 404)
            return PlainTextResponse(say("labels.give_number"), 404)

    return Route("/export/selection/{format}", answer)
