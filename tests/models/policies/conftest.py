"""Servers and policies that talk to them, closed when the test is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.completion_server import BUILTIN, Behaviour, CompletionServer, Connect, Serve

from engine.models.policies.openai_server import OpenAIPolicy
from engine.models.servers.settings import ServerSettings


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(folder, **behaviour)`: a server for that checkpoint (the built-in one)."""
    running: list[CompletionServer] = []

    def start(folder: Path = BUILTIN, **behaviour: Any) -> CompletionServer:
        running.append(CompletionServer(folder, Behaviour(**behaviour)))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """`connect(server, ..., tokenizer=FOLDER, **settings)`: the policy behind those servers."""
    opened: list[OpenAIPolicy] = []

    def open_policy(*servers: CompletionServer, tokenizer: Path | None = None, **settings: Any) -> OpenAIPolicy:
        urls = tuple(server.url for server in servers)
        opened.append(OpenAIPolicy(ServerSettings(urls=urls, **settings), tokenizer=tokenizer))
        return opened[-1]

    yield open_policy
    for policy in opened:
        policy.close()
