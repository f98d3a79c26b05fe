"""The protocol as it is spoken: what a server was seen to be able to do, and its answers as plain data.

Completions and chat completions differ in where they put things, and so do servers; `Chunk` is what remains of one
event of either. Whatever does not look like the protocol is an error here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from engine.errors import ModelError


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a probe found (see `engine.models.servers.probe`). Beyond these nothing is sent and nothing is believed.

    `prompts`: takes a whole prompt (`/v1/completions`), else messages; `token_ids`: returns those it generated and
    takes them in prompts; `continue_flags`: must be told to go on with a message; `stop_reason`: says which stop string
    or EOS ended a text; `kept_stop`: leaves the stop string in the text; `logprobs`: of the raw distribution; `seeds`:
    same seed, same text; `plain_sampling`: lets us switch off top-k, min-p and repetition penalties; `templates`: turns
    messages into token ids for us.
    """

    prompts: bool = False
    token_ids: bool = False
    continue_flags: bool = False
    stop_reason: bool = False
    kept_stop: bool = False
    logprobs: bool = False
    seeds: bool = False
    plain_sampling: bool = False
    templates: bool = False

    def __and__(self, other: Abilities) -> Abilities:
        """What replicas have in common."""
        return Abilities(**{f.name: getattr(self, f.name) and getattr(other, f.name) for f in fields(self)})

    @property
    def missing(self) -> str:
        """What a user should know that it cannot do; empty where there is nothing."""
        words = {
            "token ids": self.token_ids,
            "log-probabilities": self.logprobs,
            "seeds": self.seeds,
            "stop reasons": self.stop_reason,
            "plain sampling": self.plain_sampling,
        }
        return ", ".join(word for word, able in words.items() if not able)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of a stream, or a whole answer: text, ids, (token text, log-probability) pairs, how it ended, usage."""

    text: str = ""
    ids: tuple[int, ...] | None = None
    tokens: tuple[tuple[str, float], ...] = ()
    finish: str | None = None
    stop_reason: str | int | None = None
    says_why: bool = False
    prompt_ids: tuple[int, ...] | None = None
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    generated_tokens: int | None = None


def chunk(event: Any) -> Chunk:
    """Read one answer. Raises `ModelError` for what is no answer, or one that reports an error."""
    try:
        return _chunk(event)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"the server answers something that is no completion ({one_line(event)})") from error


def _chunk(event: Any) -> Chunk:
    if "error" in event:
        raise ModelError(f"the server reports an error: {error_message(event)}")
    usage = event.get("usage") or {}
    counted: dict[str, Any] = {
        "prompt_tokens": usage.get("prompt_tokens"),
        "generated_tokens": usage.get("completion_tokens"),
        "cached_tokens": (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
    }
    choices = event["choices"] if "choices" in event or not usage else []
    prompt_ids = event.get("prompt_token_ids")
    if not choices:
        return Chunk(prompt_ids=_ids(prompt_ids), **counted)
    choice = choices[0]
    message = choice.get("delta") or choice.get("message") or {}
    if message.get("reasoning_content") or message.get("reasoning"):
        raise ModelError(
            "the server keeps a model's thoughts apart from its answer; start it without a reasoning parser"
        )
    return Chunk(
        text=str(choice.get("text") or message.get("content") or ""),
        ids=_ids(choice.get("token_ids")),
        tokens=_tokens(choice.get("logprobs")),
        finish=choice.get("finish_reason"),
        stop_reason=choice.get("stop_reason"),
        says_why="stop_reason" in choice,
        prompt_ids=_ids(choice.get("prompt_token_ids") or prompt_ids),
        **counted,
    )


def _ids(value: Any) -> tuple[int, ...] | None:
    return None if value is None else tuple(int(token) for token in value)


def _tokens(logprobs: Any) -> tuple[tuple[str, float], ...]:
    """Both spellings: lists side by side (completions), a list of tokens (chat; llama.cpp uses it everywhere)."""
    if not logprobs:
        return ()
    if logprobs.get("content") is not None:
        return tuple((str(token["token"]), float(token["logprob"])) for token in logprobs["content"])
    return tuple(
        (str(token), float(logprob))
        for token, logprob in zip(logprobs["tokens"], logprobs["token_logprobs"], strict=True)
    )


def best_logprob(event: Mapping[str, Any]) -> float | None:
    """The log-probability of the likeliest first token of a whole answer."""
    logprobs = event["choices"][0].get("logprobs") or {}
    if logprobs.get("content"):
        first = logprobs["content"][0]
        return max(float(token["logprob"]) for token in [first, *first.get("top_logprobs", [])])
    top = (logprobs.get("top_logprobs") or [None])[0]
    return max(map(float, top.values())) if top else None


def error_message(event: Any) -> str:
    """The reason a server gives, whichever of the usual places it is in."""
    error = event.get("error") if isinstance(event, Mapping) else None
    if isinstance(error, Mapping):
        error = error.get("message")
    if error is None and isinstance(event, Mapping):
        error = event.get("message") or event.get("detail")
    return one_line(error if error is not None else event)


def one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
