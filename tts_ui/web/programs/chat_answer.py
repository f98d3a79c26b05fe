"""What a client of the OpenAI API is answered: the chosen solution as the message, the search's cost as usage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engine.search.events import Event, StepSampled, StepScored, Usage
from engine.search.tree import Tree
from engine.store import RunRecord
from engine.store.shapes import bill
from tts_ui.words import numbers


def completion(model: str, record: RunRecord, tree: Tree, tree_url: str, unread: int) -> dict[str, Any]:
    """`chat.completion`: one choice, whatever N was."""
    message = {"role": "assistant", "content": solution(tree), "refusal": None}
    return {
        "id": identifier(record),
        "object": "chat.completion",
        "created": created(record),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish(tree), "logprobs": None}],
        "usage": usage(record.usage),
        **extras(record, tree_url, unread),
    }


def chunk(
    model: str, record: RunRecord, delta: dict[str, Any], ended: str | None = None, **more: Any
) -> dict[str, Any]:
    """`chat.completion.chunk`."""
    return {
        "id": identifier(record),
        "object": "chat.completion.chunk",
        "created": created(record),
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": ended, "logprobs": None}],
        **more,
    }


def identifier(record: RunRecord) -> str:
    return f"chatcmpl-{record.id}"


def created(record: RunRecord) -> int:
    """Unix seconds."""
    return int(datetime.fromisoformat(record.created_at).timestamp())


def extras(record: RunRecord, tree_url: str, unread: int) -> dict[str, Any]:
    """What OpenAI's answer has no field for."""
    return {
        "run": record.id, "answer": record.answer, "correct": record.correct, "tree_url": tree_url,
        "messages_not_read": unread,
    }  # fmt: skip


def solution(tree: Tree) -> str:
    """The text of the completion that was chosen; empty where none was."""
    if tree.chosen is None:
        return ""
    return "".join(step.text for step in tree.path(tree[tree.chosen])).strip()


def finish(tree: Tree) -> str:
    """`length` where no completion came to its end in the room or the budget that there was."""
    return "length" if tree.chosen is None or tree[tree.chosen].finish in ("length", "budget") else "stop"


def usage(spent: Usage) -> dict[str, Any]:
    """All that the search cost. Tokens are the policy's: all draws, and every position that was read to write them,
    from a cache or not. The PRM's tokens are apart."""
    prompt = spent.prompt_tokens + spent.prompt_tokens_reused
    told = bill(spent)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": spent.generated_tokens,
        "total_tokens": prompt + spent.generated_tokens,
        "prompt_tokens_details": {"cached_tokens": spent.prompt_tokens_reused},
        "prm_tokens": spent.scored_tokens + spent.scored_tokens_reused,
        "prm_tokens_details": {"cached_tokens": spent.scored_tokens_reused},
        "flops_paper": told["flops_paper"],
        "flops_all": told["flops_all"],
        "seconds": spent.wall_s,
    }


def steps_said(events: Sequence[Event], seen: set[int]) -> str:
    """The steps that were not `seen` before (they are then) as lines of text, with the scores that came with them."""
    scores = {event.node: event.value for event in events if isinstance(event, StepScored)}
    lines: list[str] = []
    for event in events:
        if isinstance(event, StepSampled) and event.node not in seen:
            seen.add(event.node)
            score = f", {numbers.score(scores[event.node])}" if event.node in scores else ""
            lines.append(f"[{event.node} below {event.parent}{score}] {' '.join(event.text.split())}\n")
    return "".join(lines)
