"""Scorers: models that judge steps, one file per family. `local.py` runs them."""
