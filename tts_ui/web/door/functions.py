"""What the functions of the pages take, so that a call that no page makes is refused in one line.

Gradio answers such a call with an error of its own and writes where it came upon it to the log, which is for faults.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import gradio as gr

from tts_ui.web.door.bodies import Call, Refused, Selection
from tts_ui.words.interface import say


def samples_only() -> str:
    """What a server of samples answers whoever wants something computed."""
    return say("foot.computes_nothing")


_COMPUTES = "rte_computes"

Answer = TypeVar("Answer", bound=Callable[..., Any])


def computes(answer: Answer) -> Answer:
    """Mark what answers an event and may ask a model: a server of samples refuses it at the door."""
    setattr(answer, _COMPUTES, True)
    return answer


@dataclass(frozen=True, slots=True)
class Function:
    """How a function is called: through the queue or not, with so many values, for a step that was selected or not; and
    whether a model may be asked for it."""

    queued: bool
    inputs: int
    selects: bool
    computes: bool


def functions_of(demo: gr.Blocks) -> dict[int, Function]:
    """Those of an app, by number."""
    return {
        number: Function(
            queued=bool(each.queue), inputs=len(each.inputs), selects=_selects(each.fn),
            computes=bool(getattr(each.fn, _COMPUTES, False)),
        )
        for number, each in demo.fns.items()
        if each.fn
    }  # fmt: skip


def _selects(function: Callable[..., Any]) -> bool:
    """Whether it wants to know what was selected."""
    try:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
    except (NameError, TypeError, ValueError):
        return False
    return any(each.annotation is gr.SelectData for each in parameters)


def check(call: Call, functions: Mapping[int, Function], *, queued: bool, samples: bool) -> None:
    """Raise `Refused` for a call that no page makes, and for one that would compute on a server of `samples`."""
    function = functions.get(call.fn_index)
    if function is None or function.queued is not queued:
        raise Refused(404, "no page has such a function")
    if function.computes and samples:
        raise Refused(403, samples_only())
    if len(call.data) != function.inputs:
        raise Refused(400, "not what a page sends: data")
    if function.selects and not isinstance(call.event_data, Selection):
        raise Refused(400, "not what a page sends: event_data")


def in_one_line(preprocess: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Gradio's reading of the values, which refuses without a traceback what a component cannot hold."""

    @wraps(preprocess)
    async def read(*arguments: Any, **named: Any) -> Any:
        try:
            return await preprocess(*arguments, **named)
        except Exception:  # each component has errors of its own
            raise gr.Error(say("foot.not_offered"), print_exception=False) from None

    return read
