"""What a visitor may ask about himself: how many runs are his, that they be deleted, that he be forgotten."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from tts_ui.web.door import Visitors
from tts_ui.web.door.identity import FORGET
from tts_ui.web.parts.notices import sentence
from tts_ui.web.public.opening import Opening, duration
from tts_ui.words.interface import say

#: Seconds that a visitor's running searches may take to end before his runs are deleted.
_ENDS_WITHIN_S = 10.0


class MineDesk:
    """Answers about the visitor who asks."""

    def __init__(self, host: Host, visitors: Visitors, opening: Opening) -> None:
        self._host, self._visitors, self._opening = host, visitors, opening

    def routes(self) -> list[Route]:
        return [Route("/rte/mine", self._answer, methods=["GET", "POST"])]

    async def _answer(self, request: Request) -> JSONResponse:
        headers = {"cache-control": "no-store"}
        try:
            visitor = self._visitors.name(request)
            own = await asyncio.to_thread(self._visitors.own, request)
            if request.method == "GET":
                kept = duration(self._opening.keep_s) if self._opening.keep_s is not None else ""
                return JSONResponse({"runs": len(own), "known": bool(visitor), "kept": kept}, headers=headers)
            if not visitor:
                raise InvalidInput("cookie", say("mine.no_cookie"))
            if (await request.json())["do"] == "delete":
                return JSONResponse(await asyncio.to_thread(self._delete, visitor, sorted(own)), headers=headers)
            await asyncio.to_thread(self._visitors.forget, visitor)
        except TtsError as error:
            status = 422 if isinstance(error, InvalidInput) else 503
            return JSONResponse({"error": sentence(error, discreet=True)}, status, headers=headers)
        return JSONResponse({"forgotten": True}, headers=headers | {FORGET: "yes"})

    def _delete(self, visitor: str, run_ids: Sequence[str]) -> dict[str, Any]:
        """Stop what is running, and remove everything for good."""
        self._host.take_back(visitor)
        stopping = [running for run_id in run_ids if (running := self._host.running.get(run_id))]
        for running in stopping:
            running.stop()
        deadline = time.monotonic() + _ENDS_WITHIN_S
        for running in stopping:
            running.ended.wait(max(0.0, deadline - time.monotonic()))
        self._host.store.flush()
        return {"deleted": len(self._host.store.erase(run_ids))}
