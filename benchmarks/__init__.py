"""The measurements behind the README's figures. `python -m benchmarks` (what `make bench` runs) runs them all."""

from importlib import import_module

import_module("engine.models")  # as in the product: how threads wait is decided before torch is imported
