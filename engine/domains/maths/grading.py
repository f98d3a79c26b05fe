"""Grading a run's answers: what can be decided at once is decided here, the rest by a worker process.

Most answers are plain numbers and never need the worker. It has a limited time for each answer and for all of them;
what it has not decided by then, or by the time the run is stopped, stays undecided: that is a verdict of its own,
neither "wrong" nor "different".
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from engine.domains.maths.spelling import as_number, normalise, quickly_same
from engine.errors import TtsError
from engine.search.events import Grade

#: Seconds that one answer may take, and all answers of one run.
ANSWER_S, RUN_S = 3.0, 15.0
#: Answers of a run that may take too long before the rest stays undecided: a reference may be what hangs.
MOST_HANGS = 3
_START_S = 60.0
#: The worker imports the package that this process runs, and nothing from the current folder.
_MAIN = "import sys; sys.path.insert(0, sys.argv[1]); from engine.domains.maths.worker import main; main()"


class GradingError(TtsError):
    """Answers cannot be compared on this machine."""


def quick_grades(answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
    """Grades by spelling and as plain numbers; what would have to be worked out stays undecided."""
    groups: dict[object, str] = {}
    grades: dict[str, Grade] = {}
    for answer in sorted(set(answers), key=_plainest):
        number = as_number(answer)
        group = groups.setdefault(normalise(answer) if number is None else number, answer)
        correct, rule = (None, None) if reference is None else quickly_same(reference, answer)
        grades[answer] = Grade(group, correct, rule)
    return grades


def _plainest(answer: str) -> tuple[int, str]:
    """A group is named by its shortest spelling, whatever the order of the draws."""
    return len(answer), answer


class Asked(Protocol):
    """Who works out verdicts: `Worker`, or several of them."""

    def verdicts(
        self, answers: list[str], reference: str | None, deadline: float, stopped: threading.Event
    ) -> Iterator[dict[str, Any]]: ...


class Grading:
    """One run's answers on their way to grades: `run` in a thread that may wait, `stop` from any other."""

    def __init__(self, worker: Asked, answers: Iterable[str], reference: str | None, *, run_s: float = RUN_S) -> None:
        self._worker, self._reference, self._left_s = worker, reference, run_s
        self._grades = quick_grades(answers, reference)
        self._due = [] if self._plain() else list(self._grades)
        self._hangs = 0
        self._stopped = threading.Event()

    @property
    def over(self) -> bool:
        """Whether nothing is left to decide, or no time for it."""
        return not self._due or self._left_s <= 0 or self._hangs >= MOST_HANGS or self._stopped.is_set()

    @property
    def due(self) -> int:
        """How many answers are left to decide."""
        return len(self._due)

    def grades(self) -> dict[str, Grade]:
        """As far as they are decided."""
        return self._grades

    def run(self) -> dict[str, Grade]:
        """All grades. Raises `GradingError` if the worker cannot be started."""
        while not self.over:
            self.go_on()
        return self._grades

    def go_on(self) -> None:
        """Decide what is due, up to the first answer that takes too long; it stays undecided."""
        began = time.monotonic()
        decided = list(self._worker.verdicts(self._due, self._reference, began + self._left_s, self._stopped))
        self._left_s -= time.monotonic() - began
        self._note(decided)
        if len(decided) == len(self._due):
            self._due = []
        elif not self._stopped.is_set():
            self._due.pop(len(decided))
            self._hangs += 1

    def _plain(self) -> bool:
        """Whether all of it are numbers, which need no worker."""
        plain = all(as_number(answer) is not None for answer in self._grades)
        return plain and (self._reference is None or as_number(self._reference) is not None)

    def stop(self) -> None:
        """End the comparison in progress; what is not decided stays undecided. Does nothing if it is over."""
        self._stopped.set()

    def _note(self, decided: list[dict[str, Any]]) -> None:
        """Replace the quick grades by what the worker decided on the first of those that were due."""
        for answer, verdict in zip(self._due, decided, strict=False):
            self._grades[answer] = Grade(self._due[verdict["group"]], verdict["correct"], verdict["rule"])


class Worker:
    """The process that reads and compares, started when first needed and anew after it had to be killed.

    One thread at a time may ask it.
    """

    def __init__(self, *, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s
        self._process: subprocess.Popen[str] | None = None
        self._lines: SimpleQueue[str] = SimpleQueue()

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid if self._process else None

    @property
    def started(self) -> bool:
        return self._process is not None

    def verdicts(
        self, answers: list[str], reference: str | None, deadline: float, stopped: threading.Event
    ) -> Iterator[dict[str, Any]]:
        """The verdicts on `answers` in turn (see `worker.verdicts`); fewer where one of them takes too long, `deadline`
        (by `time.monotonic`) passes or `stopped` is set. Raises `GradingError` where the worker cannot be started."""
        process = self._running(stopped)
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it died meanwhile: there will be no verdicts
            process.stdin.write(json.dumps([answers, reference]) + "\n")
            process.stdin.flush()
        for _ in answers:
            line = self._next_line(min(deadline, time.monotonic() + self._answer_s), stopped)
            if not line:
                self.close()
                return
            yield json.loads(line)

    def close(self) -> None:
        """Kill the process, if there is one. The worker may be asked again: it starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _next_line(self, until: float, stopped: threading.Event) -> str:
        """The next line, or an empty one where the process ended or there is no time left."""
        while not stopped.is_set() and time.monotonic() < until:
            with contextlib.suppress(Empty):
                return self._lines.get(timeout=min(0.1, max(0.0, until - time.monotonic())))
        return ""

    def _running(self, stopped: threading.Event) -> subprocess.Popen[str] | None:
        if self._process is None or self._process.poll() is not None:
            self._process = self._start(stopped)
        return self._process

    def _start(self, stopped: threading.Event) -> subprocess.Popen[str] | None:
        """The process, ready; None if it was stopped before."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-c", _MAIN, str(Path(__file__).parents[3])],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True, encoding="utf-8",
                    start_new_session=True,  # the terminal's Ctrl-C is for us: a comparison in progress is finished
                )  # fmt: skip
            except OSError as error:
                raise GradingError(f"answers cannot be compared: {error}") from error
            self._lines = SimpleQueue()
            threading.Thread(target=_pass_on, args=[process, self._lines], name="answers", daemon=True).start()
            if self._next_line(time.monotonic() + _START_S, stopped):
                return process
            process.kill()
            process.wait()
            if stopped.is_set():
                return None
            complaints.seek(0)
            said = complaints.read().strip().splitlines()
        raise GradingError(f"answers cannot be compared: {said[-1] if said else 'the worker process does not start'}")


class Workers:
    """So many workers as one, for as many threads."""

    def __init__(self, count: int) -> None:
        self._all = [Worker() for _ in range(count)]
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)

    @property
    def pids(self) -> list[int]:
        """Their processes, as far as there are any."""
        return [worker.pid for worker in self._all if worker.pid is not None]

    def verdicts(
        self, answers: list[str], reference: str | None, deadline: float, stopped: threading.Event
    ) -> Iterator[dict[str, Any]]:
        """As `Worker.verdicts`, by one that is idle."""
        worker = self._idle.get()
        try:
            yield from worker.verdicts(answers, reference, deadline, stopped)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        for worker in self._all:
            worker.close()


def _pass_on(process: subprocess.Popen[str], lines: SimpleQueue[str]) -> None:
    """Pass on what the process says, line by line; an empty line when it has ended."""
    assert process.stdout is not None
    with contextlib.suppress(ValueError, OSError):
        for line in process.stdout:
            lines.put(line)
    lines.put("")
