"""A real server of models in a process group of its own, so that killing it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from support.waiting import until

#: Seconds that a server may take to start on a busy machine.
_START_S = 1200.0


class ServerProcess:
    """`command` and a free loopback port; what it prints goes to `log`, and `ready` is a path that it answers then."""

    def __init__(
        self, log: Path, command: Sequence[str], *, ready: str, environment: Mapping[str, str] | None = None
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log, self._ready = log, ready
        whole = [*command, "--host", "127.0.0.1", "--port", str(port)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                whole, stdout=output, stderr=output, start_new_session=True, env={**os.environ, **(environment or {})}
            )

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            said = self.log.read_text(errors="replace")[-3000:]
            assert self._process.poll() is None, f"the server did not start:\n{said}"
            try:
                return httpx.get(f"{self.url}{self._ready}", trust_env=False).status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

        until(ready, _START_S)

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=30)
