"""Tidy drawing of a tree in linear time: Buchheim, Junger and Leipert, "Improving Walker's Algorithm to Run in Linear
Time" (2002), as the page has it in `tidy_layout.js`. Names follow the paper. No recursion: a parent is listed before
its children, so walking the indices backwards meets every subtree before its parent, and forwards every parent first.
"""

from __future__ import annotations

from collections.abc import Sequence

_NONE = -1


def tidy_layout(children: Sequence[Sequence[int]], cousin_gap: float = 1.25) -> list[float]:
    """Breadth coordinate of every node. `children[i]` lists the children of node i in the order of drawing; node 0 is
    the root and every child's index is larger than its parent's. Neighbours with one parent lie 1 apart, others at
    least `cousin_gap`."""
    walk = _Walk(children, cousin_gap)
    for v in reversed(range(len(children))):
        walk.place_children(v)
    return walk.positions()


class _Walk:
    def __init__(self, children: Sequence[Sequence[int]], cousin_gap: float) -> None:
        n = len(children)
        self.children, self.cousin_gap = children, cousin_gap
        self.prelim, self.mod, self.shift, self.change = [0.0] * n, [0.0] * n, [0.0] * n, [0.0] * n
        self.thread, self.ancestor = [_NONE] * n, list(range(n))
        self.parent, self.number = [_NONE] * n, [0] * n
        for p, kids in enumerate(children):
            for k, v in enumerate(kids):
                self.parent[v], self.number[v] = p, k

    def place_children(self, p: int) -> None:
        """FIRSTWALK for the children of p, whose own subtrees are already drawn."""
        kids = self.children[p]
        default_ancestor = kids[0] if kids else _NONE
        for k, v in enumerate(kids):
            middle = self._middle(v)
            self.prelim[v] = middle if k == 0 else self.prelim[kids[k - 1]] + 1
            self.mod[v] = 0.0 if k == 0 else self.prelim[v] - middle
            if k > 0:
                default_ancestor = self._apportion(v, kids[k - 1], kids[0], default_ancestor)
        self._execute_shifts(kids)

    def _middle(self, v: int) -> float:
        kids = self.children[v]
        return (self.prelim[kids[0]] + self.prelim[kids[-1]]) / 2 if kids else 0.0

    def _apportion(self, v: int, left_sibling: int, first_sibling: int, default_ancestor: int) -> int:
        """Push v's subtree on until its left contour clears the right contour of everything before it."""
        prelim, mod, thread, ancestor = self.prelim, self.mod, self.thread, self.ancestor
        inside_right = outside_right = v
        inside_left, outside_left = left_sibling, first_sibling
        sum_inside_right, sum_outside_right = mod[v], mod[v]
        sum_inside_left, sum_outside_left = mod[left_sibling], mod[first_sibling]
        while (next_left := self._next_right(inside_left)) != _NONE and (
            next_right := self._next_left(inside_right)
        ) != _NONE:
            inside_left, inside_right = next_left, next_right
            outside_left, outside_right = self._next_left(outside_left), self._next_right(outside_right)
            ancestor[outside_right] = v
            gap = 1.0 if self.parent[inside_left] == self.parent[inside_right] else self.cousin_gap
            push = prelim[inside_left] + sum_inside_left - (prelim[inside_right] + sum_inside_right) + gap
            if push > 0:
                owner = ancestor[inside_left]
                self._move(owner if self.parent[owner] == self.parent[v] else default_ancestor, v, push)
                sum_inside_right += push
                sum_outside_right += push
            sum_inside_left += mod[inside_left]
            sum_inside_right += mod[inside_right]
            sum_outside_left += mod[outside_left]
            sum_outside_right += mod[outside_right]
        if self._next_right(inside_left) != _NONE and self._next_right(outside_right) == _NONE:
            thread[outside_right] = self._next_right(inside_left)
            mod[outside_right] += sum_inside_left - sum_outside_right
        if self._next_left(inside_right) != _NONE and self._next_left(outside_left) == _NONE:
            thread[outside_left] = self._next_left(inside_right)
            mod[outside_left] += sum_inside_right - sum_outside_left
            return v
        return default_ancestor

    def _move(self, left: int, right: int, push: float) -> None:
        share = push / (self.number[right] - self.number[left])
        self.change[right] -= share
        self.shift[right] += push
        self.change[left] += share
        self.prelim[right] += push
        self.mod[right] += push

    def _execute_shifts(self, kids: Sequence[int]) -> None:
        shift = change = 0.0
        for v in reversed(kids):
            self.prelim[v] += shift
            self.mod[v] += shift
            change += self.change[v]
            shift += self.shift[v] + change

    def _next_left(self, v: int) -> int:
        return self.children[v][0] if self.children[v] else self.thread[v]

    def _next_right(self, v: int) -> int:
        return self.children[v][-1] if self.children[v] else self.thread[v]

    def positions(self) -> list[float]:
        """SECONDWALK: add up the modifiers from the root down."""
        n = len(self.children)
        x, carried = [0.0] * n, [0.0] * n
        if n:
            x[0] = self._middle(0)
        for p in range(n):
            total = carried[p] + (self.mod[p] if p else 0.0)
            for v in self.children[p]:
                carried[v], x[v] = total, self.prelim[v] + total
        return x
