"""The process in which answers are read and compared: a question per line on stdin, a verdict per line on stdout.

It is a process so that what hangs or fills the memory can be killed without harm. It is started isolated (no
file of the current folder is imported), takes no more memory than it needs, and ends with its parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

#: What sympy may take, in bytes of address space.
MOST_MEMORY = 3 * 2**30
#: Seconds of CPU that one question may take, should nobody be left to watch the clock.
MOST_CPU_S = 60
#: The pages and the models come first.
NICENESS = 5
#: Linux: be sent SIGKILL when the parent ends.
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9


def verdicts(answers: list[str], reference: str | None) -> Iterator[dict[str, Any]]:
    """For each answer in turn: `group`, the place of the answer it is grouped with (its own for the first of a value),
    `correct` against the reference (None: not decided, or there is none) and the `rule` that decided."""
    from engine.domains.maths.compare import Comparison

    comparison = Comparison(reference)
    for answer in answers:
        yield comparison.take(answer)


def main() -> None:
    _limit()
    import engine.domains.maths.compare  # noqa: F401 (sympy takes a second, which counts against no time limit)

    print("ready", flush=True)
    for line in sys.stdin:
        _allow(MOST_CPU_S)
        answers, reference = json.loads(line)
        for verdict in verdicts(answers, reference):
            print(json.dumps(verdict), flush=True)


def _limit() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # elsewhere the parent's clock has to do
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        os.nice(NICENESS)
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def _allow(seconds: int) -> None:
    """End this process when it has used so many more seconds of CPU."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, hard))


if __name__ == "__main__":
    main()
