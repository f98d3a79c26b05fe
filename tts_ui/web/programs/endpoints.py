"""The tools as Gradio's named endpoints, for `gradio_client`: `Client(url).predict(..., api_name="/solve")`.

Their arguments are texts, numbers and ticks, as a form's are, so the door's shape of a call holds for them.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import fields
from typing import Any

import gradio as gr
from gradio.events import api

from engine.errors import TtsError
from engine.search.params import PARAMETERS
from tts_ui.web.programs.caller import of_gradio
from tts_ui.web.programs.desk import Desk
from tts_ui.web.programs.refusals import told
from tts_ui.web.programs.tools import TOOLS, Tool, help_of


def named_endpoints(desk: Desk) -> None:
    """Add them to the page that is being built."""
    for tool in TOOLS.values():
        api(
            _endpoint(desk, tool), api_name=tool.name, api_description=_description(tool), concurrency_limit=None,
            api_visibility="public",
        )  # fmt: skip


def _endpoint(desk: Desk, tool: Tool) -> Callable[..., AsyncGenerator[dict[str, Any], None]]:
    """A function with the tool's arguments spelled out, as Gradio wants it."""

    async def endpoint(request: gr.Request, *given: Any) -> AsyncGenerator[dict[str, Any], None]:
        if not await desk.visitors.streams.opened(request.session_hash):
            return  # nothing is started for a client that does not take it
        arguments = dict(zip(tool.parameters, given, strict=True))
        try:
            async with aclosing(desk.do(tool.name, arguments, of_gradio(request, desk.visitors))) as documents:
                async for document in documents:
                    yield document
        except TtsError as error:
            raise gr.Error(told(error, discreet=desk.visitors.strict), print_exception=False) from None

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("request", positional, annotation=gr.Request)]
    for name, parameter in tool.parameters.items():
        optional = name not in tool.required
        parameters.append(
            inspect.Parameter(
                name,
                positional,
                annotation=parameter.type | None if optional else parameter.type,
                default=_default(tool, name) if optional else inspect.Parameter.empty,
            )  # fmt: skip
        )
    described: Any = endpoint
    described.__name__ = tool.name
    described.__signature__ = inspect.Signature(parameters, return_annotation=dict)
    described.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": dict}
    return endpoint


def _default(tool: Tool, name: str) -> Any:
    """None stands for a parameter of a search that is left out: a policy may have a value of its own for it."""
    return None if name in PARAMETERS and tool.searches and name not in _own(tool) else tool.parameters[name].default


def _own(tool: Tool) -> set[str]:
    return {each.name for each in fields(tool.own)}


def _description(tool: Tool) -> str:
    lines = [f"{name}: {help_of(parameter)}" for name, parameter in tool.parameters.items()]
    return "\n".join([tool.about, "", *lines])
