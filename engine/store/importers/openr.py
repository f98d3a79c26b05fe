"""OpenR and OmegaPRM: solutions of one problem as a tree, with the share of rollouts that came out right at each node.

The tree is either nested (`text`, `mc_value`, `children`) or a list of prefixes of solutions (`solution_prefix`,
`mc_value`), which are put together again. How many rollouts a value rests on is not in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.store.importers.draft import UNNAMED_POLICY, Draft
from engine.store.importers.fields import Record, listed, mapped, maybe_text, text, wrong

NAME = "OpenR / OmegaPRM tree"
#: The judge: what the rollouts say.
ROLLOUTS = "Monte Carlo value"


def recognises(record: Record) -> bool:
    steps = record.get("reasoning_steps")
    if isinstance(steps, list):
        return any(isinstance(step, Mapping) and "solution_prefix" in step for step in steps[:1])
    return isinstance(steps, Mapping) and "children" in steps


def runs(record: Record, place: str) -> Iterator[Draft]:
    draft = Draft(
        text(record, ("question", "problem"), place), maybe_text(record, "final_answer", "answer"), strategy="mcts",
        policy=maybe_text(record, "model") or UNNAMED_POLICY, scorer=ROLLOUTS, joint="\n\n", answers_end=True,
    )  # fmt: skip
    steps = record["reasoning_steps"]
    if isinstance(steps, Mapping):
        _nested(draft, steps, f"{place}, reasoning_steps")
    else:
        _prefixes(draft, listed(steps, place), f"{place}, reasoning_steps")
    yield draft


def _nested(draft: Draft, root: Record, place: str) -> None:
    draft.score(0, ROLLOUTS, root.get("mc_value"), f"{place}.mc_value")
    waiting: list[tuple[Any, int, str]] = [
        (child, 0, f"{place}.children[{at}]") for at, child in enumerate(_children(root, place))
    ]
    for child, parent, where in waiting:  # grows as it goes: level by level, and no recursion
        entry = mapped(child, where)
        node, new = draft.child(parent, text(entry, "text", where))
        draft.steps[node].copies += not new
        draft.score(node, ROLLOUTS, entry.get("mc_value"), f"{where}.mc_value")
        waiting += [(below, node, f"{where}.children[{at}]") for at, below in enumerate(_children(entry, where))]


def _children(entry: Record, place: str) -> list[Any]:
    return listed(entry.get("children") or [], f"{place}.children")


def _prefixes(draft: Draft, entries: list[Any], place: str) -> None:
    """Each prefix stands below the longest other one that it begins with."""
    told = []
    for at, entry in enumerate(entries):
        where = f"{place}[{at}]"
        prefix = text(mapped(entry, where), "solution_prefix", where)
        if not prefix.startswith(draft.problem):
            raise wrong(f"{where}.solution_prefix", "it does not begin with the question")
        told.append((prefix[len(draft.problem) :].strip(), entry, where))
    above: list[tuple[str, int]] = []  # the path to the prefix before, longest last
    for solution, entry, where in sorted(told, key=lambda item: item[0]):
        while above and not solution.startswith(above[-1][0]):
            above.pop()
        known, parent = above[-1] if above else ("", 0)
        step = solution[len(known) :].strip()
        node, new = draft.child(parent, step) if step else (parent, True)
        draft.steps[node].copies += not new
        draft.score(node, ROLLOUTS, entry.get("mc_value"), f"{where}.mc_value")
        if new and step:
            above.append((solution, node))
