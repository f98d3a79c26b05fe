"""PRM800K: each step of a solution with its alternatives, rated by a person: right, neutral or wrong.

The rating +1 is the score 1, 0 is 0.5 and -1 is 0. The chosen alternative is kept and the others are pruned; a step
that the labeller wrote is `human`. A phase-2 record also holds the whole solution that was labelled: steps after the
first wrong one come from there and have no rating. Solutions with a model's probability of each rating
(`rating_probs`) come in with the probability of +1 as its score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.store.importers.draft import UNNAMED_POLICY, Draft
from engine.store.importers.fields import Record, besides, kept, listed, mapped, maybe_bool, maybe_text, text, wrong

NAME = "PRM800K"
JUDGE, MODEL = "PRM800K labels", "probability of rating 1"
_SCORE = {1: 1.0, 0: 0.5, -1: 0.0}


def recognises(record: Record) -> bool:
    return (isinstance(record.get("label"), Mapping) and "question" in record) or _is_rated(record)


def _is_rated(record: Record) -> bool:
    return isinstance(record.get("steps"), list) and isinstance(record.get("rating_probs"), list)


def runs(record: Record, place: str) -> Iterator[Draft]:
    yield _rated(record, place) if _is_rated(record) else _labelled(record, place)


def _labelled(record: Record, place: str) -> Draft:
    question = mapped(record["question"], f"{place}, question")
    draft = Draft(
        text(question, "problem", f"{place}, question"), maybe_text(question, "ground_truth_answer"),
        strategy="solution", policy=maybe_text(record, "model") or UNNAMED_POLICY, scorer=JUDGE,
        select="majority_vote", joint="\n\n",
    )  # fmt: skip
    label = mapped(record["label"], f"{place}, label")
    entries = listed(label.get("steps"), f"{place}, label.steps")
    draft.params |= kept({
        "record": besides(record, "question", "label"), "question": besides(question, "problem", "ground_truth_answer"),
        "label": besides(label, "steps"), "chosen": [_choice(entry) for entry in entries],
    }, place)  # fmt: skip
    node = 0
    for at, entry in enumerate(entries):
        where = f"{place}, label.steps[{at}]"
        below = _step(draft, node, mapped(entry, where), where)
        if below is None:
            break
        node = below
    pre = question.get("pre_generated_steps")
    if isinstance(pre, list) and pre:
        node = _rest(draft, pre, f"{place}, question.pre_generated_steps")
        draft.steps[node].answer = maybe_text(question, "pre_generated_answer")
    if node and (pre or label.get("finish_reason") == "solution"):
        draft.finish(node)
        draft.steps[node].answer = draft.steps[node].answer or _answer(draft.steps[node].text)
    if reason := {"bad_problem": "the labeller found the problem faulty", "give_up": "the labeller gave up"}.get(
        str(label.get("finish_reason"))
    ):
        draft.warnings.append(reason)
    return draft


def _choice(entry: object) -> int | None:
    chosen = entry.get("chosen_completion") if isinstance(entry, Mapping) else None
    return chosen if isinstance(chosen, int) else None


def _step(draft: Draft, parent: int, entry: Record, place: str) -> int | None:
    """Add the alternatives of one step; returns the one that the solution goes on from, None where it goes on from
    none."""
    chosen = entry.get("chosen_completion")
    nodes = []
    for at, completion in enumerate(listed(entry.get("completions") or [], f"{place}.completions")):
        where = f"{place}.completions[{at}]"
        told = mapped(completion, where)
        node, new = draft.child(parent, text(told, "text", where))
        nodes.append(node)
        rating = told.get("rating")
        if rating is not None:
            if not isinstance(rating, int) or rating not in _SCORE:
                raise wrong(f"{where}.rating", f"{str(rating)[:20]!r} is no rating; they are -1, 0 and 1")
            draft.score(node, JUDGE, _SCORE[rating], where, kind="human")
    human = entry.get("human_completion")
    if isinstance(chosen, int) and 0 <= chosen < len(nodes):
        going_on = nodes[chosen]
    elif isinstance(human, Mapping):
        going_on = draft.add(parent, text(human, "text", f"{place}.human_completion"), origin="human")
    else:
        return None
    if len(set(nodes) | {going_on}) > 1:
        for node in dict.fromkeys([*nodes, going_on]):
            draft.decide(node, "keep" if node == going_on else "prune")
    return going_on


def _rest(draft: Draft, steps: list[Any], place: str) -> int:
    """Follow the whole solution, adding the steps that were not labelled; returns its end."""
    node = 0
    for at, step in enumerate(steps):
        if not isinstance(step, str) or not step.strip():
            raise wrong(f"{place}[{at}]", "a text is missing here")
        node, _ = draft.child(node, step)
    return node


def _answer(step: str) -> str | None:
    """What follows the heading under which these solutions give their answer."""
    return step.rpartition("# Answer")[2].strip() or None if "# Answer" in step else None


def _rated(record: Record, place: str) -> Draft:
    steps = listed(record["steps"], f"{place}, steps")
    rows = listed(record["rating_probs"], f"{place}, rating_probs")
    draft = Draft(
        text(record, ("problem", "question"), place), maybe_text(record, "ground_truth_answer"), strategy="solution",
        policy=maybe_text(record, "model", "generator") or UNNAMED_POLICY, scorer=maybe_text(record, "prm") or MODEL,
        joint="\n\n", verdict=maybe_bool(record, "is_correct"),
    )  # fmt: skip
    if len(rows) != len(steps):
        draft.warnings.append(f"{len(steps)} steps and {len(rows)} rows of rating_probs, which are left out")
        rows = []
    node = 0
    for at, step in enumerate(steps):
        if not isinstance(step, str):
            raise wrong(f"{place}, steps[{at}]", "a text is missing here")
        node = draft.add(node, step)
        if rows and draft.scorer:
            row = mapped(rows[at], f"{place}, rating_probs[{at}]")
            draft.score(node, draft.scorer, row.get("1", row.get("+1")), f"{place}, rating_probs[{at}]")
    if node:
        draft.finish(node)
        draft.steps[node].answer = maybe_text(record, "answer") or _answer(draft.steps[node].text)
        draft.steps[node].verdict = draft.verdict
    return draft
