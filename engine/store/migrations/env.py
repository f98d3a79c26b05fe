"""Alembic: runs the migrations on the connection, and in the transaction, that `engine.store.connect` opened."""

from alembic import context

from engine.store.migrations import VERSION_TABLE
from engine.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
