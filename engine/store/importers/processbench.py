"""ProcessBench: solutions cut into steps, with the first wrong step as people found it.

The steps before it are right and it is wrong; those after it were not labelled. Whether the final answer is right is
the file's own word.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.store.importers.draft import UNNAMED_POLICY, Draft
from engine.store.importers.fields import Record, besides, kept, listed, maybe_bool, maybe_text, text, wrong

NAME = "ProcessBench"
JUDGE = "ProcessBench labels"
_UNDERSTOOD = ("generator", "problem", "steps", "final_answer_correct", "label")


def recognises(record: Record) -> bool:
    return isinstance(record.get("steps"), list) and type(record.get("label")) is int


def runs(record: Record, place: str) -> Iterator[Draft]:
    steps, label = listed(record["steps"], f"{place}, steps"), record["label"]
    if not -1 <= label < len(steps):
        raise wrong(f"{place}, label", f"{label} is none of the {len(steps)} steps; -1 says that all are right")
    draft = Draft(
        text(record, ("problem", "question"), place), maybe_text(record, "answer", "ground_truth_answer"),
        strategy="solution", policy=maybe_text(record, "generator", "model") or UNNAMED_POLICY, scorer=JUDGE,
        select="majority_vote", joint="\n\n", verdict=maybe_bool(record, "final_answer_correct"),
    )  # fmt: skip
    draft.params |= kept(besides(record, *_UNDERSTOOD), place)
    node = 0
    for at, step in enumerate(steps):
        if not isinstance(step, str):
            raise wrong(f"{place}, steps[{at}]", "a text is missing here")
        node = draft.add(node, step)
        if label == -1 or at <= label:
            draft.score(node, JUDGE, float(at != label), f"{place}, steps[{at}]", kind="human")
    if node:
        draft.finish(node)
        draft.steps[node].verdict = draft.verdict
    yield draft
