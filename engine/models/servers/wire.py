"""The protocol as it is spoken: what a server was seen to be able to do, and its answers as plain data.

Completions and chat completions differ in where they put things, and so do servers; `Chunk` is what remains of one
event of either. Whatever does not look like the protocol is an error here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Literal

from engine.errors import ModelError
from engine.models.servers.refusals import Unavailable, one_line

#: How an answer ended, whatever the server calls it: the model had said all (or a stop string came), it was cut off, or
#: the server failed.
Ending = Literal["said", "cut", "broken"]

#: Parts of the words for the last two. What a filter or a tool call cuts off is no whole answer either.
_CUT = ("length", "max", "limit", "budget", "filter", "safety", "recitation", "refus", "tool", "function")
_BROKEN = ("error", "abort", "cancel", "timeout", "resource", "overload", "fail", "interrupt")
#: Above all ids and numbers of tokens that there are.
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a probe found (see `engine.models.servers.probe`). Beyond these nothing is sent and nothing is believed.

    `prompts`: takes a whole prompt (`/v1/completions`), else messages; `token_ids`: returns those it generated and
    takes them in prompts; `continue_flags`: must be told to go on with a message; `stop_reason`: says which stop string
    or EOS ended a text; `kept_stop`: leaves the stop string in the text; `logprobs`: of the raw distribution; `seeds`:
    same seed, same text; `plain_sampling`: lets us switch off top-k, min-p and repetition penalties; `templates`: turns
    messages into token ids for us; `usage`: takes the request to count the tokens of a stream; `cut_offs`: says so when
    an answer ends because it has as many tokens as were asked for.
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
    usage: bool = False
    cut_offs: bool = False

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
            "cut-off reasons": self.cut_offs,
            "plain sampling": self.plain_sampling,
        }
        return ", ".join(word for word, able in words.items() if not able)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of a stream, or a whole answer: text, ids, (token text, log-probability) pairs, how it ended, usage.

    `best` is the log-probability of the likeliest token in the first place.
    """

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
    best: float | None = None

    @property
    def ending(self) -> Ending | None:
        """How the answer ended; None where it goes on."""
        word = self.finish.lower() if self.finish else ""
        if not word or word in ("null", "none"):
            return None
        if any(part in word for part in _BROKEN):
            return "broken"
        return "cut" if any(part in word for part in _CUT) else "said"

    def __add__(self, later: Chunk) -> Chunk:
        """Both as one answer."""
        return Chunk(
            text=self.text + later.text,
            ids=(*(self.ids or ()), *(later.ids or ())) or self.ids or later.ids,
            tokens=self.tokens + later.tokens,
            finish=later.finish if later.ending else self.finish,
            stop_reason=self.stop_reason if later.stop_reason is None else later.stop_reason,
            says_why=self.says_why or later.says_why,
            prompt_ids=self.prompt_ids or later.prompt_ids,
            prompt_tokens=self.prompt_tokens if later.prompt_tokens is None else later.prompt_tokens,
            cached_tokens=self.cached_tokens or later.cached_tokens,
            generated_tokens=self.generated_tokens if later.generated_tokens is None else later.generated_tokens,
            best=later.best if self.best is None and not self.text else self.best,
        )


def chunk(event: Any) -> Chunk:
    """Read one answer. Raises `Unavailable` for what is none: another replica may know better."""
    try:
        return _chunk(event)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Unavailable(f"the server answers something that is no completion ({one_line(event)})") from error


def _chunk(event: Any) -> Chunk:
    usage = event.get("usage") or {}
    counted: dict[str, Any] = {
        "prompt_tokens": _count(usage.get("prompt_tokens")),
        "generated_tokens": _count(usage.get("completion_tokens")),
        "cached_tokens": _count((usage.get("prompt_tokens_details") or {}).get("cached_tokens")) or 0,
    }
    choices = event["choices"] if "choices" in event or not usage else []
    choices = [choice for choice in choices if not choice.get("index")]  # one was asked for
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
        text=_text(choice.get("text") or message.get("content") or ""),
        ids=_ids(choice.get("token_ids")),
        tokens=_tokens(choice.get("logprobs") or {}),
        finish=None if choice.get("finish_reason") is None else str(choice["finish_reason"]),
        stop_reason=choice.get("stop_reason"),
        says_why="stop_reason" in choice,
        prompt_ids=_ids(choice.get("prompt_token_ids") or prompt_ids),
        best=_best(choice.get("logprobs") or {}),
        **counted,
    )


def _text(content: Any) -> str:
    """Some chats have their text in parts."""
    parts = content if isinstance(content, list) else [content]
    return "".join(str(part.get("text") or "") if isinstance(part, Mapping) else str(part) for part in parts)


def _count(value: Any) -> int | None:
    """A number of tokens. Raises `ValueError` for one that no answer can have."""
    if value is None:
        return None
    if not 0 <= int(value) <= _MOST:
        raise ValueError(f"{value} is no number of tokens")
    return int(value)


def _ids(value: Any) -> tuple[int, ...] | None:
    ids = None if value is None else tuple(int(token) for token in value)
    if ids and not 0 <= min(ids) <= max(ids) <= _MOST:
        raise ValueError("a token's id is out of range")
    return ids


def _finite(number: Any) -> float:
    """Raises `ValueError` for NaN and infinity, which are no log-probability of what was drawn."""
    if not isfinite(value := float(number)):
        raise ValueError(f"{number} is no log-probability")
    return value


def _tokens(logprobs: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Both spellings: lists side by side (completions), a list of tokens (chat; llama.cpp uses it everywhere).

    None where any number is missing: a sum of the rest would be no log-probability of the text.
    """
    listed = logprobs.get("content")
    if listed is not None:
        pairs = [(token["token"], token.get("logprob")) for token in listed]
    else:
        tokens, numbers = logprobs.get("tokens") or (), logprobs.get("token_logprobs") or ()
        pairs = list(zip(tokens, numbers, strict=True)) if len(tokens) == len(numbers) else []
    if any(number is None for _, number in pairs):
        return ()
    return tuple((str(token), _finite(number)) for token, number in pairs)


def _best(logprobs: Mapping[str, Any]) -> float | None:
    """The log-probability of the likeliest first token."""
    if logprobs.get("content"):
        first = logprobs["content"][0]
        numbers = [token.get("logprob") for token in (first, *(first.get("top_logprobs") or ()))]
    else:
        numbers = list(((logprobs.get("top_logprobs") or [None])[0] or {}).values())
    return max((float(number) for number in numbers if number is not None), default=None)
