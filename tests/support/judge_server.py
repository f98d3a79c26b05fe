"""A vLLM server as far as a judge needs it, over the plain forwards of a tiny checkpoint: `/generative_scoring`."""

from __future__ import annotations

import socket
import threading

import torch
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from support.judges import Judge


class JudgeServer:
    """Serves `judge` on a loopback port until `stop`; `read` are the lengths of what it was sent."""

    def __init__(self, judge: Judge, window: int) -> None:
        self.read: list[int] = []
        self._judge, self._window = judge, window
        routes = [
            Route("/v1/models", self._models),
            Route("/generative_scoring", self._score, methods=["POST"]),
        ]
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=30)

    async def _models(self, request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [{"id": "served", "max_model_len": self._window}]})

    async def _score(self, request: Request) -> JSONResponse:
        (ids,) = (await request.json())["items"]
        self.read.append(len(ids))
        if len(ids) >= self._window:
            return JSONResponse({"error": {"message": "too long"}}, status_code=400)
        with torch.inference_mode():
            return JSONResponse({"data": [{"score": float(self._judge.values(ids)[-1])}]})
