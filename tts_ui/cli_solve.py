"""`tts-ui solve`: check everything that needs no model, search, and print what the store has of it afterwards."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass

from rich.console import Console
from rich.status import Status

from engine.errors import InvalidInput, TtsError
from engine.events import Event, StepSampled
from engine.host import Host, Running
from engine.models import outside
from engine.params import RunParams
from engine.run import Question
from engine.store import RunRecord, Store
from engine.store.document import document
from engine.tree import Tree
from tts_ui import numbers, terminal
from tts_ui.cli_errors import FAILED, OK, STOPPED
from tts_ui.cli_models import catalogue_of
from tts_ui.download_bar import loading

#: Seconds between two looks at the search.
_LOOK_S = 0.1
#: Seconds that a stopped search may take to put its last events on record.
_STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """A `solve` command line. `problem` may be `-`; `models` is a name, a file or both (see `tts_ui.cli_models`)."""

    problem: str
    answer: str | None
    params: RunParams
    models: str | None
    scorer: str | None
    db: str | None
    as_json: bool


def solve(request: Request) -> int:
    """Run the search, print its result, return the exit code. Raises `TtsError`, mistakes before models are loaded."""
    question = Question(_problem(request.problem), request.answer)
    catalogue, pair = catalogue_of(request.models)
    catalogue.scorer(pair.name, request.scorer)
    _hush()
    progress = Console(stderr=True, markup=False, emoji=False, highlight=False)
    with Store.open(request.db) as store, closing(Host(store, catalogue)) as host:
        question = _with_reference(question)
        with loading(pair.name, progress) as show:
            if notice := outside(pair, question.problem):
                progress.print(
                    f"tts-ui: note: {notice} `tts-ui models` lists what there is, --models FILE brings yours."
                )
            catalogue.load(pair.name, request.scorer, show)
        with _interruptible() as interrupted:
            running = host.submit(question, request.params, pair.name, request.scorer)
            _watch(running, store, progress, interrupted)
        crash = _crash(running)
        store.flush(running.id)
        found = _read_back(store, running.id)
        shown_db = store.url if "://" in (request.db or "") else request.db
    if found is not None:
        _print(*found, request, shown_db)
    if crash is not None:
        raise crash
    if interrupted.is_set():
        return STOPPED
    if found is not None and found[0].status == "failed":
        raise TtsError(found[0].error or "the search failed")
    return OK if found is not None else FAILED


def _problem(text: str) -> str:
    """The problem itself: the argument, or all of standard input without its last line's end."""
    try:
        if text == "-":
            text = sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\r\n")
        text.encode()
    except UnicodeError as error:
        raise InvalidInput("problem", "it is not valid UTF-8 text; encode it as UTF-8") from error
    return text


def _with_reference(question: Question) -> Question:
    """The same question, with the exact answer where the problem is one of the built-in sets'."""
    from engine.builtin.problems import reference_answer

    known = question.reference if question.reference is not None else reference_answer(question.problem)
    return Question(question.problem, known)


def _hush() -> None:
    """Keep the model libraries' progress bars, advice and log lines off stderr, which is ours."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    if not os.environ.get("TTS_UI_DEBUG"):
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that the search is stopped in good order; the second ends the process."""
    asked = threading.Event()
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.SIG_IGN:  # a job in the background: another's Ctrl-C is not meant for it
        yield asked
        return

    def ask(*_: object) -> None:
        signal.signal(signal.SIGINT, usual)
        asked.set()

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, usual)


def _watch(running: Running, store: Store, progress: Console, interrupted: threading.Event) -> None:
    """Wait for the search to end, or end it when asked to; on a terminal show how it goes meanwhile."""
    deadline: float | None = None
    with progress.status("searching") if progress.is_terminal else nullcontext() as status:
        ticker = _Ticker(running, store)
        while not running.ended.wait(_LOOK_S):
            if interrupted.is_set() and deadline is None:
                running.stop()
                deadline = time.monotonic() + _STOP_S
            if deadline is not None and time.monotonic() > deadline:
                return
            if isinstance(status, Status):
                status.update(terminal.one_line_text(ticker.line()))


class _Ticker:
    """One line about a search: what is on record of it, and the step that is being written."""

    def __init__(self, running: Running, store: Store) -> None:
        self._running, self._store = running, store
        self._seq, self._steps, self._tokens = -1, 0, 0

    def line(self) -> str:
        try:
            record, events = self._store.read(self._running.id, after=self._seq)
        except TtsError:  # nothing is committed yet
            return "searching"
        self._take(record, events)
        counted = f"{numbers.count(self._steps)} steps, {numbers.count(self._tokens)} tokens"
        return f"{counted} | {self._running.run.writing()}"

    def _take(self, record: RunRecord, events: list[Event]) -> None:
        self._tokens = record.usage.generated_tokens
        self._seq = max([self._seq, *(getattr(event, "seq", -1) for event in events)])
        self._steps = max([self._steps, *(event.node for event in events if isinstance(event, StepSampled))])


def _crash(running: Running) -> BaseException | None:
    """The bug that ended the search, if one did; its run is on record as `failed`."""
    try:
        return running.future.exception(timeout=_STOP_S)
    except (CancelledError, TimeoutError):
        return None


def _read_back(store: Store, run_id: str) -> tuple[RunRecord, list[Event]] | None:
    """What was committed of the run; None if it was stopped before it began."""
    try:
        return store.read(run_id)
    except InvalidInput:
        return None


def _print(record: RunRecord, events: list[Event], request: Request, db: str | None) -> None:
    if request.as_json:
        terminal.print_json(document(record, events))
        return
    look_again = f"tts-ui show {record.id}" + (f" --db {shlex.quote(db)}" if db else "")
    terminal.print_summary(record, Tree.from_events(events), look_again)
