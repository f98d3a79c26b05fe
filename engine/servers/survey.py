"""What the servers of an entry say of themselves, for a list of models: a line each, without loading anything."""

from __future__ import annotations

import asyncio
import os

from engine.errors import TtsError
from engine.servers.probe import probe
from engine.servers.replicas import Server
from engine.servers.settings import ServerSettings

#: Seconds that a list of models waits for a silent server.
_PATIENCE_S = 5.0


def survey(settings: ServerSettings) -> list[str]:
    """Ask every server of the entry, all at once. Costs each of them some thirty tokens."""
    return asyncio.run(_survey(settings))


async def _survey(settings: ServerSettings) -> list[str]:
    return list(await asyncio.gather(*(_line(url, settings) for url in settings.urls)))


async def _line(url: str, settings: ServerSettings) -> str:
    key = os.environ.get(settings.key_env) if settings.key_env else None
    server = Server(url, key, min(_PATIENCE_S, settings.timeout_s), settings.concurrency)
    try:
        found = await probe(server, settings.model, tokenizer=bool(settings.tokenizer))
    except TtsError as error:
        return str(error)
    finally:
        await server.close()
    without = found.abilities.missing
    return f"{url} serves {found.model}{', without ' + without if without else ''}"
