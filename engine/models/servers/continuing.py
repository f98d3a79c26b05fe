"""Whether a chat completion goes on with the assistant's last message as it stands, judged by counts of tokens.

A new turn costs the tokens that close the old one and open the next; a continued one costs its text alone. Templates
also edit what they fill in: some strip blanks, and with them the blank line between two steps; some drop thoughts.
"""

from __future__ import annotations

from engine.errors import ModelError
from engine.models.servers.asking import CONTINUE, QUESTION, Asking
from engine.models.servers.refusals import Refused

_INSTEAD = "name a tokenizer folder in the entry if it has /v1/completions, or use another server"


async def check_continues(asking: Asking) -> None:
    """Set `asking.flags` as the server needs it. Raises `ModelError` if no step could follow another."""
    refused = 0
    for asking.flags in (True, False):
        try:
            if await _continues(asking):
                break
        except Refused as refusal:
            if refusal.code in (401, 403):
                raise
            refused += 1
    else:
        if refused == 2 and asking.refusal:  # nothing was tried: what the server says is the reason
            raise asking.refusal
        raise ModelError(
            f"{asking.server.url} begins a new message instead of continuing the last, so no step can follow another; "
            f"{_INSTEAD}"
        )
    said = _words(2)
    plain, blank, thought = [
        await _prompt_tokens(asking, text)
        for text in (said, f"{said}\n\n", f"<think>\n{_words(10)}\n</think>\n\n{said}")
    ]
    if blank <= plain:
        raise ModelError(
            f"{asking.server.url} has a chat template that trims messages, so the blank line between two steps is "
            f"lost; {_INSTEAD}"
        )
    if thought < plain + 8:
        raise ModelError(
            f"{asking.server.url} has a chat template that drops thoughts from messages, so none can be continued; "
            f"{_INSTEAD}"
        )


async def _continues(asking: Asking) -> bool:
    none, few, many = [await _prompt_tokens(asking, _words(count)) for count in (0, 2, 10)]
    a_word = (many - few) / 8
    return a_word >= 1 and -2 < few - none - 2 * a_word < 1


def _words(count: int) -> str:
    return " ".join(["x"] * count)


async def _prompt_tokens(asking: Asking, said: str) -> int:
    messages = [QUESTION, *([{"role": "assistant", "content": said}] if said else [])]
    flags = CONTINUE if said and asking.flags else {}
    return await asking.prompt_tokens({"messages": messages, **flags}) or 0
