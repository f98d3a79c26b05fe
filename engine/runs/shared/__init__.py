"""Samples and scores shared by the runs of a comparison: one real session of each model, and each run a view of it.

A draw's randomness derives from (run seed, parent path, draw index) and from nothing else, so runs of one seed ask for
the same draws: best-of-N, the majority and every vote for the same samples, the level searches at least for the same
first steps. Each distinct draw is made once and each distinct step judged once, whoever asks first.

Every run is charged as if it were alone: for all tokens of its draws, and for the positions that sessions of its own,
with a cache that forgets nothing, would have computed or reused. What was really done is in `cost`. Policies, scorers
and strategies know nothing of this.
"""

from engine.runs.shared.policy import SharedPolicy
from engine.runs.shared.scorer import SharedScorer

__all__ = ["SharedPolicy", "SharedScorer"]
