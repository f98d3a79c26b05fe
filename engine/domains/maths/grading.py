"""Whether two answers of mathematics are the same.

They agree when their normalised strings are equal, else when both are plain numbers of equal value, else when
math-verify says so. Math-verify parses with sympy and can hang on hostile input, so it lives in a process of its own
(`engine.domains.maths.worker`) that is killed when it takes too long, or when nobody waits for its word any more; most
comparisons never need it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from fractions import Fraction

from engine.search.events import Grade

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:/\d+)?")
_LONGEST_NUMBER = 1000  # Python refuses to read integers of more than 4300 digits
_FRACTION = re.compile(r"([-+]?)\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_THOUSANDS = re.compile(r"(?<=\d),(?:\\!)?(?=\d{3}(?!\d))")
_SPACES = re.compile(r"(?<!\d)\s+|\s+(?!\d)")  # not between digits: 1 1/2 is not 11/2
_WRAPPERS = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}]*)\}")


def normalise(answer: str) -> str:
    """A spelling-free form for the exact comparison: no `$`, blanks, thousands separators, text wrappers, final dot."""
    plain = answer.strip().strip("$").strip()
    plain = _WRAPPERS.sub(r"\1", plain)
    plain = plain.replace("\\left", "").replace("\\right", "").replace("\\!", "").replace("\\,", "").replace("\\ ", " ")
    plain = plain.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    plain = _THOUSANDS.sub("", plain)
    return _SPACES.sub("", plain).rstrip(".")


def as_number(answer: str) -> Fraction | None:
    """The exact value of an integer, decimal, `a/b` or `\\frac{a}{b}`; None for anything else."""
    plain = normalise(answer)
    if match := _FRACTION.fullmatch(plain):
        plain = f"{match[1]}{match[2]}/{match[3]}"
    if len(plain) > _LONGEST_NUMBER or not _NUMBER.fullmatch(plain):
        return None
    numerator, _, denominator = plain.partition("/")
    if denominator and int(denominator) == 0:
        return None
    return Fraction(numerator) / Fraction(denominator or 1)


#: (reference, answer) -> whether they are the same (None: not decided), and the rule that says so.
Same = Callable[[str, str], tuple[bool | None, str]]


def quickly_same(gold: str, answer: str) -> tuple[bool | None, str]:
    """By spelling or as plain numbers; None and `undecided` where neither tells."""
    if normalise(gold) == normalise(answer):
        return True, "string"
    gold_value, value = as_number(gold), as_number(answer)
    if gold_value is not None and value is not None:
        return gold_value == value, "number"
    return None, "undecided"


def grade_all(answers: Iterable[str], reference: str | None, same: Same) -> dict[str, Grade]:
    """Group distinct answer strings by value and judge each group against `reference` (None: not judged).

    The group goes by the spelling seen first. Cost: at most (strings x groups) comparisons, nearly all of them cheap.
    """
    grades: dict[str, Grade] = {}
    representatives: list[str] = []
    for answer in dict.fromkeys(answers):
        twin = next((other for other in representatives if same(other, answer)[0]), None)
        if twin is not None:
            grades[answer] = grades[twin]
            continue
        representatives.append(answer)
        correct, rule = (None, None) if reference is None else same(reference, answer)
        grades[answer] = Grade(answer, correct, rule)
    return grades


def quick_grades(answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
    """Grades without math-verify: what it alone could decide stays undecided."""
    return grade_all(answers, reference, quickly_same)


class Grading:
    """One run's answers on their way to grades: `run` in a thread that may wait, `stop` from any other."""

    def __init__(self, checker: Checker, answers: Iterable[str], reference: str | None) -> None:
        self._checker, self._answers, self._reference = checker, list(answers), reference
        self._stopped = threading.Event()
        self._at_work = False

    def run(self) -> dict[str, Grade]:
        self._at_work = True
        try:
            return grade_all(self._answers, self._reference, self._same)
        finally:
            self._at_work = False

    def stop(self) -> None:
        """End the comparison in progress; those to come are undecided. Nothing happens to a grading that is over."""
        self._stopped.set()
        if self._at_work:
            self._checker.interrupt()

    def _same(self, gold: str, answer: str) -> tuple[bool | None, str]:
        return quickly_same(gold, answer) if self._stopped.is_set() else self._checker.same(gold, answer)


class Checker:
    """Judges answers of mathematics. Thread-safe; owns at most one worker process, started when first needed.

    Args:
        timeout_s: seconds math-verify may take for one comparison before it is killed and the answers count as
        different.
    """

    def __init__(self, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[str] | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="answers")

    def same(self, gold: str, answer: str) -> tuple[bool, str]:
        """Whether `answer` equals `gold`, and the rule that decided: `string`, `number`, `math-verify`, `timeout`."""
        quick, rule = quickly_same(gold, answer)
        if quick is not None:
            return quick, rule
        verdict = self._ask(gold, answer)
        return (False, "timeout") if verdict is None else (verdict, "math-verify")

    def interrupt(self) -> None:
        """Kill the worker in the middle of whatever it is at: that comparison ends as one that took too long."""
        worker = self._worker
        if worker is not None:
            worker.kill()

    def close(self) -> None:
        """End the worker process, if there is one. The checker may be used again: it starts another."""
        with self._lock:
            self._stop()

    def _ask(self, gold: str, answer: str) -> bool | None:
        with self._lock:
            worker = self._running()
            assert worker.stdin is not None and worker.stdout is not None
            try:
                worker.stdin.write(json.dumps([gold, answer]) + "\n")
                worker.stdin.flush()
                reply = self._reader.submit(worker.stdout.readline).result(timeout=self._timeout_s)
            except (FutureTimeout, OSError):
                self._stop()
                return None
            if not reply:  # the worker died (out of memory on a monstrous expression)
                self._stop()
                return None
            return bool(json.loads(reply))

    def _running(self) -> subprocess.Popen[str]:
        if self._worker is None or self._worker.poll() is not None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "engine.domains.maths.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
                start_new_session=True,  # the terminal's Ctrl-C is for us: a comparison in progress is finished
            )  # fmt: skip
            assert self._worker.stdout is not None
            self._worker.stdout.readline()  # "ready": importing sympy must not count against the first comparison
        return self._worker

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None
