"""What a client of the OpenAI API asks, as the tool `solve` takes it; what cannot be done is refused in OpenAI's shape.

A model is a strategy and a pair, `beam_search/builtin-xs`. The problem is the last message of the user's: a search has
no conversation, so system messages and earlier ones are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.search.strategies import STRATEGIES
from tts_ui.web.programs.tools import TOOLS

#: OpenAI's names for parameters of a search.
_RENAMED = {"max_completion_tokens": "max_tokens"}
#: What says nothing about the answer.
_IGNORED = {"user", "metadata", "store", "safety_identifier", "prompt_cache_key"}
_OWN = {"model", "messages", "stream", "stream_options"}
_EXAMPLE = "give STRATEGY/PAIR, such as beam_search/builtin-xs; GET /v1/models lists them"


class UnknownModel(InvalidInput):
    """There is no such model; OpenAI answers 404 then."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        values: for the tool `solve`.
        unread: how many messages are not read: all but the last of the user's.
    """

    model: str
    values: Mapping[str, Any]
    unread: int
    stream: bool
    with_usage: bool


def models(catalogue: Catalogue, *, only_here: bool) -> Iterator[str]:
    """The models there are; `only_here` leaves out what is not on this machine."""
    for name, pair in catalogue.pairs.items():
        judge = catalogue.scorer(name)
        here = catalogue.here(pair.policy) and (judge is None or catalogue.here(judge))
        if here or not only_here:
            for strategy, method in STRATEGIES.items():
                if judge is not None or not method.scored:
                    yield f"{strategy}/{name}"


def read(body: bytes, catalogue: Catalogue) -> Asked:
    """The request in `body`. Raises `InvalidInput`."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("body", "it is not JSON; send one JSON object") from None
    if not isinstance(asked, dict):
        raise InvalidInput("body", "it is not an object; send model and messages")
    values: dict[str, Any] = {}
    name: str
    for name, value in asked.items():
        known = _RENAMED.get(name, name)
        if name in _OWN or name in _IGNORED or value is None:
            continue
        if known not in TOOLS["solve"].parameters or known in ("problem", "strategy", "models"):
            raise InvalidInput(name[:40], "a search has no such parameter; leave it out (docs/programs.md lists them)")
        if known in values and values[known] != value:
            raise InvalidInput(name, f"it is given twice, as {known} too; give it once")
        values[known] = value
    strategy, pair = _model(asked.get("model"), catalogue)
    problem, unread = _problem(asked.get("messages"))
    stream = asked.get("stream") or False
    if not isinstance(stream, bool):
        raise InvalidInput("stream", "it is neither true nor false")
    options = asked.get("stream_options") or {}
    if not isinstance(options, dict):
        raise InvalidInput("stream_options", 'it is no object; give {"include_usage": true}, or leave it out')
    with_usage = options.get("include_usage") is True
    values |= {"problem": problem, "strategy": strategy, "models": pair}
    return Asked(f"{strategy}/{pair}", values, unread, stream, with_usage)


def _model(model: Any, catalogue: Catalogue) -> tuple[str, str]:
    if not isinstance(model, str) or not model:
        raise InvalidInput("model", f"it is missing; {_EXAMPLE}")
    strategy, _, pair = model.partition("/")
    if strategy not in STRATEGIES or (pair or catalogue.default) not in catalogue.pairs:
        raise UnknownModel("model", f"there is no {model[:80]!r}; {_EXAMPLE}")
    return strategy, pair or catalogue.default


def _problem(messages: Any) -> tuple[str, int]:
    """The last message of the user's, and how many others there are."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise InvalidInput("messages", "it is no list of messages; give one of the role user with the problem")
    asked = [message for message in messages if message.get("role") == "user"]
    if not asked or messages[-1].get("role") != "user":
        raise InvalidInput("messages", "the last message is not the user's; end with one of the role user")
    return _text(asked[-1].get("content")), len(messages) - 1


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [None]
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidInput("messages", "the problem is not a text; give a text, or parts of the type text")
    return "\n".join(text for text in texts if text)
