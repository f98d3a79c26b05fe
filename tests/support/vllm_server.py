"""vLLM's own server, for the built-in policy or another checkpoint, and its metrics."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import httpx
from support.server_process import ServerProcess

from engine.assets import assets

BUILTIN = assets() / "models" / "builtin-xs"


class VllmServer(ServerProcess):
    """Serves `model` as the name of its folder."""

    def __init__(self, log: Path, model: Path = BUILTIN, *more: str) -> None:
        command = [
            sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model),
            "--served-model-name", model.name, "--dtype", "float32", "--enforce-eager", "--block-size", "32",
            "--enable-prefix-caching", "--enable-prompt-tokens-details", "--no-enable-chunked-prefill", *more,
        ]  # fmt: skip
        super().__init__(log, command, ready="/health")

    def running(self) -> int:
        """Requests that vLLM is working on, or that wait."""
        metrics = httpx.get(f"{self.url}/metrics", timeout=300).text
        found = re.findall(r"^vllm:num_requests_(?:running|waiting)\{[^}]*\} ([\d.e+]+)", metrics, re.MULTILINE)
        assert len(found) == 2, "the metrics have other names in this vLLM"
        return int(sum(map(float, found)))
