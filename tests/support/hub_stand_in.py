"""A server that speaks the few endpoints of the Hugging Face Hub that a download needs, of models and data sets alike.
Files are real ones."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_accepted"
_SHA = re.compile("[0-9a-f]{40}")


@dataclass
class Repository:
    """`sizes` may claim other sizes than the files have; `gated` asks for the token of an account that accepted."""

    files: dict[str, bytes]
    gated: bool = False
    sizes: dict[str, int] = field(default_factory=dict)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


class Hub:
    """`requests` are the paths asked for, in order."""

    def __init__(self, repositories: dict[str, Repository]) -> None:
        self.repositories = repositories
        self.requests: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub._answer(self, body=True)

            def do_HEAD(self) -> None:
                hub._answer(self, body=False)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        path = unquote(urlsplit(request.path).path)
        self.requests.append(path)
        parts = path.strip("/").split("/")
        api = parts[0] == "api"
        parts = parts[2:] if api else parts[parts[0] == "datasets" :]
        name = "/".join(parts[:2])
        repository = self.repositories.get(name)
        if repository is None:
            self._send(request, 401, {"X-Error-Code": "RepoNotFound"}, b"{}", body)
        elif api:
            self._send(request, 200, {}, json.dumps(self._described(name, repository, parts[2:3])).encode(), body)
        elif repository.gated and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            code = 403 if "Authorization" in request.headers else 401
            self._send(request, code, {"X-Error-Code": "GatedRepo"}, b"", body)
        elif (content := repository.files.get(file := "/".join(parts[4:]))) is None:
            self._send(request, 404, {"X-Error-Code": "EntryNotFound"}, b"", body)
        else:
            size = str(repository.sizes.get(file, len(content)))
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            commit = parts[3] if _SHA.fullmatch(parts[3]) else COMMIT
            self._send(request, 200, {"ETag": etag, "X-Repo-Commit": commit, "X-Linked-Size": size}, content, body)

    def _described(self, name: str, repository: Repository, what: list[str]) -> object:
        sizes = {path: repository.sizes.get(path, len(content)) for path, content in repository.files.items()}
        if what == ["tree"]:
            return [{"type": "file", "path": path, "size": size, "oid": "0" * 40} for path, size in sizes.items()]
        siblings = [{"rfilename": path, "size": size, "blobId": "0" * 40} for path, size in sizes.items()]
        return {"id": name, "modelId": name, "sha": COMMIT, "private": False, "siblings": siblings, "tags": []}

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, code: int, headers: dict[str, str], content: bytes, body: bool) -> None:
        request.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        if body:
            request.wfile.write(content)
