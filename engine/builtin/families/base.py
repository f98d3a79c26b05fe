"""What a problem family is: a little game whose moves are the valid next steps.

A family says how to draw numbers, how to ask the question, and, for any point of a solution, *every* valid next step.
The worked solution is one path through these moves and the step checker follows the same moves, so the two cannot
disagree. It knows nothing of step numbering, tokens or models.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from random import Random

Numbers = tuple[int, ...]
Words = tuple[str, ...]
State = Hashable

DONE: State = "done"
"""The state in which the answer has been derived."""


@dataclass(frozen=True)
class Move:
    """One valid next step: its sentence and the state it leads to.

    A `rare` move is valid but never written by the generator: a detour or another method.
    """

    text: str
    leads_to: State
    rare: bool = False


@dataclass(frozen=True)
class Family:
    """A kind of problem. `words` lists what may be varied in the wording, one choice from each row."""

    name: str
    title: str
    draw: Callable[[Random, int], Numbers | None]
    ask: Callable[[Numbers, Words], Sequence[str]]
    start: Callable[[Numbers], State]
    moves: Callable[[Numbers, Words, State], list[Move]]
    answer: Callable[[Numbers], str]
    words: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Fact:
    """Something a solution may state once all it `needs` has been stated. The fact named "answer" ends the solution."""

    gives: str
    says: str
    needs: tuple[str, ...] = ()
    rare: bool = False


def fact_family(
    name: str,
    title: str,
    draw: Callable[[Random, int], Numbers | None],
    ask: Callable[[Numbers, Words], Sequence[str]],
    facts: Callable[[Numbers, Words], list[Fact]],
    answer: Callable[[Numbers], str],
    words: tuple[tuple[str, ...], ...] = (),
) -> Family:
    """A family whose solution is a set of facts that may be stated in any order their needs allow."""

    def moves(numbers: Numbers, chosen: Words, state: State) -> list[Move]:
        assert isinstance(state, frozenset)
        ready = [fact for fact in facts(numbers, chosen) if state.issuperset(fact.needs)]
        return [
            Move(fact.says, DONE if fact.gives == "answer" else state | {fact.gives}, fact.rare)
            for fact in ready
            if fact.gives not in state
        ]

    return Family(name, title, draw, ask, lambda numbers: frozenset(), moves, answer, words)


def sum_facts(parts: Sequence[tuple[str, int]], gives: str, say: str) -> list[Fact]:
    """Adding named amounts: from left to right, or (rare) in another order or all at once. `say` has one {} field."""
    if len(parts) == 1:
        raise ValueError("a sum needs two parts")
    facts = []
    name, value = parts[0]
    for i, (other, amount) in enumerate(parts[1:], start=1):
        result = gives if i == len(parts) - 1 else f"{gives}:{i}"
        facts.append(Fact(result, say.format(f"{value} + {amount} = {value + amount}"), (name, other)))
        name, value = result, value + amount
    if len(parts) == 3:
        for i in (0, 1):
            (pair_a, a), (pair_b, b) = (part for j, part in enumerate(parts) if j != i)
            pair = f"{gives}:without {i}"
            facts.append(Fact(pair, say.format(f"{a} + {b} = {a + b}"), (pair_a, pair_b), rare=True))
            last, c = parts[i]
            facts.append(Fact(gives, say.format(f"{a + b} + {c} = {value}"), (pair, last), rare=True))
    if len(parts) > 2:
        amounts = " + ".join(str(amount) for _, amount in parts)
        facts.append(Fact(gives, say.format(f"{amounts} = {value}"), tuple(name for name, _ in parts), rare=True))
    return facts
