"""What `solve` and `compare` have in common: reading the problem, waiting for searches, Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from rich.console import Console
from rich.status import Status

from engine.errors import InvalidInput, TtsError
from engine.models.catalogue.hub import Download
from engine.runs.host import Host, Running
from engine.runs.question import Question
from engine.search.events import Event, StepSampled
from engine.store import RunRecord, Store
from tts_ui.cli import terminal
from tts_ui.cli.download_bar import loading
from tts_ui.words import numbers

#: Seconds between two looks at the searches.
_LOOK_S = 0.1
#: Seconds that stopped searches may take to put their last events on record.
_STOP_S = 30.0

#: What asks a command to stop: Ctrl-C, `kill`, and a terminal that is closed where there is such a signal.
_STOPPING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


def problem_text(text: str) -> str:
    """The problem itself: the argument, or all of standard input without the final line break."""
    try:
        if text == "-":
            text = sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\r\n")
        text.encode()
    except UnicodeError as error:
        raise InvalidInput("problem", "it is not valid UTF-8 text; encode it as UTF-8") from error
    return text


def with_reference(question: Question, host: Host) -> Question:
    """The same question, with the right answer where its domain knows it."""
    if question.reference is not None:
        return question
    return replace(question, reference=host.domains[question.domain].reference_of(question.problem))


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets (or `kill`, or a terminal that closes), so that searches are stopped cleanly;
    the second ends the process."""
    asked = threading.Event()
    usual = {number: handler for number in _STOPPING if (handler := signal.getsignal(number)) is not signal.SIG_IGN}

    def ask(*_: object) -> None:
        restore()
        asked.set()

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    for number in usual:  # not one that is ignored: Ctrl-C is not meant for a background job, nor SIGHUP after nohup
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        restore()


class Progress:
    """One line on a terminal's stderr that shows the progress; the model libraries are kept off it."""

    def __init__(self) -> None:
        _hush()
        self._console = Console(stderr=True, markup=False, emoji=False, highlight=False)

    def loading(self, name: str) -> AbstractContextManager[Callable[[Download], None]]:
        """While a pair is loaded; what it yields takes the progress of downloads."""
        return loading(name, self._console)

    def showing(self, line: str) -> AbstractContextManager[Status | None]:
        return self._console.status(line) if self._console.is_terminal else nullcontext()

    def warn_foreign(self, host: Host, question: Question, models: str) -> None:
        """Say so if the policy was never trained for such a problem."""
        if notice := host.foreign(question, models):
            self._console.print(
                f"tts-ui: note: {notice} `tts-ui models` lists the models; --models FILE adds your own.",
                soft_wrap=True,
            )

    def watch(self, searches: Sequence[Running], store: Store, interrupted: threading.Event) -> None:
        """Wait for all searches to end, or stop them when asked; show their progress meanwhile."""
        deadline: float | None = None
        with self.showing("searching") as status:
            tickers = [_Ticker(running, store) for running in searches]
            while not all(running.ended.wait(_LOOK_S) for running in searches):
                if interrupted.is_set() and deadline is None:
                    for running in searches:
                        running.stop()
                    deadline = time.monotonic() + _STOP_S
                if deadline is not None and time.monotonic() > deadline:
                    return
                if status is not None:
                    status.update(terminal.one_line_text(_line(tickers)))


def _hush() -> None:
    """Keep the model libraries' progress bars, advice and log lines off stderr, which is ours."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    if not os.environ.get("TTS_UI_DEBUG"):
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())


class _Ticker:
    """What is on record of a search, in a few words."""

    def __init__(self, running: Running, store: Store) -> None:
        self.run = running.run
        self._store = store
        self._seq, self._steps, self._tokens = -1, 0, 0

    def counted(self) -> str:
        try:
            record, events = self._store.read(self.run.id, after=self._seq)
        except TtsError:  # nothing is committed yet
            return "searching"
        self._take(record, events)
        return f"{numbers.count(self._steps)} steps, {numbers.count(self._tokens)} tokens"

    def _take(self, record: RunRecord, events: list[Event]) -> None:
        self._tokens = record.usage.generated_tokens
        self._seq = max([self._seq, *(getattr(event, "seq", -1) for event in events)])
        self._steps = max([self._steps, *(event.node for event in events if isinstance(event, StepSampled))])


def _line(tickers: Sequence[_Ticker]) -> str:
    """A search and the step that it is writing; of several each in a few words."""
    if len(tickers) == 1:
        return f"{tickers[0].counted()} | {tickers[0].run.writing()}"
    return " | ".join(f"{ticker.run.params.strategy}: {ticker.counted()}" for ticker in tickers)


def crash(running: Running) -> BaseException | None:
    """The internal error that ended the search, if one did; its run is on record as `failed`."""
    try:
        return running.future.exception(timeout=_STOP_S)
    except (CancelledError, TimeoutError):
        return None
