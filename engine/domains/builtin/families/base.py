"""What a problem family is: a little game whose moves are the valid next steps.

A family says how to draw numbers, how to ask the question, and, for any point of a solution, the valid next steps: the
usual ones, any other order, and the other methods that people use. The worked solution is one path through these moves
and the step checker follows the same moves, so the two cannot disagree. It knows nothing of step numbering, tokens or
models.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from random import Random

Numbers = tuple[int, ...]
Words = tuple[str, ...]
State = Hashable

DONE: State = "done"
"""The state in which the answer has been derived."""


@dataclass(frozen=True)
class Move:
    """One valid next step: its sentence and the state it leads to.

    A `rare` move is valid but never written by the generator: a detour or another method. A step that contains the
    words `unlike` says more than this move.
    """

    text: str
    leads_to: State
    rare: bool = False
    unlike: str = ""


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
    unlike: str = ""


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
    facts_of = lru_cache(maxsize=64)(facts)  # a checker asks for one problem's facts many times

    def moves(numbers: Numbers, chosen: Words, state: State) -> list[Move]:
        assert isinstance(state, frozenset)
        ready = [fact for fact in facts_of(numbers, chosen) if state.issuperset(fact.needs)]
        return [
            Move(fact.says, DONE if fact.gives == "answer" else state | {fact.gives}, fact.rare, fact.unlike)
            for fact in ready
            if fact.gives not in state
        ]

    return Family(name, title, draw, ask, lambda numbers: frozenset(), moves, answer, words)


@dataclass(frozen=True)
class Sum:
    """A sum of signed amounts; each may need a fact first ("" for none), and every partial sum is a fact of its own.

    If `owed`, a partial sum below zero may also be counted as a debt: costs of 52 less a coupon of 12 are 40.
    """

    terms: tuple[tuple[str, int], ...]
    gives: str
    owed: bool = False

    def value(self, members: Collection[int]) -> int:
        return sum(self.terms[i][1] for i in members)

    def name(self, members: Collection[int]) -> str:
        """The fact that states the sum of these terms."""
        if len(members) == 1:
            return self.terms[next(iter(members))][0]
        return self.gives if len(members) == len(self.terms) else f"{self.gives}:{sorted(members)}"

    def fact(self, says: str, *parts: Collection[int], rare: bool = False) -> Fact:
        """Putting together these parts of the sum, each of one or more terms."""
        needs = tuple(name for name in map(self.name, parts) if name)
        return Fact(self.name([i for part in parts for i in part]), says, needs, rare)

    def any_order(self) -> list[Fact]:
        """All ways to put two parts together, and all terms at once; rare."""
        everything = range(len(self.terms))
        facts = [
            fact for size in everything[1:] for some in combinations(everything, size + 1) for fact in self._pairs(some)
        ]
        if len(self.terms) > 2:
            at_once = signed_sum([amount for _, amount in self.terms])
            facts.append(self.fact(f"{at_once}.", *([i] for i in everything), rare=True))
        return facts

    def _pairs(self, members: tuple[int, ...]) -> list[Fact]:
        """The ways to put together two parts with these members."""
        splits = (
            (left, tuple(i for i in members if i not in left))
            for size in range(1, len(members))
            for left in combinations(members, size)
            if members[0] in left
        )
        return [
            self.fact(f"{says}.", left, right, rare=True)
            for left, right in splits
            for says in additions(self.value(left), self.value(right), self.owed)
        ]


def signed_sum(amounts: Sequence[int]) -> str:
    """[100, -12, 5] -> "100 - 12 + 5 = 93"."""
    first, *others = amounts
    shown = f"{first}" + "".join(f" {'+' if amount >= 0 else '-'} {abs(amount)}" for amount in others)
    return f"{shown} = {first + sum(others)}"


def additions(a: int, b: int, owed: bool = False) -> list[str]:
    """How the sum of two signed amounts may be written; two that are taken away may be added up first."""
    written = [signed_sum((a, b))]
    if (a < 0 and b < 0) or (owed and a + b < 0):
        written.append(signed_sum((-a, -b) if a < 0 else (-b, -a)))
    return written


def sum_facts(parts: Sequence[tuple[str, int]], gives: str, say: str) -> list[Fact]:
    """Adding named amounts: from left to right, or (rare) in another order or all at once. `say` has one {} field."""
    if len(parts) == 1:
        raise ValueError("a sum needs two parts")
    whole = Sum(tuple(parts), gives)
    return left_to_right(whole, range(len(parts)), say) + whole.any_order()


def left_to_right(whole: Sum, members: Sequence[int], say: str) -> list[Fact]:
    """Adding these members of a sum one after another, whatever their sign."""
    facts = []
    for end in range(1, len(members)):
        before, amount = abs(whole.value(members[:end])), abs(whole.value([members[end]]))
        says = say.format(f"{before} + {amount} = {before + amount}")
        facts.append(whole.fact(says, members[:end], [members[end]]))
    return facts


def all_at_once(amounts: Sequence[int], gives: str, before: str, after: str) -> list[Fact]:
    """Adding numbers of the problem in one step, or (rare, and not in these words) two at a time."""
    whole = Sum(tuple(("", amount) for amount in amounts), gives)
    in_one = Fact(gives, f"{before} {' + '.join(map(str, amounts))} = {sum(amounts)} {after}.")
    return [in_one, *(fact if fact.gives == gives else replace(fact, unlike=before) for fact in whole.any_order())]
