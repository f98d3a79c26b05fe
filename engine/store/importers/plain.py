"""Problems with solutions in the simplest form, a JSON object each: `{problem, completions | steps, scores?}`.

`completions` is a list of texts (or one text: `completion`, `response`), with a list of scores for each in `scores`;
`steps` is one solution cut into steps, with one score a step, or a list of such solutions. Besides, where they are
known: `answer` (the reference), `correct` (a verdict, or one for each), `model`, `prm`, `labels` (-1, 0, 1 or true and
false for each step, by people).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.store.importers.completions import chain, grow
from engine.store.importers.draft import UNNAMED_POLICY, UNNAMED_SCORER, Draft
from engine.store.importers.fields import Record, besides, kept, listed, maybe_text, text, wrong

NAME = "problems with solutions"
LABELS = "labels"
_PROBLEM = ("problem", "question", "prompt")
_SEVERAL = ("completions", "responses", "solutions", "samples")
_ONE = ("completion", "response")
_ANSWER = ("reference_answer", "answer", "ground_truth", "ground_truth_answer", "gold_answer", "final_answer")
#: A `solution` of at most so many characters is an answer.
_SHORT = 60


def recognises(record: Record) -> bool:
    asked = any(isinstance(record.get(name), str) for name in _PROBLEM)
    solved = any(isinstance(record.get(name), list) for name in (*_SEVERAL, "steps"))
    return asked and (solved or any(isinstance(record.get(name), str) for name in _ONE))


def runs(record: Record, place: str) -> Iterator[Draft]:
    scored = record.get("scores") is not None
    draft = Draft(
        text(record, _PROBLEM, place), _reference(record),
        policy=maybe_text(record, "model", "policy", "generator") or UNNAMED_POLICY,
        scorer=(maybe_text(record, "prm", "scorer") or UNNAMED_SCORER) if scored else None,
    )  # fmt: skip
    several = next((name for name in _SEVERAL if isinstance(record.get(name), list)), None)
    if several and _are_steps(record, record[several]):
        leaves = _stepwise(draft, record[several], record, f"{place}, {several}")
    elif several and all(isinstance(entry, str) for entry in record[several]):
        leaves = grow(draft, record[several], record.get("scores"), place, independent=True)
    elif several or isinstance(record.get("steps"), list):
        name = several or "steps"
        leaves = _stepwise(draft, listed(record[name], place), record, f"{place}, {name}")
    else:
        whole = text(record, _ONE, place)
        scores = [record["scores"]] if scored else None
        leaves = grow(draft, [whole], scores, place, independent=True)
    if not any(leaves):
        raise wrong(place, "there is no step in it")
    if len(leaves) == 1:
        draft.strategy = "solution"
    draft.params = {"n": len(leaves)}
    if several and _are_steps(record, record[several]):
        draft.params |= kept(besides(record, "prompt", several, LABELS), place)
    _verdicts(draft, leaves, record, place)
    yield draft


def _reference(record: Record) -> str | None:
    solution = maybe_text(record, "solution")
    short = solution if solution and len(solution) <= _SHORT else None
    return maybe_text(record, *_ANSWER) or short


def _are_steps(record: Record, entries: list[Any]) -> bool:
    """Whether `completions` are the steps of one solution, as they are where each has a label of its own."""
    labels = record.get("labels")
    flat = isinstance(labels, list) and len(labels) == len(entries) and record.get("scores") is None
    return flat and all(isinstance(label, int) for label in labels or [])


def _stepwise(draft: Draft, entries: list[Any], record: Record, place: str) -> list[int]:
    """Solutions that are cut into steps already: one, or a list of them."""
    nested = bool(entries) and all(isinstance(entry, list) for entry in entries)
    solutions = entries if nested else [entries]
    rows, labels = (_rows(record.get(name), nested) for name in ("scores", "labels"))
    draft.joint = "\n\n"
    leaves = []
    for at, steps in enumerate(solutions):
        where = f"{place}[{at}]" if nested else place
        for number, step in enumerate(steps):
            if not isinstance(step, str):
                raise wrong(f"{where}[{number}]", "a text is missing here")
        row = _fitting(draft, rows, at, len(steps), "scores", where)
        leaves.append(chain(draft, steps, row, f"{where}, scores", independent=True)[0])
        _label(draft, leaves[-1], _fitting(draft, labels, at, len(steps), "labels", where), where)
    return leaves


def _rows(value: object, nested: bool) -> list[Any]:
    return [] if value is None else value if nested and isinstance(value, list) else [value]


def _fitting(draft: Draft, rows: list[Any], at: int, steps: int, what: str, place: str) -> list[Any] | None:
    if not rows:
        return None
    row = rows[at] if at < len(rows) else None
    if isinstance(row, list) and len(row) == steps:
        return row
    has = len(row) if isinstance(row, list) else "no"
    draft.warnings.append(f"solution {at + 1} has {steps} steps and {has} {what}, which are left out")
    return None


def _label(draft: Draft, leaf: int, labels: list[Any] | None, place: str) -> None:
    """Labels by people beside the scores. Where there is no -1 among them, 0 is wrong; else it is neutral."""
    if not labels:
        return
    graded = -1 in labels
    node = leaf
    for number in reversed(range(len(labels))):
        label = labels[number]
        if label is not None:
            if label not in (-1, 0, 1):
                raise wrong(f"{place}, labels[{number}]", f"{str(label)[:20]!r} is no label; they are -1, 0 and 1")
            draft.score(node, LABELS, (label + 1) / 2 if graded else float(label), place, kind="human")
        node = draft.steps[node].parent
    if draft.scorer is None:
        draft.scorer, draft.select = LABELS, "majority_vote"


def _verdicts(draft: Draft, leaves: list[int], record: Record, place: str) -> None:
    told = next((record[name] for name in ("correct", "is_correct") if record.get(name) is not None), None)
    if isinstance(told, bool) and len(leaves) == 1:
        draft.verdict = told
    verdicts = [told] * len(leaves) if isinstance(told, bool) else told
    if verdicts is None or isinstance(told, bool) and len(leaves) > 1:
        return
    for at, (leaf, verdict) in enumerate(zip(leaves, listed(verdicts, f"{place}, correct"), strict=False)):
        if verdict is not None and not isinstance(verdict, bool):
            raise wrong(f"{place}, correct[{at}]", "write true or false")
        draft.steps[leaf].verdict = verdict
