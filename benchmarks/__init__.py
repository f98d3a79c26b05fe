"""The measurements behind the README's figures. `python -m benchmarks` (what `make bench` runs) runs them all."""
