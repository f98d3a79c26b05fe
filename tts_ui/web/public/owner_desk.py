"""What the owner asks of his server: to be let in, how it does, and to change it while it runs.

The door has read the cookie; here it only matters whether the request comes from an owner's session. What changes
anything is a POST of JSON that only this server's own pages can send (see `door.hosts` and `door.bodies`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from engine.runs.limits import LIMITS, Limits
from tts_ui.web.door import Visitors
from tts_ui.web.door.identity import OWNER, SIGNED_IN, came_from
from tts_ui.web.door.owner import Owners, TooMany
from tts_ui.web.parts.notices import sentence
from tts_ui.web.public.hub import Hub, Refused
from tts_ui.web.public.opening import Opening
from tts_ui.web.public.owner_state import state
from tts_ui.web.public.recent import Recent
from tts_ui.words.interface import say

_FRESH = {"cache-control": "no-store"}
_ENDS_WITHIN_S = 10.0


class OwnerDesk:
    """Answers the owner's page."""

    def __init__(
        self, host: Host, visitors: Visitors, owners: Owners, opening: Opening, recent: Recent, hub: Hub | None
    ) -> None:
        self._host, self._visitors, self._owners = host, visitors, owners
        self._opening, self._recent, self._hub = opening, recent, hub

    @property
    def signs_in(self) -> bool:
        """Whether there is a way in."""
        return self._owners.takes_token or self._hub is not None

    @property
    def _ways_in(self) -> dict[str, bool]:
        """What somebody is told who is not signed in."""
        return {"signed_in": False, "token": self._owners.takes_token, "hub": self._hub is not None}

    def routes(self) -> list[Route]:
        return [
            Route("/rte/owner", self._told, methods=["GET", "POST"]),
            Route("/rte/owner/sign-in", self._sign_in, methods=["POST"]),
            Route("/rte/owner/hub", self._to_hub),
            Route("/rte/owner/back", self._from_hub),
        ]

    async def _told(self, request: Request) -> Response:
        if not self._visitors.is_owner(request):
            if request.method == "POST":
                return JSONResponse({"error": say("owner.sign_in_first")}, 403, headers=_FRESH)
            return JSONResponse(self._ways_in, headers=_FRESH)
        try:
            if request.method == "POST":
                order = await request.json()
                if order["do"] == "sign out":
                    self._owners.sign_out(request.headers[OWNER])
                    return JSONResponse(self._ways_in, headers=_FRESH | {SIGNED_IN: ""})
                await asyncio.to_thread(self._do, order)
            shown = await asyncio.to_thread(state, self._host, self._opening, self._recent)
        except TtsError as error:
            return JSONResponse({"error": sentence(error)}, 422, headers=_FRESH)
        return JSONResponse({"signed_in": True, "samples": self._opening.samples, **shown}, headers=_FRESH)

    def _do(self, order: Mapping[str, Any]) -> None:
        """Raises `InvalidInput`."""
        match order["do"]:
            case "pause":
                if self._opening.samples:
                    raise InvalidInput("pause", say("owner.samples_take_none"))
                self._host.closed = say("owner.paused") if order["paused"] else ""
            case "limit":
                self._limit(order["limit"], order.get("value"))
            case "stop":
                if not self._host.stop(order["run"]):
                    raise InvalidInput("run", say("owner.not_running"))
            case _:
                self._delete(order["run"])

    def _limit(self, name: str, value: int | None) -> None:
        if name not in LIMITS:
            raise InvalidInput("limit", say("owner.no_limit"))
        if value is None and not LIMITS[name].unset:
            raise InvalidInput("limit", say("owner.needs_number", limit=LIMITS[name].label))
        self._host.limits = Limits(**asdict(self._host.limits) | {name: value})

    def _delete(self, run_id: str) -> None:
        """For good; a run that goes on is stopped first."""
        self._host.store.whole_run(run_id)
        if running := self._host.running.get(run_id):
            running.stop()
            running.ended.wait(_ENDS_WITHIN_S)
            self._host.store.flush(run_id)
        if not self._host.store.erase([run_id]):
            raise InvalidInput("run", say("owner.not_deleted"))

    async def _sign_in(self, request: Request) -> Response:
        token = (await request.json())["token"]
        try:
            client = request.client.host if request.client else ""
            cookie = self._owners.sign_in(token, came_from(request.headers, client))
        except TooMany as error:
            wait = {"retry-after": str(error.wait_s)}
            return JSONResponse({"error": say("owner.too_many", n=error.wait_s)}, 429, wait)
        if cookie is None:
            return JSONResponse({"error": say("owner.wrong_token")}, 403, headers=_FRESH)
        return JSONResponse({"signed_in": True}, headers=_FRESH | {SIGNED_IN: cookie})

    async def _to_hub(self, request: Request) -> Response:
        if self._hub is None:
            return Response(status_code=404)
        try:
            return RedirectResponse(await self._hub.begin(self._visitors.name(request)), 303, headers=_FRESH)
        except Refused as error:
            return self._refused(error)

    async def _from_hub(self, request: Request) -> Response:
        if self._hub is None:
            return Response(status_code=404)
        said = request.query_params
        try:
            await self._hub.finish(self._visitors.name(request), said.get("state", ""), said.get("code", ""))
        except Refused as error:
            return self._refused(error)
        return RedirectResponse("../../owner", 303, headers=_FRESH | {SIGNED_IN: self._owners.begin()})

    def _refused(self, error: Refused) -> Response:
        """Back to the page, which says so in words of its own: nothing of what came is repeated."""
        print(f"tts-ui: a sign-in at the Hub was refused: {error}", flush=True)
        return RedirectResponse("../../owner?refused=hub", 303, headers=_FRESH)
