"""A vLLM server as far as a judge needs it, over the plain forwards of a tiny checkpoint: `/generative_scoring`."""

from __future__ import annotations

import torch
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from support.judges import Judge
from support.local_server import LocalServer


class JudgeServer(LocalServer):
    """Serves `judge` on a loopback port until `stop`; `read` are the lengths of what it was sent."""

    def __init__(self, judge: Judge, window: int) -> None:
        self.read: list[int] = []
        self._judge, self._window = judge, window
        routes = [
            Route("/v1/models", self._models),
            Route("/generative_scoring", self._score, methods=["POST"]),
        ]
        super().__init__(routes)

    async def _models(self, request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [{"id": "served", "max_model_len": self._window}]})

    async def _score(self, request: Request) -> JSONResponse:
        (ids,) = (await request.json())["items"]
        self.read.append(len(ids))
        if len(ids) >= self._window:
            return JSONResponse({"error": {"message": "too long"}}, status_code=400)
        with torch.inference_mode():
            return JSONResponse({"data": [{"score": float(self._judge.values(ids)[-1])}]})
