"""What a server says about the model it serves: its name there, its context window, its size.

Lists of models come in many shapes, and the length of the context under many names; where `/v1/models` does not give
it, the servers' own addresses may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import ModelError
from engine.models.servers.connection import Server
from engine.models.servers.refusals import Refused

#: Names of the context window, the ones for what is really in force first. That of training (n_ctx_train) is none.
_WINDOWS = ("loaded_context_length", "max_model_len", "n_ctx", "context_length", "context_window", "max_context_length",
            "max_total_tokens", "max_sequence_length", "max_seq_len")  # fmt: skip
#: Where else it is: llama.cpp, LM Studio, Ollama, TGI. Each names what is loaded, which may be less than the model can.
_ELSEWHERE = {"/props": "n_ctx", "/api/v0/models": "loaded_context_length", "/api/ps": "context_length",
              "/info": "max_total_tokens"}  # fmt: skip
#: Parts of an entry that hold its particulars.
_PARTS = ("meta", "metadata", "model_info", "top_provider", "default_generation_settings")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in a server's list. `context_window` and `parameters` are None if it does not say."""

    id: str
    context_window: int | None = None
    parameters: int | None = None


async def entry_of(server: Server, model: str) -> Entry:
    """What the server lists about `model` (empty: its only one). Raises `ModelError` if it does not serve it."""
    try:
        listed = _listed(await server.get("/v1/models"))
    except Refused as refusal:
        if refusal.code not in (404, 405):
            raise
        if not model:
            raise ModelError(f"{server.url} has no list of models; name the one it serves with model") from refusal
        listed = [{"id": model}]
    entry = _named(listed, model)
    if entry is None:
        wanted = f"does not serve {model!r}" if model else "serves several models: name one with model"
        raise ModelError(f"{server.url} {wanted}; it has {', '.join(map(_name, listed[:10])) or 'none'}")
    return Entry(_name(entry), _number(entry, _WINDOWS), _number(entry, ("n_params",)))


async def with_window(server: Server, entry: Entry) -> Entry:
    """`entry` with the context window that the server's other addresses give, once the model is loaded there."""
    if entry.context_window:
        return entry

    async def told(path: str, name: str) -> int | None:
        try:
            answer = await server.get(path)
        except ModelError:
            return None
        found = answer if path in ("/props", "/info") else _named(_listed(answer), entry.id)
        return _number(found, (name,)) if isinstance(found, Mapping) else None

    answers = await asyncio.gather(*(told(path, name) for path, name in _ELSEWHERE.items()))
    return replace(entry, context_window=next(filter(None, answers), None))


def _listed(answer: Any) -> list[Mapping[str, Any]]:
    """The entries of a list of models: under "data" or "models", bare, or one entry alone; names may stand alone."""
    if isinstance(answer, Mapping):
        inside = answer.get("data") or answer.get("models")
        answer = inside if inside is not None else ([answer] if _name(answer) else [])
    if isinstance(answer, Mapping):
        answer = [answer]
    entries = [{"id": entry} if isinstance(entry, str) else entry for entry in answer or ()]
    return [entry for entry in entries if isinstance(entry, Mapping) and _name(entry)]


def _name(entry: Mapping[str, Any]) -> str:
    return str(next((entry[key] for key in ("id", "name", "model") if entry.get(key)), ""))


def _named(listed: Sequence[Mapping[str, Any]], model: str) -> Mapping[str, Any] | None:
    if not model:
        return listed[0] if len(listed) == 1 else None
    for wanted in (model, f"{model}:latest"):  # as Ollama completes a name
        if found := next((entry for entry in listed if _name(entry) == wanted), None):
            return found
    return None


def _number(entry: Mapping[str, Any], names: Sequence[str]) -> int | None:
    """The first of `names` that holds a positive number, in the entry or in one of its parts."""
    places = [entry, *(part for key in _PARTS if isinstance(part := entry.get(key), Mapping))]
    for name in names:
        for place in places:
            if (found := str(place.get(name))).isascii() and found.isdigit() and int(found) > 0:
                return int(found)
    return None
