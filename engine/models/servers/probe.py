"""Finding out what a server can do, by trying it: a handful of short requests when its models are loaded.

Nothing is concluded from a server's name. A field that is refused, ignored or answered wrongly is treated as an
ability it does not have, and is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import ModelError
from engine.models.servers.replicas import Refused, Server, Unavailable
from engine.models.servers.wire import Abilities, best_logprob, chunk

#: What switches off the sampling filters that some servers apply by default (vLLM: those of the checkpoint's
#: generation_config).
PLAIN_SAMPLING: Mapping[str, Any] = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
#: What makes a chat completion continue the last message (vLLM, SGLang); others do so by default, or not at all.
CONTINUE: Mapping[str, Any] = {"continue_final_message": True, "add_generation_prompt": False}

_TEXT = "Question: What is 7 + 5?\n\nAnswer:"
_QUESTION = {"role": "user", "content": "What is 7 + 5?"}
#: Tolerance between runs of one raw distribution on a GPU; temperature 2 moves a log-probability much further.
_LOGPROB_NOISE = 0.05
#: Number of 5xx answers to one question after which it counts as refused.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """One server, after the probe. `context_window` and `parameters` are None if it does not say."""

    model: str
    context_window: int | None
    parameters: int | None
    abilities: Abilities


async def probe(server: Server, model: str, *, tokenizer: bool) -> Found:
    """What `server` can do with `model` (empty: its only one); `tokenizer`: prompts can be made here.

    Raises `ModelError` if the server cannot be used: unreachable, another model, no way to continue an answer.
    """
    entry = await entry_of(server, model)
    asking = _Asking(server, str(entry["id"]), "/v1/completions")
    templates = await _templates(asking)
    prompts = (tokenizer or templates) and await asking.answers({})
    details = await _details(asking) if prompts else Abilities()
    if not prompts or not (tokenizer or details.token_ids):
        prompts, asking.path = False, "/v1/chat/completions"
        if not await _continues(asking):
            raise ModelError(
                f"{server.url} begins a new message instead of continuing the last, so no step can follow another; "
                "name a tokenizer folder in the entry if it has /v1/completions, or use another server"
            )
        details = await _details(asking)
    found = replace(
        details,
        prompts=prompts,
        templates=templates,
        continue_flags=asking.flags and not prompts,
        logprobs=details.logprobs and await _raw_logprobs(asking),
        seeds=await _seeds(asking),
        plain_sampling=await _plain_sampling(asking),
    )
    meta = entry.get("meta") or {}
    return Found(asking.model, entry.get("max_model_len") or meta.get("n_ctx"), meta.get("n_params"), found)


async def entry_of(server: Server, model: str) -> Mapping[str, Any]:
    """The server's own line about the model (empty: its only one). Raises `ModelError` if it does not serve it."""
    listed = (await server.get("/v1/models")).get("data") or []
    names = [str(entry.get("id")) for entry in listed]
    if not model and len(listed) == 1:
        return dict(listed[0])
    for entry in listed:
        if entry.get("id") == model:
            return dict(entry)
    wanted = f"does not serve {model!r}" if model else "serves several models: name one with model"
    raise ModelError(f"{server.url} {wanted}; it has {', '.join(names[:10]) or 'none'}")


