"""A click on Run: the form is read once, and a mistake is shown at its field before anything is queued or loaded.

The first event reads the form and unfolds the part where the mistake is; what it read stays on the server, and the
second event is refused for the mistake or answers the request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from engine.errors import InvalidInput
from tts_ui.web.door import computes
from tts_ui.web.parts import example_menu, fields, samples
from tts_ui.web.parts.notices import sentence
from tts_ui.words.interface import say


@dataclass(frozen=True, slots=True)
class Form:
    """The components of a form: `fields` by name in their order, the part that is folded away, the two buttons."""

    fields: dict[str, Any]
    more: gr.Accordion
    run: gr.Button
    stop: gr.Button


class Problem(NamedTuple):
    """What a form begins with: the problem, the menu of examples, and what the one that is chosen teaches."""

    field: gr.Textbox
    example: gr.Dropdown
    taught: gr.HTML


def problem(*, computes: bool) -> Problem:
    """Put it into the current `gr.Blocks`. Where nothing `computes`, a sentence stands in its place."""
    if not computes:
        samples.sentence()
    with gr.Row(elem_classes="question", visible=computes):
        asked, example = fields.problem_field(), example_menu.menu()
    return Problem(asked, example, example_menu.line(visible=computes))


def buttons() -> tuple[gr.Button, gr.Button]:
    """Run and Stop, in the current row."""
    run = gr.Button(say("asking.run"), variant="primary", elem_id="run", min_width=90)
    return run, gr.Button(say("asking.stop"), elem_id="stop", min_width=80, interactive=False)


@dataclass(frozen=True, slots=True)
class _Mistake:
    """The field at fault and what is wrong with it."""

    field: str
    message: str


def on_run(
    form: Form,
    read: Callable[[tuple[Any, ...]], Any],
    answer: Callable[[Any, gr.Request], AsyncIterator[Any]],
    shown: list[Any],
    *,
    folded: frozenset[str],
    named: dict[str, str],
    cancels: list[Any],
) -> None:
    """Let the Run button answer what `read` makes of the fields, or show the `InvalidInput` it raises at its field.
    `answer` is given that and the visitor's request.

    `named` maps arguments to fields of another name; what is wrong with one that has no field is shown at the first.
    """
    fields = list(form.fields.values())
    asked = gr.State()

    @computes
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

    @computes
    async def run(request: Any, sent: gr.Request, *_: Any) -> AsyncIterator[Any]:
        async for change in answer(request, sent):
            yield change

    form.run.click(
        ask, fields, [asked, form.more], queue=False, show_progress="hidden", api_visibility="private"
    ).success(
        run, [asked, *fields], shown, validator=verdicts, show_progress="hidden", concurrency_limit=None,
        cancels=cancels, api_visibility="private",
    )  # fmt: skip
