"""A finished best-of-N or majority vote read again as if it had stopped early, at no model cost.

The criterion looks at the answers in the order in which they were drawn. A run keeps the order of its draws wherever
they differ on some level of the tree; draws that led to the same step are one node, and which of them came first is not
on record. The draws are independent samples of one distribution, so every order was as likely: where the order is not
known, what is said is the mean over many of them, as for a best of k read from N.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from zlib import crc32

from engine.errors import InvalidInput
from engine.search.domain import Domain
from engine.search.selection import choose
from engine.search.stopping import sure
from engine.search.tree import Node, Tree
from engine.store import RunRecord

#: The strategies whose draws are independent, so that a stop changes nothing but their number.
STOPPABLE = ("majority_vote", "best_of_n")
#: Orders over which a run whose own is not known is read.
ORDERS = 200


@dataclass(frozen=True, slots=True)
class WouldAnswer:
    """An answer (None: no answer), whether it is right where that is known, and in what share of the orders."""

    answer: str | None
    correct: bool | None
    share: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """A finished run as it would have ended with `--stop beta:THRESHOLD`.

    Attributes:
        drawn: draws that it would have taken, on average over the orders read; from `least` to `most` of `of`.
        tokens: what these draws generated, of `all_tokens`.
        answers: what it would have answered, the likeliest first.
        unsure: share of the orders in which all recorded draws are too few to be sure.
        cut: the run itself stopped early or ran out of budget, so that further draws are not on record.
        orders: how many were read; 1: the order is on record.
    """

    threshold: float
    drawn: float
    least: int
    most: int
    of: int
    tokens: float
    all_tokens: int
    answers: tuple[WouldAnswer, ...]
    unsure: float
    cut: bool
    orders: int

    @property
    def saved(self) -> float:
        """The share of the generated tokens that would not have been spent."""
        return 1 - self.tokens / self.all_tokens if self.all_tokens else 0.0


def stopped(record: RunRecord, tree: Tree, domain: Domain, threshold: float, orders: int = ORDERS) -> Stopped:
    """The run under another threshold. Raises `InvalidInput` where that cannot be read."""
    if record.strategy not in STOPPABLE:
        can = " and ".join(STOPPABLE)
        raise InvalidInput("run", f"{record.strategy} does not draw one by one; only {can} can stop early")
    if record.status != "done":
        raise InvalidInput("run", f"the run is {record.status}; only a finished one can be read again")
    known = draws_in_order(tree)
    draws = known or [node for node, count in _ends(tree).items() for _ in range(count)]
    if not draws:
        raise InvalidInput("run", "nothing was drawn")
    spelled = {leaf: domain.normalise(leaf.answer) for leaf in set(draws) if leaf.answer and leaf.status == "finished"}
    lengths = {leaf: sum(step.tokens for step in tree.path(leaf) if not _planted(step)) for leaf in set(draws)}
    elected: dict[frozenset[tuple[int, int]], tuple[str | None, bool | None]] = {}
    ends: list[int] = []
    tokens, unsure = 0, 0
    answers: Counter[tuple[str | None, bool | None]] = Counter()
    read = [draws] if known else list(_shuffled(record.id, draws, orders))
    for order in read:
        end = _first_sure(order, spelled, threshold)
        unsure += end is None
        drawn = order[:end]
        ends.append(len(drawn))
        tokens += sum(lengths[leaf] for leaf in drawn)
        among = Counter(leaf.id for leaf in drawn if leaf.status == "finished")
        key = frozenset(among.items())
        if key not in elected:
            elected[key] = _elected(record, tree, among)
        answers[elected[key]] += 1
    return Stopped(
        threshold, sum(ends) / len(ends), min(ends), max(ends), len(draws), tokens / len(read),
        sum(lengths[leaf] for leaf in draws),
        tuple(WouldAnswer(*answer, count / len(read)) for answer, count in answers.most_common()),
        unsure / len(read), record.stop_reason is not None, len(read),
    )  # fmt: skip


def draws_in_order(tree: Tree) -> list[Node] | None:
    """Where each draw ended, in the order of the draws; None where the record does not say.

    Draws go down level by level in their order, and new steps are numbered as they are met. So on a level that all of
    them reach by steps of their own the steps stand in the order of the draws.
    """
    levels: dict[int, list[Node]] = {}
    for node in _below(tree):
        levels.setdefault(node.depth, []).append(node)
    draws = sum(node.copies for node in levels.get(min(levels, default=0), []))
    for level in levels.values():
        if len(level) == draws and all(node.copies == 1 for node in level):
            return [_end(tree, node) for node in level]
    return None


def _below(tree: Tree) -> Iterator[Node]:
    """The steps that were drawn: all, or those below the steps that a fork began with."""
    return (node for node in tree.nodes[1:] if not _planted(node))


def _planted(node: Node) -> bool:
    return any(decision.reason == "planted" for decision in node.decisions)


def _end(tree: Tree, node: Node) -> Node:
    while node.children:
        node = tree[node.children[0]]
    return node


def _ends(tree: Tree) -> dict[Node, int]:
    """How many draws ended at each step."""
    ends = {node: node.copies - sum(child.copies for child in tree.children(node)) for node in _below(tree)}
    return {node: count for node, count in ends.items() if count > 0}


def _shuffled(run_id: str, draws: Sequence[Node], orders: int) -> Iterator[list[Node]]:
    dice = Random(crc32(run_id.encode()))
    for _ in range(orders):
        yield dice.sample(draws, len(draws))


def _first_sure(order: Sequence[Node], spelled: Mapping[Node, str], threshold: float) -> int | None:
    """After how many draws the leading answer is sure; None: never."""
    votes: Counter[str] = Counter()
    for drawn, leaf in enumerate(order, start=1):
        if leaf in spelled:
            votes[spelled[leaf]] += 1
            if sure(votes, threshold):
                return drawn
    return None


def _elected(record: RunRecord, tree: Tree, among: Mapping[int, int]) -> tuple[str | None, bool | None]:
    eligible = bool(record.params.get("eligible_without_answer"))
    winner = choose(record.answers(tree, among=among), eligible_without_answer=eligible)
    if winner is None or winner.answer is None:
        return None, None if record.reference_answer is None else False
    return winner.answer, winner.correct
