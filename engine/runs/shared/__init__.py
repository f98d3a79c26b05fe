"""Samples and scores shared by the runs of a comparison: one real session of each model, of which each run has a view.

A draw's randomness derives from (run seed, parent path, draw index) and from nothing else, so runs with the same seed
ask for the same draws: best-of-N, the majority and every vote for the same samples, the level searches for at least the
same first steps. Each distinct draw is made once and each distinct step judged once.

Every run is charged as if it ran alone: for all tokens of its draws, and for the positions that sessions of its own
would have computed or reused with a cache that forgets nothing. The actual work is in `cost`. Policies, scorers
and strategies know nothing of this.
"""

from engine.runs.shared.policy import SharedPolicy
from engine.runs.shared.scorer import SharedScorer

__all__ = ["SharedPolicy", "SharedScorer"]
