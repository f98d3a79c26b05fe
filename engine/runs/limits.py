"""What a host takes on: ceilings of a request, and how many runs and requests there may be at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from engine.errors import InvalidInput
from engine.search.parameter import Parameter, declared
from engine.search.params import RunParams

if TYPE_CHECKING:  # the command line's help needs no domain
    from engine.runs.question import Question


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host takes on. The defaults are for one's own machine, `PUBLIC` is for strangers."""

    runs_at_once: Annotated[
        int,
        Parameter(label="Runs at once", help="Runs searched at once; each run of a comparison counts", unit="runs",
                  least=1),
    ] = 8  # fmt: skip
    runs_per_visitor: Annotated[
        int,
        Parameter(label="Runs per visitor", help="Of these, runs of one visitor", unit="runs", least=1),
    ] = 4  # fmt: skip
    waiting: Annotated[
        int,
        Parameter(label="Waiting", help="Requests that may wait for their turn", unit="requests", least=1),
    ] = 1000  # fmt: skip
    waiting_per_visitor: Annotated[
        int,
        Parameter(label="Waiting per visitor", help="Of these, requests of one visitor", unit="requests", least=1),
    ] = 200  # fmt: skip
    max_n: Annotated[
        int,
        Parameter(label="Largest N", help="The largest N, for the runs of a comparison together", unit="completions",
                  least=1),
    ] = 16384  # fmt: skip
    max_run_tokens: Annotated[
        int | None,
        Parameter(label="Most tokens",
                  help="The largest token budget, for the runs of a comparison together; it is also the budget of runs "
                  "that ask for none", unit="tokens", least=1, unset="no limit"),
    ] = None  # fmt: skip
    max_problem: Annotated[
        int,
        Parameter(label="Longest problem", help="The longest problem, in characters", unit="characters", least=1),
    ] = 100_000  # fmt: skip
    max_answer: Annotated[
        int,
        Parameter(label="Longest reference answer", help="The longest reference answer, in characters",
                  unit="characters", least=1),
    ] = 10_000  # fmt: skip

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in LIMITS}
        for parameter in LIMITS.values():
            parameter.check(values)

    def check_texts(self, problem: str, answer: str | None) -> None:
        """Refuse texts that are too long. Cheap: nothing has been made of them yet. Raises `InvalidInput`."""
        for argument, text, most in (("problem", problem, self.max_problem), ("answer", answer, self.max_answer)):
            if text is not None and len(text) > most:
                raise InvalidInput(argument, f"{len(text):,} characters are too many; give at most {most:,}")

    def admitted(self, question: Question, params: Sequence[RunParams]) -> list[RunParams]:
        """The runs as they may be searched together. Raises `InvalidInput` for what is above a ceiling."""
        self.check_texts(question.problem, question.reference)
        together = " for all runs together" if len(params) > 1 else ""
        n = sum(each.n if each.method.takes("n") else 1 for each in params)
        if n > self.max_n:
            raise InvalidInput("n", f"{n:,} completions{together} are too many; give at most {self.max_n:,}")
        if self.max_run_tokens is None:
            return list(params)
        share = max(1, self.max_run_tokens // len(params))
        limited = [each if each.max_tokens_total else replace(each, max_tokens_total=share) for each in params]
        tokens = sum(each.max_tokens_total or 0 for each in limited)
        if tokens > max(self.max_run_tokens, len(params)):
            raise InvalidInput(
                "max_tokens_total", f"{tokens:,} tokens{together} are too many; give at most {self.max_run_tokens:,}"
            )
        return limited


#: Every limit by name.
LIMITS: dict[str, Parameter] = declared(Limits)

#: For an app that is open to strangers.
PUBLIC: dict[str, Any] = {
    "waiting": 100, "waiting_per_visitor": 4, "max_n": 256, "max_run_tokens": 200_000, "max_problem": 10_000,
    "max_answer": 1_000,
}  # fmt: skip
