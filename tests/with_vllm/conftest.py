"""The real vLLM: its engine in this process and its server in others, on a CPU, with the built-in policy.

Started once; `make test-vllm` sets up an environment that has it. Elsewhere these tests are skipped.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import pytest
from support.vllm_server import BUILTIN, VllmServer

from engine.models.policies.openai_server import OpenAIPolicy
from engine.models.policies.vllm import VllmPolicy
from engine.models.servers.settings import ServerSettings, VllmSettings

HERE = importlib.util.find_spec("vllm") is not None
if HERE:
    os.environ.update(
        OMP_NUM_THREADS="1", VLLM_CPU_OMP_THREADS_BIND="nobind", VLLM_CPU_KVCACHE_SPACE="1", VLLM_NO_USAGE_STATS="1",
        HF_HUB_OFFLINE="1", VLLM_ENGINE_READY_TIMEOUT_S="1800",
    )  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "with_vllm" and not HERE:
            item.add_marker(pytest.mark.skip(reason="vLLM is not installed here: make test-vllm"))


@pytest.fixture(scope="session")
def starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[VllmServer]]:
    """Two replicas on their way: they start while the engine in this process does."""
    logs = tmp_path_factory.mktemp("vllm")
    started = [VllmServer(logs / f"server-{number}.log") for number in range(2)]
    yield started
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def servers(starting: list[VllmServer]) -> list[VllmServer]:
    """Two replicas."""
    for server in starting:
        server.wait_until_ready()
    return starting


@pytest.fixture(scope="session")
def behind_servers(servers: list[VllmServer]) -> Iterator[OpenAIPolicy]:
    policy = OpenAIPolicy(ServerSettings(urls=tuple(server.url for server in servers), retries=1, timeout_s=600))
    yield policy
    policy.close()


@pytest.fixture(scope="session")
def in_process(starting: list[VllmServer]) -> Iterator[VllmPolicy]:
    policy = VllmPolicy("builtin-xs", BUILTIN, VllmSettings(dtype="float32", enforce_eager=True))
    yield policy
    policy.close()
