"""An OpenID provider as the Hub is one, on this machine: signs in whoever is told, and checks what a server sends."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT, SECRET = "the-client", "the-client-secret"


class SignInServer:
    """`user` is what the provider says of whoever signs in; `asked` are the paths that were asked for."""

    def __init__(self) -> None:
        self.user: dict[str, Any] = {"sub": "1", "preferred_username": "Ann"}
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                outer.asked.append(parts.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if parts.path == "/.well-known/openid-configuration":
                    names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
                    self._json({f"{name}_endpoint": f"{outer.url}/oauth/{path}" for name, path in names.items()})
                elif parts.path == "/oauth/authorize" and query.get("client_id") == CLIENT:
                    code = f"code-{len(outer.codes)}"
                    outer.codes[code] = query
                    self.send_response(302)
                    self.send_header("location", f"{query['redirect_uri']}?code={code}&state={query['state']}")
                    self.end_headers()
                elif parts.path == "/oauth/userinfo" and self.headers["authorization"] == "Bearer the-token":
                    self._json(outer.user)
                else:
                    self._json({"error": "no"}, 400)

            def do_POST(self) -> None:
                outer.asked.append(urlsplit(self.path).path)
                body = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                given = {name: values[0] for name, values in body.items()}
                begun = outer.codes.pop(given.get("code", ""), None)
                basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
                digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
                challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
                right = (
                    begun and begun["code_challenge"] == challenge and begun["redirect_uri"] == given["redirect_uri"]
                    and self.headers["authorization"] == f"Basic {basic}"
                )  # fmt: skip
                self._json({"access_token": "the-token"} if right else {"error": "no"}, 200 if right else 400)

            def _json(self, said: dict[str, Any], status: int = 200) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
