"""The record of every search: tables, the recorder that fills them, and the queries that read them back.

The search itself knows nothing of this package; it hands its events to `Store.record`. Everything else (the app, the
command line, exports) reads what was committed, never what is pending.
"""

from engine.store.records import ComparisonRecord, RunRecord, ScoringRecord
from engine.store.store import Store

__all__ = ["ComparisonRecord", "RunRecord", "ScoringRecord", "Store"]
