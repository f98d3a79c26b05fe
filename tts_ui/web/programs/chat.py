"""An OpenAI-compatible server: `POST /v1/chat/completions` and `GET /v1/models`.

A search is asked for like a completion of a model that is called `strategy/pair`. It goes through the same line and
ceilings as a page's; where the line is full the answer is 429 with `Retry-After`. A client that goes away stops its
search.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from engine.errors import Busy, InvalidInput, TtsError
from engine.search.tree import Tree
from tts_ui.web.door.refusals import openai_error
from tts_ui.web.programs.caller import Caller, of_http
from tts_ui.web.programs.chat_answer import chunk, completion, extras, finish, solution, steps_said, usage
from tts_ui.web.programs.chat_request import Asked, UnknownModel, models, read
from tts_ui.web.programs.desk import Desk
from tts_ui.web.programs.following import Following
from tts_ui.web.programs.refusals import told
from tts_ui.web.programs.tools import TOOLS

T = TypeVar("T")

#: Seconds after which a full line is worth another try, and between two looks whether the client still waits.
_RETRY_S, _LOOK_S = 10, 0.2
#: Seconds without a word after which a stream says that it is still there: proxies cut one that is silent for a minute.
_BEAT_S = 15.0
_FRESH = {"cache-control": "no-store"}

_Told = dict[str, Any] | Following


class Chat:
    """Answers clients of the OpenAI API."""

    def __init__(self, desk: Desk, write_token: str | None = None) -> None:
        self._desk, self._write_token = desk, write_token

    async def models(self, request: Request) -> Response:
        listed = [_model(name) for name in self._names()]
        return JSONResponse({"object": "list", "data": listed}, headers=_FRESH)

    async def model(self, request: Request) -> Response:
        name = request.path_params["model"]
        if name not in self._names():
            return self._refused(UnknownModel("model", f"there is no {name[:80]!r}; GET /v1/models lists them"))
        return JSONResponse(_model(name), headers=_FRESH)

    async def complete(self, request: Request) -> Response:
        try:
            asked = read(await request.body(), self._desk.host.catalogue)
            values = TOOLS["solve"].read(asked.values)
            caller = of_http(request, self._write_token)
            search = self._desk.search(values, caller)
            try:
                answer = await _while_wanted(request, self._begun(asked, caller, search))
            except BaseException:
                await search.aclose()
                raise
        except TtsError as error:
            return self._refused(error)
        return Response(status_code=499) if answer is None else answer

    async def _begun(self, asked: Asked, caller: Caller, search: AsyncGenerator[_Told, None]) -> Response:
        """The whole answer, or a stream whose search has been let into the line."""
        if asked.stream:
            first = await anext(search)
            return StreamingResponse(
                self._stream(asked, caller, first, search), media_type="text/event-stream",
                headers=_FRESH | {"x-accel-buffering": "no"},
            )  # fmt: skip
        *_, following = [told async for told in search]
        assert isinstance(following, Following)
        record, tree = following.records[0], Tree.from_events(following.log[0])
        self._check(following)
        return JSONResponse(
            completion(asked.model, record, tree, _tree_url(caller, record.id), asked.unread), headers=_FRESH
        )

    async def _stream(
        self, asked: Asked, caller: Caller, first: _Told, search: AsyncGenerator[_Told, None]
    ) -> AsyncGenerator[str, None]:
        """Comments while it waits, steps as `reasoning_content` while it searches, then the solution as `content`."""
        begun, seen = False, set[int]()
        try:
            async with aclosing(search), aclosing(_with_beats(search)) as beating:
                told: _Told | None = first
                while True:
                    if told is None:
                        yield ":\n\n"
                    elif isinstance(told, Following):
                        record = told.records[0]
                        if not begun:
                            begun = True
                            yield _line(chunk(asked.model, record, {"role": "assistant", "content": ""}))
                        if said := steps_said(told.fresh.get(0, ()), seen):
                            yield _line(chunk(asked.model, record, {"reasoning_content": said}))
                        if told.over(0):
                            break
                    else:
                        yield f": {told['waits_for']}\n\n"
                    told = await anext(beating)
                self._check(told)
                tree = Tree.from_events(told.log[0])
                more = extras(record, _tree_url(caller, record.id), asked.unread)
                yield _line(chunk(asked.model, record, {"content": solution(tree)}))
                yield _line(chunk(asked.model, record, {}, finish(tree), **more))
                if asked.with_usage:
                    yield _line(chunk(asked.model, record, {}) | {"choices": [], "usage": usage(record.usage)})
                yield "data: [DONE]\n\n"
        except TtsError as error:
            yield _line(self._error(error)[0])

    def _check(self, following: Following) -> None:
        """Raise for a run that a model's failure ended."""
        record = following.records[0]
        if record.status == "failed":
            raise TtsError(record.error or "the search failed")

    def _names(self) -> list[str]:
        return list(models(self._desk.host.catalogue, only_here=self._desk.visitors.strict))

    def _refused(self, error: TtsError) -> Response:
        said, status = self._error(error)
        retry = {"retry-after": str(_RETRY_S)} if isinstance(error, Busy) else {}
        return JSONResponse(said, status, headers=_FRESH | retry)

    def _error(self, error: TtsError) -> tuple[dict[str, Any], int]:
        """In OpenAI's shape, and its status."""
        kind, code, status = "server_error", None, 500
        if isinstance(error, UnknownModel):
            kind, code, status = "invalid_request_error", "model_not_found", 404
        elif isinstance(error, InvalidInput):
            kind, code, status = "invalid_request_error", "invalid_value", 400
        elif isinstance(error, Busy):
            kind, code, status = "rate_limit_error", "rate_limit_exceeded", 429
        message = told(error, discreet=self._desk.visitors.strict)
        param = error.argument if isinstance(error, InvalidInput) else None
        return openai_error(message, kind, code, param), status


async def _with_beats(search: AsyncGenerator[_Told, None]) -> AsyncGenerator[_Told | None, None]:
    """What `search` tells, and None where it has told nothing for a while."""
    while True:
        telling = asyncio.ensure_future(anext(search))
        try:
            while not (await asyncio.wait([telling], timeout=_BEAT_S))[0]:
                yield None
        finally:
            if not telling.done():
                telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling
        yield telling.result()


async def _while_wanted(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """Its result; where the client stops waiting, it is stopped, and None."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=_LOOK_S))[0]:
            if await request.is_disconnected():
                return None
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tts-ui"}


def _tree_url(caller: Caller, run_id: str) -> str:
    return f"{caller.address}/?run={run_id}"


def _line(document: dict[str, Any]) -> str:
    return f"data: {json.dumps(document)}\n\n"
