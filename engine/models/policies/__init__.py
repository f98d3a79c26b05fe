"""Policies: models that propose the next step, one file per back end."""
