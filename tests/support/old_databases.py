"""Databases as earlier versions left them, made by their own migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine

import engine.store.migrations as migrations
from engine.store.address import resolve


def upgraded(url: str, revision: str) -> Engine:
    """A database of that revision and no later one."""
    engine = create_engine(resolve(url))
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        command.upgrade(config, revision)
    return engine
