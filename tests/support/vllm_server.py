"""vLLM's own server, for the built-in policy or another checkpoint, on a free loopback port, and its metrics."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
from support.waiting import until

from engine.assets import assets

BUILTIN = assets() / "models" / "builtin-xs"

#: Seconds that a server may take to start on a busy machine.
_START_S = 1200.0


class VllmServer:
    """A process group of its own, so that killing it leaves nothing behind."""

    def __init__(self, log: Path, model: Path = BUILTIN, *more: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        command = [
            sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model),
            "--served-model-name", model.name, "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32",
            "--enforce-eager", "--block-size", "32", "--enable-prefix-caching", "--enable-prompt-tokens-details",
            "--no-enable-chunked-prefill", *more,
        ]  # fmt: skip
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self._process.poll() is None, f"vLLM's server did not start:\n{self._log.read_text()[-3000:]}"
            try:
                return httpx.get(f"{self.url}/health").status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

        until(ready, _START_S)

    def running(self) -> int:
        """Requests that vLLM is working on, or that wait."""
        metrics = httpx.get(f"{self.url}/metrics", timeout=300).text
        found = re.findall(r"^vllm:num_requests_(?:running|waiting)\{[^}]*\} ([\d.e+]+)", metrics, re.MULTILINE)
        assert len(found) == 2, "the metrics have other names in this vLLM"
        return int(sum(map(float, found)))

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=30)
