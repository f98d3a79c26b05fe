"""What the servers of an entry report about themselves, for a list of models: one line each, loading nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from engine.errors import TtsError
from engine.models.servers.connection import Server
from engine.models.servers.listing import entry_of
from engine.models.servers.probe import probe
from engine.models.servers.settings import ServerSettings

#: How long a list of models waits for a silent server, in seconds.
_PATIENCE_S = 5.0


def survey(settings: ServerSettings) -> list[str]:
    """What the servers of a policy's entry can do, all asked at once. Costs each about thirty tokens."""
    return asyncio.run(_lines(settings, _as_policy))


def survey_judge(settings: ServerSettings) -> list[str]:
    """What the servers of a PRM's entry serve. Whether they can judge is tried when the PRM is loaded."""
    return asyncio.run(_lines(settings, _as_judge))


_Ask = Callable[[Server, ServerSettings], Awaitable[str]]


async def _as_policy(server: Server, settings: ServerSettings) -> str:
    found = await probe(server, settings.model, tokenizer=bool(settings.tokenizer))
    without = found.abilities.missing
    return f"{found.model}{', without ' + without if without else ''}"


async def _as_judge(server: Server, settings: ServerSettings) -> str:
    return (await entry_of(server, settings.model)).id


async def _lines(settings: ServerSettings, ask: _Ask) -> list[str]:
    return list(await asyncio.gather(*(_line(url, settings, ask) for url in settings.urls)))


async def _line(url: str, settings: ServerSettings, ask: _Ask) -> str:
    try:
        hasty = settings.model_copy(update={"timeout_s": min(_PATIENCE_S, settings.timeout_s)})
        server = Server(url, settings.api_key(), hasty)
        try:
            return f"{url} serves {await ask(server, settings)}"
        finally:
            await server.close()
    except TtsError as error:
        return str(error)
