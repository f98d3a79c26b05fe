"""A policy and a scorer that follow a script, for what a search decides: no model, exact control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from engine.search.cost import PolicyCost, ScorerCost
from engine.search.events import Finish, ModelInfo
from engine.search.policy import Draw, Sampling, Step, TokenBudget
from engine.search.tree import Node

#: Path so far (texts joined) and the number of the draw below it -> the step's text and how it ends.
Script = Callable[[str, int], tuple[str, Finish]]


class ScriptedPolicy:
    """One token a character (an EOS is one more); tokens are paid for in turns, as a batch would."""

    info = ModelInfo("scripted", parameters=10, context_window=10_000)
    delimiter = "\n\n"

    def __init__(self, script: Script) -> None:
        self.script = script
        self.draws: list[Draw] = []

    def prompt_tokens(self, problem: str) -> int:
        return len(problem)

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(map(ord, text))

    def session(self, problem: str) -> ScriptedSession:
        return ScriptedSession(self)

    def close(self) -> None:
        pass


class ScriptedSession:
    def __init__(self, policy: ScriptedPolicy) -> None:
        self.policy = policy
        self.counts: Counter[str] = Counter()

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        self.policy.draws += draws
        wanted: list[tuple[list[int], Finish]] = []
        for draw in draws:
            path = "".join(node.text for node in draw.path)
            text, finish = self.policy.script(path, self.counts[path])
            self.counts[path] += 1
            wanted.append(([*map(ord, text), *([0] if finish == "eos" else [])], finish))
        taken: list[list[int]] = [[] for _ in draws]
        cut = [False] * len(draws)
        for position in range(max((len(ids) for ids, _ in wanted), default=0)):
            for row, (ids, _) in enumerate(wanted):
                if position < len(ids) and not cut[row]:
                    if budget.take():
                        taken[row].append(ids[position])
                        cost.generated_tokens += 1
                    else:
                        cut[row] = True
        cost.calls += 1
        return [
            Step("".join(map(chr, filter(None, ids))), tuple(ids), len(ids), -0.5 * len(ids), "budget" if c else finish)
            for ids, c, (_, finish) in zip(taken, cut, wanted, strict=True)
        ]

    def writing(self) -> None:
        return None

    def close(self) -> None:
        pass


class ScriptedScorer:
    """Scores a path by a function of its texts, one token a character; remembers what it was asked."""

    def __init__(self, value: Callable[[str], float], window: int = 10_000) -> None:
        self.info = ModelInfo("judge", parameters=20, context_window=window)
        self.value = value
        self.asked: list[str] = []

    def prompt_tokens(self, problem: str) -> int:
        return len(problem)

    def session(self, problem: str) -> ScriptedScorer:
        return self

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        cost.calls += 1
        whole = ["".join(node.text for node in path) for path in paths]
        self.asked += whole
        fitting = [len(path) <= self.info.context_window for path in whole]
        cost.scored_tokens += sum(len(path) for path, fits in zip(whole, fitting, strict=True) if fits)
        return [self.value(path) if fits else None for path, fits in zip(whole, fitting, strict=True)]

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        return sum(len(node.text) for node in path), 0

    def close(self) -> None:
        pass


def letters(finish_at: int = 3) -> Any:
    """Draw i below a path says the i-th letter; at depth `finish_at` the answer is boxed and the chain ends."""

    def script(path: str, index: int) -> tuple[str, Finish]:
        letter = chr(ord("a") + index)
        if path.count("\n\n") == finish_at - 1:
            return rf"\boxed{{{letter}}}", "eos"
        return f"{letter}\n\n", "step"

    return script


def value_of(table: dict[str, float], default: float = 0.5) -> Any:
    return lambda path: table.get(path, default)
