"""Completions as a tree: common beginnings are drawn once, with one score a step, and what does not fit is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from statistics import median

from engine.store.importers.draft import Draft
from engine.store.importers.fields import listed, wrong

#: What may stand between two steps, the usual one first.
DELIMITERS = ("\n\n", "\n", "ки\n", "ки")
#: Two scores of one step differ by so much if the batches they were computed in rounded differently.
_ROUNDING = 0.05
MISPLACED = "the completions seem to belong to other problems: they have little in common with this one"
_TERMS = re.compile(r"[A-Za-z]{4,}|\d+")
#: How little completions may have in common with each other, and with their problem, before they look misplaced.
_COMMON, _OF_PROBLEM, _FEW, _ALONE = 0.27, 0.6, 0.3, 0.05
_LEAST_TERMS, _LEAST_COMPLETIONS = 6, 4


def grow(
    draft: Draft, completions: Sequence[str], scores: object, place: str, *, independent: bool = False
) -> list[int]:
    """Add completions to a draft; returns the leaf of each. `scores` is a list of scores for each completion, or None.
    `independent`: each was drawn for itself, so a step that several begin with was drawn as often.

    Where scores and steps differ in number, that completion comes in without scores, and the draft has a warning.
    """
    rows: list[list[float | None] | None] = [None] * len(completions)
    if scores is not None:
        given = listed(scores, f"{place}, scores")
        if len(given) != len(completions):
            raise wrong(f"{place}, scores", f"{len(given)} lists for {len(completions)} completions")
        rows = [_row(row, f"{place}, scores[{at}]") for at, row in enumerate(given)]
    delimiter = _delimiter(completions, rows)
    cut = [split(completion, delimiter) for completion in completions]
    leaves: list[int] = []
    repeated = 0
    for at, (steps, row) in enumerate(zip(cut, rows, strict=True)):
        if row is not None and len(row) != len(steps):
            draft.warnings.append(
                f"completions[{at}] has {len(steps)} step{'s' if len(steps) != 1 else ''} and {len(row)} scores, "
                "which are left out"
            )
            row = None
        leaf, differing = chain(draft, steps, row, f"{place}, scores[{at}]", independent=independent)
        repeated += differing
        leaves.append(leaf)
    if repeated:
        draft.warnings.append(
            f"{repeated} repeated step{'s have' if repeated > 1 else ' has'} another score than the first time; "
            "the first is kept"
        )
    if misplaced := _misplaced(draft.problem, completions):
        draft.warnings.append(misplaced)
    return leaves


def split(completion: str, delimiter: str) -> list[str]:
    """The steps, each with the delimiter that ends it: joined, they are the completion."""
    parts = completion.split(delimiter)
    return [*(part + delimiter for part in parts[:-1]), parts[-1]]


def _row(row: object, place: str) -> list[float | None]:
    """The scores of one completion; a single number is that of its last step and stands alone."""
    return [row] if isinstance(row, (int, float)) else listed(row, place)


def _delimiter(completions: Sequence[str], rows: Sequence[list[float | None] | None]) -> str:
    """The delimiter at which steps and scores agree most often."""

    def agreeing(delimiter: str) -> int:
        pairs = zip(completions, rows, strict=True)
        return sum(row is not None and completion.count(delimiter) + 1 == len(row) for completion, row in pairs)

    return max(DELIMITERS, key=agreeing)


def chain(
    draft: Draft, steps: Sequence[str], row: Sequence[object] | None, place: str, *, independent: bool = False
) -> tuple[int, int]:
    """Follow `steps` from the root, adding what is new; returns the leaf and how many scores differ from known ones."""
    node, differing = 0, 0
    for at, step in enumerate(steps):
        node, new = draft.child(node, step)
        if independent and not new and at < len(steps) - 1:
            draft.steps[node].copies += 1
        if row is None or draft.scorer is None:
            continue
        known = draft.steps[node].scores.get(draft.scorer)
        value = draft.score(node, draft.scorer, row[at], f"{place}[{at}]")
        differing += known is not None and value is not None and abs(known.value - value) > _ROUNDING
    if node:
        draft.finish(node)
    return node, differing


def _misplaced(problem: str, completions: Sequence[str]) -> str | None:
    """What to say where completions seem to belong to other problems: they have nearly nothing in common."""
    asked = _terms(problem)
    told = [_terms(completion) for completion in dict.fromkeys(completions)]
    told = [terms for terms in told if terms]
    if len(asked) < 2 or not told:
        return None
    mentioned = sum(len(asked & terms) for terms in told) / (len(asked) * len(told))
    pairs = [len(a & b) / len(a | b) for a, b in combinations(told[:16], 2)]
    if len(told) >= _LEAST_COMPLETIONS:
        strange = median(pairs) < _COMMON and mentioned < _OF_PROBLEM
    else:
        alike = median(pairs) if pairs else 0.0
        strange = len(asked) >= _LEAST_TERMS and mentioned < (_FEW if alike < _COMMON and pairs else _ALONE)
    if not strange:
        return None
    return MISPLACED


def _terms(text: str) -> set[str]:
    return {term.lower() for term in _TERMS.findall(text)}
