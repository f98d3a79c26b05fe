"""The built-in policies and judges are made here. Nothing that serves a user imports this package."""
