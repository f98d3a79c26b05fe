"""A small real HTTP server that speaks the completions protocol, with a real local policy behind it.

What it does is what vLLM does; `Behaviour` takes abilities away, one by one, down to the barest server there is, and
lets it fail. It answers in whole continuations, computed before they are streamed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from support.local_server import LocalServer
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.assets import assets
from engine.models.policies.local import LocalPolicy, LocalSession
from engine.models.policies.openai_server import OpenAIPolicy
from engine.search.cost import PolicyCost
from engine.search.policy import Draw, Sampling, TokenBudget

BUILTIN = assets() / "models" / "builtin-xs"

#: What the fixtures `serve` and `connect` are called as.
Serve = Callable[..., "CompletionServer"]
Connect = Callable[..., OpenAIPolicy]

_KNOWN = {"model", "prompt", "messages", "max_tokens", "temperature", "top_p", "stream", "stream_options", "stop",
          "seed", "logprobs", "top_logprobs"}  # fmt: skip


#: What no model writes: a server knows nothing of steps.
_NO_DELIMITER = "\0"


@dataclass
class Behaviour:
    """`chat`: "flags" goes on with a message when told to, "always" unasked, "never" begins a new one.

    `errors` are the answers to the first requests for completions; `dies_after` breaks streams off behind so many
    events, `deaths` times; `pause_s` is waited before every event.

    Quirks: `listing` is the shape of the list of models, `window` the place where the length of the context is said (a
    key of the entry, with dots, or an address of its own); `finishes` renames reasons to end; `admits_cuts`: says
    "length", not "stop", where the tokens asked for are used up; `streamed_logprobs`: not only in whole answers;
    `stream_options`: takes them; `streams`: at all; `trims`, `drops_thoughts`: what its chat template does to messages;
    `wraps`: puts prompts into that template, too; `plain_tokens`: reads special tokens in them as text; `pings`,
    `null_error`: events without data, errors that are none; `reason` is the body of its 400 to every completion, and
    if it `hangs_up`, streams break off instead; `in_stream` is sent after `fails_after` events in place of the rest,
    `failures` times; with `slots` in use, one request more gets a 503 or, if it `interrupts`, ends what is running, as
    the server of llama-cpp-python has it.
    """

    completions: bool = True
    templates: bool = True
    token_ids: bool = True
    stop_reason: bool = True
    keeps_stop: bool = True
    logprobs: bool = True
    scaled_logprobs: bool = False
    seeds: bool = True
    filters: bool = True
    strict: bool = False
    chat: str = "flags"
    hides_thoughts: bool = False
    says_window: bool = True
    listing: str = "data"
    window: str = "max_model_len"
    finishes: Mapping[str, str] = field(default_factory=dict)
    admits_cuts: bool = True
    streamed_logprobs: bool = True
    stream_options: bool = True
    streams: bool = True
    trims: bool = False
    drops_thoughts: bool = False
    wraps: bool = False
    plain_tokens: bool = False
    pings: bool = False
    null_error: bool = False
    reason: Any = None
    hangs_up: bool = False
    in_stream: str = ""
    fails_after: int = 2
    failures: int = 10**9
    slots: int = 10**9
    interrupts: bool = False
    usage: bool = True
    tokens_per_event: int = 1
    errors: list[int] = field(default_factory=list)
    dies_after: int | None = None
    deaths: int = 10**9
    pause_s: float = 0.0
    key: str = ""


@dataclass
class _Said:
    ids: list[int]
    logprobs: list[float]
    best: list[tuple[int, float]]
    finish: str
    stop_reason: str | None
    text: str


class CompletionServer(LocalServer):
    """Serves the checkpoint in `folder` on a loopback port, from a thread of its own, until `stop`."""

    def __init__(self, folder: Path, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[dict[str, Any]] = []
        self.running = self.most_running = 0
        self._policy = LocalPolicy("served", folder, delimiter=_NO_DELIMITER)
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
        self._chance = 0
        self._newest = self._taken = 0
        routes = [
            Route("/v1/models", self._models),
            *(Route(path, self._elsewhere) for path in ("/props", "/api/ps", "/api/v0/models", "/info")),
            Route("/tokenize", self._tokenize, methods=["POST"]),
            Route("/v1/completions", self._completions, methods=["POST"]),
            Route("/v1/chat/completions", self._completions, methods=["POST"]),
        ]
        super().__init__(routes)

    def stop(self) -> None:
        super().stop()
        self._policy.close()

    @property
    def searching(self) -> list[dict[str, Any]]:
        """The requests of searches: streamed, and not about the question of the probe."""
        asked = [body for body in self.requests if body.get("stream")]
        return [body for body in asked if "What is 7 + 5?" not in str(body.get("prompt") or body["messages"])]

    async def _models(self, request: Request) -> Response:
        if refusal := self._refusal(request, {}):
            return refusal
        window = self._window() if self.behaviour.says_window and self.behaviour.window[0] != "/" else {}
        entry = {"id": "served", "object": "model", **window}
        shapes: dict[str, Any] = {
            "data": {"object": "list", "data": [entry]}, "bare": [entry], "names": ["served"],
            "models": {"models": [{"name": "served:latest", **window}]}, "one": entry, "null": {"data": None},
        }  # fmt: skip
        if self.behaviour.listing == "none":
            return _error(404, "Not Found")
        return JSONResponse(shapes[self.behaviour.listing])

    def _window(self) -> dict[str, Any]:
        """The length of the context under the name of `behaviour.window`, which may be inside of another."""
        *parts, name = self.behaviour.window.split(".")
        said: dict[str, Any] = {name: self._policy.info.context_window}
        for part in reversed(parts):
            said = {part: said}
        return said

    async def _elsewhere(self, request: Request) -> Response:
        window = self._policy.info.context_window
        said: dict[str, Any] = {
            "/props": {"default_generation_settings": {"n_ctx": window}, "total_slots": 1},
            "/api/ps": {"models": [{"name": "served", "context_length": window}]},
            "/api/v0/models": {
                "data": [{"id": "served", "loaded_context_length": window, "max_context_length": 10**6}]
            },
            "/info": {"model_id": "served", "max_total_tokens": window},
        }
        path = request.url.path
        return JSONResponse(said[path]) if path == self.behaviour.window else _error(404, "Not Found")

    async def _tokenize(self, request: Request) -> Response:
        body = await request.json()
        if not self.behaviour.templates:
            return _error(404, "Not Found")
        if "messages" in body:
            return JSONResponse({"tokens": self._filled(body["messages"], generate=True)})
        return JSONResponse({"tokens": self._tokenizer.encode(body["prompt"], add_special_tokens=False)})

    async def _completions(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        if refusal := self._refusal(request, body):
            return refusal
        self._taken += 1
        prompt = self._prompt(body)
        said = await self._continue(prompt, body)
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(said.ids)}
        if body.get("stream") and self.behaviour.streams:
            return StreamingResponse(self._events(said, body, usage), media_type="text/event-stream")
        self._taken -= 1
        body = body | {"stream": False}
        whole = self._event(said, body, 0, len(said.ids), said.text) | {"usage": usage}
        if self.behaviour.token_ids and body.get("return_token_ids"):
            whole["choices"][0]["prompt_token_ids"] = prompt
        return JSONResponse(whole)

    def _refusal(self, request: Request, body: dict[str, Any]) -> Response | None:
        behaviour = self.behaviour
        if behaviour.key and request.headers.get("authorization") != f"Bearer {behaviour.key}":
            return _error(401, "Incorrect API key")
        if "completions" in request.url.path and behaviour.errors:
            code = behaviour.errors.pop(0)
            return _error(code, f"try again after {code}")
        if request.url.path == "/v1/completions" and not behaviour.completions:
            return _error(404, "Not Found")
        if behaviour.strict and (unknown := sorted(body.keys() - _KNOWN)):
            return _error(400, f"Unrecognized request argument supplied: {unknown[0]}")
        if body.get("max_tokens", 0) > self._policy.info.context_window:
            return _error(400, "max_tokens cannot be greater than max_model_len")
        if "stream_options" in body and not behaviour.stream_options:
            return _error(400, "Unrecognized request argument supplied: stream_options")
        late = body.get("stream") and behaviour.hangs_up  # it will look at the request when it has begun to answer
        if "completions" in request.url.path and behaviour.reason is not None and not late:
            return JSONResponse(behaviour.reason, status_code=400)
        if "completions" in request.url.path and self._taken >= behaviour.slots and not behaviour.interrupts:
            return _error(503, "no slot available")
        return None

    def _prompt(self, body: dict[str, Any]) -> list[int]:
        if isinstance(body.get("prompt"), list):
            return list(body["prompt"])
        if "prompt" in body and self.behaviour.wraps:
            return self._filled([{"role": "user", "content": body["prompt"]}], generate=True)
        if "prompt" in body and self.behaviour.plain_tokens:
            return list(self._tokenizer.encode(body["prompt"].replace("<|", "< |"), add_special_tokens=False))
        if "prompt" in body:
            return list(self._tokenizer.encode(body["prompt"], add_special_tokens=False))
        *before, last = body["messages"]
        goes_on = {"flags": body.get("continue_final_message"), "always": True, "never": False}[self.behaviour.chat]
        if last["role"] != "assistant" or not goes_on:
            return self._filled(body["messages"], generate=True)
        content = last["content"].strip() if self.behaviour.trims else last["content"]
        content = content.split("</think>")[-1].lstrip() if self.behaviour.drops_thoughts else content
        said = self._tokenizer.encode(content, add_special_tokens=False)
        return [*self._filled(before, generate=True), *said]

    def _filled(self, messages: list[dict[str, str]], *, generate: bool) -> list[int]:
        ids = self._tokenizer.apply_chat_template(messages, add_generation_prompt=generate, return_dict=False)
        return list(ids)

    async def _continue(self, prompt: list[int], body: dict[str, Any]) -> _Said:
        self._chance += 1
        seed = body.get("seed") if self.behaviour.seeds else None
        greedy = self.behaviour.filters and body.get("top_k") == 1
        temperature = 0.0 if greedy else body.get("temperature", 1.0)
        sampling = Sampling(temperature, body.get("top_p", 1.0), body["max_tokens"])
        draw = Draw((), self._chance if seed is None else seed + 10**6)
        session = LocalSession(self._policy.decoder, prompt, _NO_DELIMITER)
        (step,) = await session.extend([draw], sampling, TokenBudget(), PolicyCost())
        ids = list(step.token_ids or ())
        finish, stop_reason, text = "stop" if step.finish == "eos" else "length", None, step.text
        for stop in body.get("stop") or []:
            length = next((n for n in range(1, len(ids) + 1) if stop in self._decode(ids[:n])), None)
            if length is not None:
                ids, finish, stop_reason = ids[:length], "stop", stop
                text = self._decode(ids)
                text = text[: text.index(stop) + (len(stop) if self._keeps_stop(body) else 0)]
        return _Said(ids, *self._logprobs(prompt, ids, sampling.temperature), finish, stop_reason, text)

    def _keeps_stop(self, body: dict[str, Any]) -> bool:
        return self.behaviour.keeps_stop and bool(body.get("include_stop_str_in_output"))

    @torch.inference_mode()
    def _logprobs(
        self, prompt: list[int], ids: list[int], temperature: float
    ) -> tuple[list[float], list[tuple[int, float]]]:
        """Of each token, and the likeliest token in each place with its own."""
        logits = self._model(torch.tensor([[*prompt, *ids]])).logits[0, len(prompt) - 1 : -1, : len(self._tokenizer)]
        if self.behaviour.scaled_logprobs and temperature:
            logits = logits / temperature
        table = torch.log_softmax(logits, -1)
        best = [(int(row.argmax()), float(row.max())) for row in table]
        return [float(row[token]) for row, token in zip(table, ids, strict=True)], best

    async def _events(self, said: _Said, body: dict[str, Any], usage: dict[str, int]) -> AsyncIterator[str]:
        behaviour = self.behaviour
        if behaviour.hangs_up and behaviour.reason is not None:
            raise ConnectionAbortedError("as the test wants it")
        self._newest = number = self._newest + 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for sent, start in enumerate(range(0, len(said.ids), behaviour.tokens_per_event)):
                await asyncio.sleep(behaviour.pause_s)
                if behaviour.in_stream and sent == behaviour.fails_after and behaviour.failures:
                    behaviour.failures -= 1
                    yield behaviour.in_stream
                    return
                if behaviour.interrupts and self._newest != number:
                    break
                if sent == behaviour.dies_after and behaviour.deaths:
                    behaviour.deaths -= 1
                    raise ConnectionAbortedError("as the test wants it")
                if behaviour.pings:
                    yield ": still here\n\nevent: ping\ndata:\n\n"
                end = min(start + behaviour.tokens_per_event, len(said.ids))
                shown = min(len(self._decode(said.ids[:start])), len(said.text))
                text = said.text[shown:] if end == len(said.ids) else self._decode(said.ids[:end])[shown:]
                yield _data(self._event(said, body, start, end, text))
            if behaviour.usage and body.get("stream_options"):
                yield _data({"choices": [], "usage": usage})
            yield "data: [DONE]\n\n"
        finally:
            self._taken -= 1
            self.running -= 1

    def _event(self, said: _Said, body: dict[str, Any], start: int, end: int, text: str) -> dict[str, Any]:
        """Tokens `start` to `end` of what was said, as either kind of completion has it."""
        last = end == len(said.ids)
        finish = said.finish if self.behaviour.admits_cuts else "stop"
        finish = self.behaviour.finishes.get(finish, finish)
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish if last else None}
        tokens = [(self._decode([token]), logprob) for token, logprob in zip(said.ids, said.logprobs, strict=True)]
        best = [(self._decode([token]), logprob) for token, logprob in said.best]
        chat = "messages" in body
        if chat:
            said_as = "reasoning_content" if self.behaviour.hides_thoughts else "content"
            choice["delta" if body.get("stream") else "message"] = {said_as: text}
        else:
            choice["text"] = text
        if self.behaviour.stop_reason:
            choice["stop_reason"] = said.stop_reason if last else None
        if self.behaviour.token_ids and body.get("return_token_ids"):
            choice["token_ids"] = said.ids[start:end]
        shown = self.behaviour.streamed_logprobs or not body.get("stream")
        if self.behaviour.logprobs and body.get("logprobs") and shown:
            choice["logprobs"] = _logprobs(tokens[start:end], best[start:end], chat=chat)
        return {"model": "served", "choices": [choice]} | ({"error": None} if self.behaviour.null_error else {})

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))


def _logprobs(tokens: list[tuple[str, float]], best: list[tuple[str, float]], *, chat: bool) -> dict[str, Any]:
    if not chat:
        return {
            "tokens": [token for token, _ in tokens],
            "token_logprobs": [logprob for _, logprob in tokens],
            "top_logprobs": [{token: logprob} for token, logprob in best],
        }
    return {
        "content": [
            {"token": token, "logprob": logprob, "top_logprobs": [{"token": top, "logprob": most}]}
            for (token, logprob), (top, most) in zip(tokens, best, strict=True)
        ]
    }


def _data(event: dict[str, Any]) -> str:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n"


def _error(code: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "code": code}}, status_code=code)