@dataclass(slots=True)
class _Asking:
    """Short questions to one server, at `path`. `flags`: it must be told to continue a message."""

    server: Server
    model: str
    path: str
    flags: bool = False

    async def ask(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """One greedy token after the probe's text, or what `body` asks for instead.

        Raises `Refused` if the server rejects it; some answer 5xx to a field, however often it is sent.
        """
        what: dict[str, Any] = {"messages": [_QUESTION]} if "chat" in self.path else {"prompt": _TEXT}
        whole = {"model": self.model, "max_tokens": 1, "temperature": 0, **what, **body}
        for tried in range(_TRIES):
            try:
                return dict(await self.server.post(self.path, whole))
            except Unavailable as error:
                if error.code < 500:
                    raise
                if tried == _TRIES - 1:
                    raise Refused(str(error), error.code) from error
        raise AssertionError

    async def answers(self, body: Mapping[str, Any]) -> bool:
        """Whether the server takes a request with the fields of `body`. A rejected key does not count as an answer."""
        try:
            chunk(await self.ask(body))
        except Refused as refusal:
            if refusal.code in (401, 403):
                raise
            return False
        return True


async def _templates(asking: _Asking) -> bool:
    """Whether `/tokenize` takes messages (vLLM). Its path has no "/v1"."""
    try:
        answer = await asking.server.post(
            "/tokenize", {"model": asking.model, "messages": [_QUESTION], "add_generation_prompt": True}
        )
    except (Refused, Unavailable):
        return False
    return isinstance(answer, dict) and bool(answer.get("tokens"))


async def _continues(asking: _Asking) -> bool:
    """Whether a chat completion continues the assistant's last message, judged by what the template adds.

    A new turn costs the tokens that close the old one and open the next; a continued one costs its text alone.
    """

    async def prompt_tokens(words: int) -> int:
        said = [{"role": "assistant", "content": " x" * words}] if words else []
        flags = CONTINUE if words and asking.flags else {}
        return chunk(await asking.ask({"messages": [_QUESTION, *said], **flags})).prompt_tokens or 0

    for asking.flags in (True, False):
        try:
            none, few, many = [await prompt_tokens(words) for words in (0, 2, 10)]
        except Refused as refusal:
            if refusal.code in (401, 403):
                raise
            continue
        a_word = (many - few) / 8
        if a_word >= 1 and abs(few - none - 2 * a_word) < 2:
            return True
    return False


async def _details(asking: _Asking) -> Abilities:
    """What one fuller answer shows: ids, log-probabilities, why it stopped, and whether the stop string is kept.

    The character to stop at is taken from what the model writes unprompted, so the text is certain to reach it.
    """
    body: dict[str, Any] = {"max_tokens": 8}
    stop = chunk(await asking.ask(body)).text.strip()[-1:]
    for extra in ({"return_token_ids": True, "include_stop_str_in_output": True}, _logprob_fields(asking)):
        if await asking.answers(extra):
            body |= extra
    answer = chunk(await asking.ask(body))
    stopped = chunk(await asking.ask(body | {"stop": [stop]})) if stop else answer
    return Abilities(
        token_ids=bool(answer.ids) and "chat" not in asking.path,
        logprobs=bool(answer.tokens),
        stop_reason=bool(stop) and answer.says_why and stopped.stop_reason == stop,
        kept_stop=bool(stop) and stop in stopped.text,
    )


def _logprob_fields(asking: _Asking) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": 1} if "chat" in asking.path else {"logprobs": 1}


async def _raw_logprobs(asking: _Asking) -> bool:
    """Whether log-probabilities are those at temperature 1, whatever the temperature."""
    fields = _logprob_fields(asking)
    cool, hot = [best_logprob(await asking.ask(fields | {"temperature": t})) for t in (1.0, 2.0)]
    return cool is not None and hot is not None and abs(cool - hot) < _LOGPROB_NOISE


async def _seeds(asking: _Asking) -> bool:
    """Whether the same seed gives the same text and others give others, at a temperature where chance would show."""
    texts = []
    for seed in (1, 1, 2, 3):
        try:
            answer = await asking.ask({"seed": seed, "temperature": 2.0, "max_tokens": 8})
        except Refused:
            return False
        texts.append(chunk(answer).text)
    return texts[0] == texts[1] and len(set(texts[1:])) > 1


async def _plain_sampling(asking: _Asking) -> bool:
    """Whether the sampling filters can be set at all: with top-k 1, the hottest draw is the greedy one."""
    greedy = await asking.ask({"max_tokens": 8})
    try:
        hot = await asking.ask({**PLAIN_SAMPLING, "top_k": 1, "temperature": 2.0, "max_tokens": 8})
    except Refused:
        return False
    return chunk(hot).text == chunk(greedy).text
