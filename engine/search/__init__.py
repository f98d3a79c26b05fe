"""The idea of the product: a search as an event log, its tree, what a strategy may do, and what it costs.

No model, no database and no user interface is known here. What a search needs from outside (a policy, a scorer, a
domain) is written down as protocols; the strategies are one file each in `strategies/`.
"""

from engine.search.search import Search

__all__ = ["Search"]
