"""A web server in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from tts_ui.web.door.patience import ImpatientProtocol

#: Connections at once, pages' streams included; more are answered with 503.
_MOST_CONNECTIONS = 1000
#: Seconds that open connections have to end when the server closes.
_GRACE_S = 2


class Served:
    """An app that is being served; `url` is its address on this machine."""

    def __init__(
        self, url: str, server: uvicorn.Server, thread: threading.Thread, before_closing: Callable[[], object]
    ) -> None:
        self.url = url
        self._server, self._thread, self._before_closing = server, thread, before_closing

    def close(self) -> None:
        """End it; returns when the port is free."""
        self._before_closing()
        self._server.should_exit = True
        self._thread.join(timeout=_GRACE_S + 5)


def serve_app(
    app: ASGIApp, host: str = "127.0.0.1", port: int = 0, *, before_closing: Callable[[], object] = lambda: None
) -> Served:
    """Serve `app` and return when it answers; port 0 stands for any that is free. `before_closing` ends what would keep
    connections open.

    Raises `OSError` if it cannot listen there, `RuntimeError` if the app does not start.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, limit_concurrency=_MOST_CONNECTIONS, ws="none",
        timeout_graceful_shutdown=_GRACE_S, lifespan="on", http=ImpatientProtocol,
    )  # fmt: skip
    listening = socket.create_server((host, port), family=family, backlog=config.backlog)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=[[listening]], name="web", daemon=True)
    thread.start()
    while not server.started:
        thread.join(timeout=0.01)
        if not thread.is_alive():
            listening.close()
            raise RuntimeError("the web server did not start")
    return Served(f"http://{_reached_at(host)}:{listening.getsockname()[1]}/", server, thread, before_closing)


def _reached_at(host: str) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = everywhere.get(host, host)
    return f"[{host}]" if ":" in host else host
