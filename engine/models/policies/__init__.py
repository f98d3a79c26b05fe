"""Policies: models that propose the next step. One file a back end; `protocol.py` says what each must offer."""
