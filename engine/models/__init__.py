"""Policies and process reward models: how they are found, loaded, prompted, decoded and scored.

Nothing here knows a strategy, a database or a page.
"""
