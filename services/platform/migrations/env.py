"""Alembic's entry: runs the migrations of all nouns' tables on the URL it is given."""

from __future__ import annotations

from alembic import context

from services.core.database import metadata, one_off_engine
from services.platform import nouns

nouns.nouns()  # importing the nouns puts their tables on the metadata


def run() -> None:
    """Run within one transaction, so that a failed migration leaves nothing behind."""
    engine = one_off_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            user_module_prefix="columns.",
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
