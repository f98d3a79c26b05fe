"""Evidence for the lab's statistics, written by hand: runs whose steps and paths have the scores that a test gives."""

from __future__ import annotations

from collections.abc import Sequence

from engine.runs.lab.evidence import Evidence, RunEvidence, ScoredPath, ScoredStep
from engine.search.truth import Verdict

_LETTERS: dict[str, Verdict] = {"r": "right", "w": "wrong", "a": "after"}


def path(
    leaf: int, scores: Sequence[float], verdicts: str = "", *, correct: bool | None = None, tokens: int = 10,
    copies: int = 1, answer: str | None = None,
) -> ScoredPath:  # fmt: skip
    """A path with these scores; `verdicts` is a letter a step (r right, w wrong, a after), right where it is empty."""
    steps = tuple(
        ScoredStep(
            leaf * 100 + place, place + 1, tokens, tokens * (place + 1), score, scores[place - 1] if place else None,
            _LETTERS[verdict], None, f"step {place + 1} of {leaf}",
        )
        for place, (score, verdict) in enumerate(zip(scores, verdicts or "r" * len(scores), strict=True))
    )  # fmt: skip
    ended = correct if correct is not None else "w" not in verdicts
    given = answer or ("right" if ended else f"wrong {leaf}")
    return ScoredPath(leaf, steps, tokens * len(scores), copies, ended, given)


def run(problem: str, *paths: ScoredPath, seed: int = 0) -> RunEvidence:
    steps = tuple(step for each in paths for step in each.steps)
    return RunEvidence(f"run of {problem}", problem, "policy", None, ("policy", str(seed)), steps, paths)


def evidence(*runs: RunEvidence, judge: str = "judge") -> Evidence:
    return Evidence(judge, runs, len(runs))
