"""search-and-learn `*_completions.jsonl`: a problem a line, N completions and a score for every step of each.

The completions of a beam search share their beginnings, so that their tree comes back: a step that several completions
begin with is one node. What the search pruned is not in the file. Best-of-N files have the same fields; they count the
tokens of each completion, which the beam searches do not.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.store.importers.completions import grow
from engine.store.importers.draft import UNNAMED_POLICY, UNNAMED_SCORER, Draft
from engine.store.importers.fields import Record, count, listed, maybe_text, text, wrong

NAME = "search-and-learn completions"
#: The share of steps that completions have in common from which they are taken for a beam search's.
_SHARED = 0.1


def recognises(record: Record) -> bool:
    return isinstance(record.get("completions"), list) and "agg_scores" in record and "scores" in record


def runs(record: Record, place: str) -> Iterator[Draft]:
    completions = listed(record["completions"], f"{place}, completions")
    for at, completion in enumerate(completions):
        if not isinstance(completion, str):
            raise wrong(f"{place}, completions[{at}]", "a text is missing here")
    tokens = record.get("completion_tokens")
    counted = sum(map(count, tokens)) if isinstance(tokens, list) else 0
    draft = Draft(
        text(record, "problem", place), maybe_text(record, "answer"), strategy="beam_search",
        policy=maybe_text(record, "model") or UNNAMED_POLICY, scorer=maybe_text(record, "prm") or UNNAMED_SCORER,
        params={"n": len(completions)}, usage={"generated_tokens": counted},
    )  # fmt: skip
    grow(draft, completions, record["scores"], place, independent=counted > 0)
    if counted or not _shares(draft, completions):
        draft.strategy = "best_of_n"
    yield draft


def _shares(draft: Draft, completions: list[str]) -> bool:
    """Whether completions have beginnings in common, as beams have."""
    steps = sum(completion.count("\n\n") + 1 for completion in completions)
    return len(draft.steps) - 1 <= (1 - _SHARED) * steps
