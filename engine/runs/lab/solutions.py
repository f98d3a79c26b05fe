"""Solutions that are no runs: a problem and its steps, as a person types, imports or cuts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import InvalidInput
from engine.runs.lab.rescoring import Sitting, tokens_about
from engine.search.events import StepSampled, Usage
from engine.search.policy import DELIMITER
from engine.search.scorer import Scorer
from engine.search.tree import Node, Tree

#: Step score -> response score, as the rules of selection have them.
RESPONSES = ("min", "last", "avg")


def in_steps(text: str) -> list[str]:
    """A solution cut where blank lines are."""
    return [step.strip() for step in text.replace("\r\n", "\n").split(DELIMITER) if step.strip()]


def add_solution(tree: Tree, steps: Sequence[str]) -> list[Node]:
    """Put a solution into `tree`; steps that are there already, after the same ones, are those. Returns its path.

    A step ends with a blank line, as a policy would write it; the last one ends the answer. Raises `InvalidInput` if
    there is no step, or an empty one.
    """
    if not steps:
        raise InvalidInput("steps", "there is no step; write the solution, with a blank line between two steps")
    node, path = tree.root, list[Node]()
    for at, step in enumerate(steps, 1):
        if not step.strip():
            raise InvalidInput("steps", f"step {at} is empty; write it or drop it")
        ends = at == len(steps)
        text = step.strip() if ends else step.strip() + DELIMITER
        known = next((child for child in tree.children(node) if child.text == text), None)
        if known is None:
            tree.apply(StepSampled(
                len(tree), len(tree), node.id, at, text, None, 0, None, "eos" if ends else "step", origin="human",
            ))  # fmt: skip
            known = tree.nodes[-1]
        node = known
        path.append(node)
    return path


def tree_of(problem: str, steps: Sequence[str]) -> Tree:
    """A solution as a tree of one path. Raises `InvalidInput`."""
    if not problem.strip():
        raise InvalidInput("problem", "it is empty; give the problem that the solution is for")
    tree = Tree(problem)
    add_solution(tree, steps)
    return tree


def cuts(steps: Sequence[str]) -> Mapping[str, list[str]]:
    """The same text cut into steps in other ways. A judge that read for meaning would score them alike."""
    whole = DELIMITER.join(step.strip() for step in steps)
    return {
        "as given": [step.strip() for step in steps],
        "at every line break": [line.strip() for line in whole.split("\n") if line.strip()],
        "one step": [whole],
        "merged in pairs": [
            DELIMITER.join(each.strip() for each in steps[at : at + 2]) for at in range(0, len(steps), 2)
        ],
    }


def response(scores: Sequence[float | None], rule: str) -> float | None:
    """The score of a whole solution; None where a step has none."""
    values = [score for score in scores if score is not None]
    if not scores or len(values) < len(scores):
        return None
    return {"min": min(values), "last": values[-1], "avg": sum(values) / len(values)}[rule]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a judge says of several solutions of one problem, step by step (None: too long for it), and what that took.

    `read` counts the steps that it had not read before.
    """

    scores: tuple[tuple[float | None, ...], ...]
    usage: Usage
    read: int


class Bench:
    """A judge at one problem whose solution is being worked on.

    Steps before the first one that changed keep their scores, and a local judge's cache still holds them.
    """

    def __init__(self, problem: str, scorer: Scorer) -> None:
        self._tree, self._scorer = Tree(problem), scorer
        self._sitting: Sitting | None = None
        self._scores: dict[int, float | None] = {}

    async def read(self, solutions: Sequence[Sequence[str]]) -> Reading:
        """Score the steps of these solutions, whatever was not scored before. Raises `InvalidInput`, `ModelError`."""
        paths = [add_solution(self._tree, steps) for steps in solutions]
        due = {node.id: node for path in paths for node in path if node.id not in self._scores}
        self._sitting = self._sitting or Sitting(self._tree, self._scorer)
        found = await self._sitting.score(list(due.values()))
        self._scores |= dict.fromkeys(due) | {score.node: score.value for score in found.scores}
        return Reading(tuple(tuple(self._scores[node.id] for node in path) for path in paths), found.usage, len(due))

    def about(self, solutions: Sequence[Sequence[str]]) -> int:
        """About how many positions `read` will compute."""
        fresh = {step: None for steps in solutions for step in self._unread(steps)}
        prompt = 0 if self._scores else self._scorer.prompt_tokens(self._tree.root.text)
        return prompt + tokens_about(self._scorer, self._tree.root.text, list(fresh))

    def _unread(self, steps: Sequence[str]) -> list[str]:
        node = self._tree.root
        for at, step in enumerate(steps):
            text = step.strip() + (DELIMITER if at < len(steps) - 1 else "")
            known = next((child for child in self._tree.children(node) if child.text == text), None)
            if known is None or known.id not in self._scores:
                return list(steps[at:])
            node = known
        return []

    def close(self) -> None:
        if self._sitting:
            self._sitting.close()


def letters_about(problem: str, steps: Sequence[str]) -> int:
    """About how many positions a judge that is not loaded will compute: a quarter of the letters."""
    return (len(problem) + sum(map(len, steps))) // 4 + len(steps)
