"""Policies and process reward models: how they are found, loaded, prompted, decoded and scored.

Nothing here knows a strategy, a database or a page. All of the app, the command line and the library that needs torch
is in this package, so what must be decided before torch is imported is decided here.
"""

import os

#: How OpenMP's threads wait for each other is the user's business if one of these is set.
_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")

if not any(name in os.environ for name in _WAITING):
    # Threads meet some 200 times per pass. If they spin there, each wastes a whole time slice whenever its partner is
    # descheduled: one busy neighbour made decoding five times slower. OpenMP reads this once, when torch loads it.
    os.environ["OMP_WAIT_POLICY"] = "passive"
