"""The Explore page: one problem, one search, live or read back.

The page holds no search of its own. Run hands the request to the host and from then on the page reads the store,
exactly as it does when a run is opened by its address; closing the tab stops nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, fields, replace
from html import escape
from typing import Any

import gradio as gr

from engine.builtin.problems import FAMILIES, examples, reference_answer
from engine.errors import InvalidInput, TtsError
from engine.host import Host
from engine.params import FINISHED_RULES, RunParams
from engine.run import Question
from engine.selection import RULES
from engine.store import RunRecord
from engine.strategies import STRATEGIES
from engine.tree import Tree
from tts_ui import fragments
from tts_ui.components import SearchTree
from tts_ui.feed import Feed
from tts_ui.plain_text import LATEX_DELIMITERS, markdown

#: Seconds between two looks at the store while a run grows: here, and in another process.
_POLL_HERE, _POLL_ELSEWHERE = 0.15, 1.0

#: The fields of the form, in the order of the form, by the names of `RunParams` and `Question`.
FIELDS = (
    "problem", "strategy", "n", "width", "seed", "reference", "select", "temperature", "top_p", "finished", "max_steps",
    "max_tokens_total", "eligible_without_answer",
)  # fmt: skip

_DEFAULT_RULE = "the strategy's own"


class ExplorePage:
    """Builds the page into `blocks` and answers its events; `example` is the run that an address without one shows."""

    def __init__(self, host: Host, blocks: gr.Blocks, example: str | None = None) -> None:
        self._host, self._example = host, example
        self._build(blocks)

    # --- what is on it ----------------------------------------------------------------------------------------------

    def _build(self, blocks: gr.Blocks) -> None:
        form, more, run, stop = self._form()
        notice = gr.HTML("", elem_id="notice", container=False, padding=False)
        run_id = gr.Textbox(visible="hidden", elem_id="run-id")
        strip = gr.HTML("", elem_id="strip", container=False, padding=False)
        with gr.Row(elem_classes="hero"):
            with gr.Column(scale=5, min_width=320, elem_id="picture"):
                ticker = gr.HTML("", elem_id="ticker", container=False, padding=False)
                tree = SearchTree(height=520, select_chosen=True, elem_id="tree")
            with gr.Column(scale=3, min_width=320, elem_id="detail"):
                head = gr.HTML("", container=False, padding=False, elem_id="detail-head")
                text = gr.Markdown("", latex_delimiters=LATEX_DELIMITERS, elem_id="detail-text", container=False)
                facts = gr.HTML(_HINT, container=False, padding=False, elem_id="detail-facts")
        with gr.Tabs():
            with gr.Tab("Answers"):
                answers = gr.HTML("", elem_id="answers", container=False, padding=False)
            with gr.Tab("Selection rules"):
                rules = gr.HTML("", elem_id="rules", container=False, padding=False)
            with gr.Tab("Cost"):
                cost = gr.HTML("", elem_id="cost", container=False, padding=False)

        shown = [run_id, tree, strip, head, text, facts, answers, rules, cost, notice, ticker, run, stop]
        opened = blocks.load(
            self._open, None, [*shown, *form.values()], show_progress="hidden", api_visibility="private",
            concurrency_limit=None,
        )  # fmt: skip
        run.click(
            self._reveal, list(form.values()), more, queue=False, show_progress="hidden", api_visibility="private"
        )
        run.click(
            self._run, list(form.values()), shown, validator=self._validate, show_progress="hidden",
            concurrency_limit=None, cancels=[opened], api_visibility="private",
        )  # fmt: skip
        stop.click(self._stop, [run_id], [stop], queue=False, show_progress="hidden", api_visibility="private")
        tree.select(
            self._select, [run_id], [head, text, facts], queue=False, show_progress="hidden", api_visibility="private"
        )

    def _form(self) -> tuple[dict[str, Any], gr.Accordion, gr.Button, gr.Button]:
        """The fields by name, in the order of `FIELDS`, the part that is folded away, and the two buttons."""
        defaults = RunParams()
        menu = [(f"{FAMILIES[problem.family]}: {problem.text}", problem.text) for problem in examples()]
        with gr.Row(elem_classes="question"):
            problem = gr.Textbox(
                label="Problem", value=examples()[0].text, lines=2, max_lines=6, scale=5, min_width=320,
                placeholder="Type a maths problem, or choose an example", elem_id="problem",
            )  # fmt: skip
            example = gr.Dropdown(
                menu, value=examples()[0].text, label="Examples", scale=2, min_width=220, elem_id="examples",
            )  # fmt: skip
        with gr.Row(elem_classes="settings"):
            strategy = gr.Dropdown(
                [(kind.title, name) for name, kind in STRATEGIES.items()], value=defaults.strategy,
                label="Strategy", scale=2, min_width=150, filterable=False, elem_id="strategy",
            )  # fmt: skip
            n = gr.Number(defaults.n, label="N completions", precision=0, scale=1, min_width=110, elem_id="n")
            width = gr.Number(
                defaults.width, label=_width_label(defaults.n, defaults.width), precision=0, scale=2, min_width=190,
                elem_id="m",
            )  # fmt: skip
            seed = gr.Number(defaults.seed, label="Seed", precision=0, scale=1, min_width=90, elem_id="seed")
            run = gr.Button("Run", variant="primary", elem_id="run", min_width=90)
            stop = gr.Button("Stop", elem_id="stop", min_width=80, interactive=False)
        with gr.Accordion("More settings", open=False, elem_id="more") as more:
            with gr.Row():
                reference = gr.Textbox(
                    label="Reference answer", min_width=200, elem_id="reference",
                    info="Marks answers right or wrong. Known for the examples.",
                )  # fmt: skip
                select = gr.Dropdown(
                    [_DEFAULT_RULE, *RULES], value=_DEFAULT_RULE, label="Selection rule", min_width=200,
                    info="How the finished answers elect one.", elem_id="select",
                )  # fmt: skip
                finished = gr.Dropdown(
                    list(FINISHED_RULES), value=defaults.finished, label="Finished beams", min_width=200,
                    info="bank: set aside. compete: they use up a slot.", elem_id="finished",
                )  # fmt: skip
            with gr.Row():
                temperature = gr.Number(
                    defaults.temperature, label="Temperature", info="0 is greedy.", min_width=130, elem_id="temperature"
                )
                top_p = gr.Number(
                    defaults.top_p, label="Top-p", info="1 keeps every token.", min_width=130, elem_id="top-p"
                )
                max_steps = gr.Number(
                    defaults.max_steps, label="Most steps", precision=0, info="In one chain.", min_width=130,
                    elem_id="max-steps",
                )  # fmt: skip
                budget = gr.Number(
                    0, label="Token budget", precision=0, info="Generated tokens; 0: no limit.", min_width=170,
                    elem_id="budget",
                )  # fmt: skip
                eligible = gr.Checkbox(
                    defaults.eligible_without_answer, label="\u201cNo answer\u201d may win", min_width=170,
                    info="Whether completions without an answer stay eligible.",
                )  # fmt: skip
        # In the browser alone: the menu shows the example that is in the box, and no other text.
        # A reference answer belongs to the text it was given for.
        example.input(
            None, [example, problem, reference], [problem, reference],
            js="(chosen, text, answer) => chosen ? [chosen, ''] : [text, answer]",
        )  # fmt: skip
        problem.input(None, None, reference, js="() => ''")
        texts = json.dumps([text for _, text in menu])
        problem.change(None, problem, example, js=f"(text) => {texts}.includes(text) ? text : null")
        for field in (strategy, n, width):
            field.change(
                _shape, [strategy, n, width], [n, width, finished], queue=False, show_progress="hidden",
                api_visibility="private",
            )  # fmt: skip
        fields = (
            problem, strategy, n, width, seed, reference, select, temperature, top_p, finished, max_steps, budget,
            eligible,
        )  # fmt: skip
        return dict(zip(FIELDS, fields, strict=True)), more, run, stop

    # --- what it does -----------------------------------------------------------------------------------------------

    def _validate(self, *values: Any) -> list[dict[str, Any]]:
        """One verdict a field; runs before anything is queued or loaded."""
        wrong, message = self._mistake(values)
        return [gr.validate(field != wrong, message) for field in FIELDS]

    def _reveal(self, *values: Any) -> Any:
        """Unfold "More settings" when the field at fault is in there."""
        return gr.update(open=True) if self._mistake(values)[0] in _FOLDED else gr.skip()

    def _mistake(self, values: tuple[Any, ...]) -> tuple[str, str]:
        """The field at fault and what is wrong with it; empty when all is well."""
        try:
            question, _ = _request(values)
            self._check_length(question)
        except InvalidInput as error:
            field = {"answer": "reference", "models": "problem", "scorer": "strategy"}.get(
                error.argument, error.argument
            )
            return field, _sentence(error)
        return "", ""

    def _check_length(self, question: Question) -> None:
        """A problem too long for the context window is refused at the field if the models are there already."""
        if self._host.catalogue.loaded():
            from engine.run import check_fits

            pair = self._host.catalogue.load()
            check_fits(question, pair.policy, pair.scorer)

    async def _run(self, *values: Any) -> AsyncIterator[Any]:
        """Start a run and follow it to its end."""
        question, params = _request(values)
        if not self._host.catalogue.loaded():
            yield _changes(notice=_notice("Loading the models"), stop=gr.update(interactive=False))
        try:
            running = await asyncio.to_thread(self._host.submit, question, params)
            yield _changes(head="", text="", facts=_HINT, notice="")
            async for change in self._follow(running.id):
                yield change
        except TtsError as error:
            yield _changes(
                notice=_notice(_sentence(error), "error"), ticker="", run=gr.update(interactive=True),
                stop=gr.update(interactive=False),
            )  # fmt: skip

    async def _open(self, request: gr.Request) -> AsyncIterator[Any]:
        """Open the run the address names, if any; a running one grows on."""
        prefix = request.query_params.get("run") or self._example
        untouched = tuple(gr.skip() for _ in FIELDS)
        if not prefix:
            yield *_changes(), *untouched
            return
        try:
            await asyncio.to_thread(self._host.store.mark_interrupted)
            record = await asyncio.to_thread(self._host.store.run, prefix)
            yield *_changes(), *_form_values(record)
            async for change in self._follow(record.id):
                yield *change, *untouched
        except TtsError as error:
            yield *_changes(notice=_notice(_sentence(error), "error")), *untouched

    async def _follow(self, run_id: str) -> AsyncIterator[Any]:
        """Show a run until it is over. What is shown was committed; only the ticker is not."""
        feed = await asyncio.to_thread(Feed, self._host.store, run_id)
        fresh = True
        while True:
            running = self._host.running.get(run_id)
            if running:
                self._host.watch(run_id)
            if fresh or feed.over:
                yield self._shown(feed, running.run.writing if running else None)
            elif running:
                yield _changes(ticker=_ticker(running.run.writing()))
            if feed.over:
                return
            await asyncio.sleep(_POLL_HERE if running else _POLL_ELSEWHERE)
            fresh = await asyncio.to_thread(feed.update)

    def _shown(self, feed: Feed, writing: Callable[[], str] | None) -> tuple[Any, ...]:
        return _changes(
            run_id=feed.record.id,
            tree=feed.value,
            strip=fragments.strip(feed.record, feed.tree),
            answers=fragments.answers(feed.record, feed.tree),
            rules=fragments.rules(feed.record, feed.tree) if feed.over else "",
            cost=fragments.cost(feed.record),
            ticker=_ticker(writing()) if writing else "",
            run=gr.update(interactive=feed.over or writing is None),
            stop=gr.update(interactive=not feed.over and writing is not None),
        )

    def _stop(self, run_id: str) -> Any:
        self._host.stop(run_id)
        return gr.update(interactive=False)

    def _select(self, run_id: str, event: gr.SelectData) -> tuple[str, str, str]:
        record, events = self._host.store.read(run_id)
        tree = Tree.from_events(events)
        node = tree[int(event.value)]
        return (
            fragments.detail_head(record, tree, node),
            markdown(node.text),
            fragments.detail(record, tree, node),
        )


_HINT = (
    '<p class="hint">Click a step, or walk the tree with the arrow keys: its text, its score and why it was kept.</p>'
)

_OUTPUTS = (
    "run_id", "tree", "strip", "head", "text", "facts", "answers", "rules", "cost", "notice", "ticker", "run", "stop",
)  # fmt: skip

#: The fields under "More settings".
_FOLDED = (
    "reference", "select", "temperature", "top_p", "finished", "max_steps", "max_tokens_total",
    "eligible_without_answer",
)  # fmt: skip


def _changes(**values: Any) -> tuple[Any, ...]:
    """New values for some of the page's outputs; the others stay as they are."""
    return tuple(values.get(name, gr.skip()) for name in _OUTPUTS)


