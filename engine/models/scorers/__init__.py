"""Scorers: models that judge steps. One file a family; `local.py` runs them, `protocol.py` says what each offers."""
