"""In which order DVTS dealt out draws: a run keeps how often each step was drawn and which subtrees had it, not the
order of equal draws. Any order that gives every subtree its steps and its number of draws leads to the same decisions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set


def dealt(draws: Sequence[int], families: Mapping[int, Set[int]], width: int) -> list[int]:
    """`draws` (steps, a step once for each of its draws) so that each family of `width` in a row, in the order of
    their numbers, holds the steps it is said to hold. A step that no family names may lie in any."""
    left = Counter(draws)
    hands: dict[int, list[int]] = {number: sorted(families[number]) for number in sorted(families)}
    for step in (step for hand in hands.values() for step in hand):
        left[step] -= 1
    named = set().union(*families.values())
    homes = {
        step: [number for number, family in families.items() if step in family or step not in named] for step in left
    }
    extra: dict[int, list[int]] = {number: [] for number in hands}

    def place(step: int, tried: set[int]) -> bool:
        """Find room for one more draw of a step; others that may lie elsewhere move (an augmenting path)."""
        for number in homes[step]:
            if number in tried:
                continue
            tried.add(number)
            if len(hands[number]) + len(extra[number]) < width:
                extra[number].append(step)
                return True
            for at, other in enumerate(extra[number]):
                if other != step and place(other, tried):
                    extra[number][at] = step
                    return True
        return False

    over = [step for step, count in left.items() for _ in range(count) if not place(step, set())]
    return [step for number, hand in hands.items() for step in hand + extra[number]] + over
