"""A click on Run: the form is read once, and a mistake is shown at its field before anything is queued or loaded.

The first event reads the form and unfolds the part where the mistake is; what it read stays on the server, and the
second event is refused for the mistake or answers the request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.errors import InvalidInput
from tts_ui.web.parts.notices import sentence


@dataclass(frozen=True, slots=True)
class Form:
    """The components of a form: `fields` by name in their order, the part that is folded away, the two buttons."""

    fields: dict[str, Any]
    more: gr.Accordion
    run: gr.Button
    stop: gr.Button


@dataclass(frozen=True, slots=True)
class _Mistake:
    """The field at fault and what is wrong with it."""

    field: str
    message: str


def on_run(
    form: Form,
    read: Callable[[tuple[Any, ...]], Any],
    answer: Callable[[Any], AsyncIterator[Any]],
    shown: list[Any],
    *,
    folded: frozenset[str],
    named: dict[str, str],
    cancels: list[Any],
) -> None:
    """Let the Run button answer what `read` makes of the fields, or show the `InvalidInput` it raises at its field.

    `named` maps arguments to fields of another name; what is wrong with one that has no field is shown at the first.
    """
    fields = list(form.fields.values())
    asked = gr.State()

    def ask(*values: Any) -> tuple[Any, Any]:
        try:
            return read(values), gr.skip()
        except InvalidInput as error:
            field = named.get(error.argument, error.argument)
            field = field if field in form.fields else next(iter(form.fields))
            return _Mistake(field, sentence(error)), gr.update(open=True) if field in folded else gr.skip()

    def verdicts(request: Any, *_: Any) -> list[dict[str, Any]]:
        wrong = request if isinstance(request, _Mistake) else _Mistake("", "")
        return [gr.validate(True, ""), *(gr.validate(field != wrong.field, wrong.message) for field in form.fields)]

    async def run(request: Any, *_: Any) -> AsyncIterator[Any]:
        async for change in answer(request):
            yield change

    form.run.click(
        ask, fields, [asked, form.more], queue=False, show_progress="hidden", api_visibility="private"
    ).success(
        run, [asked, *fields], shown, validator=verdicts, show_progress="hidden", concurrency_limit=None,
        cancels=cancels, api_visibility="private",
    )  # fmt: skip
