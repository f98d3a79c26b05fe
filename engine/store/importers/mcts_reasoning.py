"""mcts-reasoning trees: nested nodes with visits and values; `state` is the whole text down to a node.

The value of a node is the mean of what was backed up through it, in older files the sum, which is divided by the
visits. Answers are those that the file gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.store.importers.draft import UNNAMED_POLICY, Draft
from engine.store.importers.fields import Record, count, listed, mapped, maybe_text, text

NAME = "mcts-reasoning tree"
#: The judge: the mean value of a node.
VALUE = "MCTS value"


def recognises(record: Record) -> bool:
    root = record.get("root")
    return isinstance(root, Mapping) and {"state", "visits"} <= root.keys()


def runs(record: Record, place: str) -> Iterator[Draft]:
    root = mapped(record["root"], f"{place}, root")
    state = text(root, "state", f"{place}, root")
    params = {name: record[name] for name in ("exploration_constant",) if isinstance(record.get(name), (int, float))}
    draft = Draft(
        maybe_text(record, "question", "problem") or _question(state), maybe_text(record, "expected_answer", "answer"),
        strategy="mcts", policy=maybe_text(record, "model") or UNNAMED_POLICY, scorer=VALUE,
        params=params | ({"n": n} if (n := count(record.get("simulations_run"))) else {}),
    )  # fmt: skip
    _grow(draft, root, f"{place}, root")
    yield draft


def _question(state: str) -> str:
    return state.partition("\n\n")[0].removeprefix("Question:").strip() or state


def _grow(draft: Draft, root: Record, place: str) -> None:
    waiting: list[tuple[Record, int, str]] = [(root, 0, place)]
    found: list[tuple[int, Record, str]] = []
    apart = 0
    for entry, node, where in waiting:  # grows as it goes: level by level, and no recursion
        found.append((node, entry, where))
        above = str(entry.get("state"))
        for at, below in enumerate(listed(entry.get("children") or [], f"{where}.children")):
            there = f"{where}.children[{at}]"
            child = mapped(below, there)
            state = text(child, "state", there)
            apart += not state.startswith(above)
            waiting.append((child, draft.add(node, _step(state, len(above) if state.startswith(above) else 0)), there))
    if apart:
        draft.warnings.append(f"states that do not go on from the one above, and are shown whole: {apart}")
    _values(draft, found)
    for node, entry, _ in found:
        if node and entry.get("is_terminal") is True:
            draft.steps[node].answer = maybe_text(entry, "answer")
            draft.finish(node)


def _step(state: str, above: int) -> str:
    """What a state adds to the one above, without the blank line between them."""
    return state[above:].lstrip("\n") or "(nothing was added)"


def _values(draft: Draft, found: list[tuple[int, Record, str]]) -> None:
    values = [value for _, entry, _ in found if isinstance(value := entry.get("value"), (int, float))]
    sums = any(value > 1 for value in values)
    if sums:
        draft.warnings.append("values above 1 are taken for sums, and divided by the visits")
    for node, entry, where in found:
        value, visits = entry.get("value"), count(entry.get("visits"))
        if sums and isinstance(value, (int, float)):
            value = value / visits if visits else None
        if visits:
            numbers: dict[str, Any] = {"visits": float(visits)}
            mean = draft.score(node, VALUE, value, f"{where}.value")
            draft.decide(node, "backup", numbers if mean is None else numbers | {"mean": mean})
