"""The process in which math-verify runs: reads `[gold, answer]` a line from stdin, writes true or false a line.

It is a process so that a comparison that hangs can be killed, and so that math-verify's signals need no main thread of
the app. Its own time-outs are off; the parent keeps the time.
"""

from __future__ import annotations

import json
import sys

from math_verify import parse, verify


def compare(gold: str, answer: str) -> bool:
    """Whether math-verify holds `answer` equal to `gold`; False where it cannot parse either."""
    golds, answers = (parse(f"\\boxed{{{text}}}", parsing_timeout=None) for text in (gold, answer))
    return bool(golds and answers and verify(golds, answers, timeout_seconds=None))


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        gold, answer = json.loads(line)
        try:
            verdict = compare(gold, answer)
        except Exception:  # sympy fails in more ways than it documents; a failure is "not equal", never a crash
            verdict = False
        print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
