"""The real llama.cpp, as the server of llama-cpp-python has it: one slot, SmolLM2-135M-Instruct as GGUF.

Started once; `make test-llama-cpp` sets up an environment that has it, and names it. Elsewhere these tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.llama_server import HERE, PLACE, WINDOW, LlamaServer

from engine.models.policies.openai_server import OpenAIPolicy
from engine.models.servers.settings import ServerSettings

_TOKENIZER = (
    "import sys, transformers as t; t.AutoTokenizer.from_pretrained(sys.argv[1], gguf_file='model.gguf')"
    ".save_pretrained(sys.argv[2])"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "with_llama_cpp" and not HERE:
            item.add_marker(pytest.mark.skip(reason="llama.cpp is not here: make test-llama-cpp"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    started = LlamaServer(tmp_path_factory.mktemp("llama") / "server.log")
    started.wait_until_ready()
    yield started
    started.kill()


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's own tokenizer, as a folder."""
    folder = tmp_path_factory.mktemp("tokenizer")
    path = os.pathsep.join([str(PLACE / "gguf"), *filter(None, [os.environ.get("PYTHONPATH")])])
    making = [sys.executable, "-c", _TOKENIZER, str(PLACE / "model"), str(folder)]
    subprocess.run(making, check=True, env={**os.environ, "PYTHONPATH": path})
    return folder


@pytest.fixture(scope="session")
def connect(server: LlamaServer, tokenizer: Path) -> Iterator[Callable[..., OpenAIPolicy]]:
    """`connect(**settings)`: the policy behind the server, by completions with our template."""
    opened: list[OpenAIPolicy] = []

    def open_policy(*, chat: bool = False, **settings: Any) -> OpenAIPolicy:
        entry = ServerSettings(**{"urls": (server.url,), "context_window": WINDOW, "timeout_s": 600, **settings})
        opened.append(OpenAIPolicy(entry, tokenizer=None if chat else tokenizer))
        return opened[-1]

    yield open_policy
    for policy in opened:
        policy.close()


@pytest.fixture(scope="session")
def policy(connect: Callable[..., OpenAIPolicy]) -> OpenAIPolicy:
    return connect(concurrency=1)
