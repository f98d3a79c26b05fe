"""Scorers: models that judge steps. One file a PRM family; `protocol.py` says what each must offer."""
