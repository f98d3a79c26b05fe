"""Alembic migrations, run by `engine.store.connect` when a database is opened.

A new revision is a file in `versions/`, written by hand; `HEAD` follows it. A revision may move what was
recorded, but never loses it.
"""

#: The newest revision: a database that has it is opened without loading Alembic at all.
HEAD = "0010"

#: Not Alembic's own default name, so that a PostgreSQL database can be shared with other programs.
VERSION_TABLE = "tts_ui_version"
