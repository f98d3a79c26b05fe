"""How long the fuzzing here goes on: as an ordinary test a fixed, small number of examples, always the same ones; with
FUZZ=long (`make fuzz`) many more, and others each time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_ODD = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

settings.register_profile(
    "suite", max_examples=12, derandomize=True, database=None, deadline=None, suppress_health_check=_ODD
)
settings.register_profile(
    "long",
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "200")),
    deadline=None,
    print_blob=True,
    suppress_health_check=_ODD,
)
settings.load_profile("long" if os.environ.get("FUZZ") == "long" else "suite")
