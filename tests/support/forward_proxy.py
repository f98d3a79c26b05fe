"""A real HTTP proxy on loopback: it asks the address in a request's first line, or says that it may not."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class ForwardProxy:
    """At `url` until `stop`; `asked` are the addresses that were asked through it. `forbids`: answers 403 to all."""

    def __init__(self, *, forbids: bool = False) -> None:
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._forward(b"")

            def do_POST(self) -> None:
                self._forward(self.rfile.read(int(self.headers["content-length"])))

            def _forward(self, body: bytes) -> None:
                proxy.asked.append(self.path)
                if forbids:
                    self._say(403, "text/html", b"<html><title>Access denied</title><p>by policy</p></html>")
                    return
                headers = {"content-type": "application/json"} if body else {}
                got = httpx.request(self.command, self.path, content=body, headers=headers, trust_env=False, timeout=60)
                self._say(got.status_code, got.headers["content-type"], got.content)

            def _say(self, code: int, kind: str, content: bytes) -> None:
                self.send_response(code)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