def _request(values: tuple[Any, ...]) -> tuple[Question, RunParams]:
    """The form as a request. Raises `InvalidInput` naming the field at fault."""
    form = dict(zip(FIELDS, values, strict=True))
    problem = form.pop("problem") or ""
    reference = (form.pop("reference") or "").strip() or reference_answer(problem)
    question = Question(problem, reference)
    if form["select"] == _DEFAULT_RULE:
        form["select"] = None
    form["max_tokens_total"] = form["max_tokens_total"] or None  # a number field has no empty state that lasts
    kind = STRATEGIES.get(form["strategy"])
    for name in ("n", "width", "finished"):
        if kind and name not in kind.options:  # its field is hidden
            del form[name]
    for name, value in form.items():
        if value is None and name not in ("select", "max_tokens_total"):
            raise InvalidInput(name, "it is empty; give a value")
    return question, RunParams(**form)


def _form_values(record: RunRecord) -> tuple[Any, ...]:
    """The form that asks for this run again. Settings that this version does not know stay as they are."""
    known = {field.name for field in fields(RunParams)}
    try:
        params = RunParams(record.strategy, **{name: v for name, v in record.params.items() if name in known})
    except (InvalidInput, TypeError):
        return (record.problem, *(gr.skip() for _ in FIELDS[1:]))
    form = asdict(params) | {"problem": record.problem, "reference": record.reference_answer or ""}
    form["max_tokens_total"] = params.max_tokens_total or 0
    if params.select == replace(params, select=None).rule:
        form["select"] = _DEFAULT_RULE
    if record.reference_answer == reference_answer(record.problem):
        form["reference"] = ""
    return tuple(form[name] for name in FIELDS)


def _width_label(n: int | None, width: int | None) -> str:
    """M, and what follows from it: K survivors."""
    if n and width and n >= width and n % width == 0:
        return f"Width M (K = {n // width} survivor{'s' if n > width else ''})"
    return "Width M"


def _shape(strategy: str, n: int | None, width: int | None) -> tuple[Any, ...]:
    """Only the parameters that the strategy has a use for are shown."""
    options = STRATEGIES[strategy].options
    return (
        gr.update(visible="n" in options),
        gr.update(visible="width" in options, label=_width_label(n, width)),
        gr.update(visible="finished" in options),
    )


def _ticker(text: str) -> str:
    """The end of the step being written: the one thing on the page that is not committed yet."""
    words = " ".join(text.split())[-160:]
    return f'<div class="ticker" aria-hidden="true">{escape(words)}</div>' if words else ""


def _notice(text: str, kind: str = "") -> str:
    role = "alert" if kind == "error" else "status"
    return f'<div class="notice {kind}" role="{role}">{escape(text)}</div>'


def _sentence(error: TtsError) -> str:
    text = error.message if isinstance(error, InvalidInput) else str(error)
    return text[:1].upper() + text[1:]
