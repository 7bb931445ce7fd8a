"""The migrations make exactly the tables that the nouns declare, on both databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.core.database import metadata, one_off_engine
from services.core.settings import Settings
from services.platform.migrate import NewerDatabase, migrate, upgrade
from services.platform.nouns import nouns


def test_migrations_lead_to_the_tables_that_are_declared(database_url: str) -> None:
    nouns()
    upgrade(database_url)
    engine = one_off_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def settings_in(folder: Path) -> Settings:
    """Make settings of an empty state folder."""
    return Settings(home=str(folder))


def test_the_first_start_makes_the_database_and_the_second_changes_nothing(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    file = settings.platform_folder / "platform.sqlite"
    before = file.read_bytes()
    migrate(settings)
    assert file.read_bytes() == before
    assert not (tmp_path / "backups").exists()


def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    file = settings.platform_folder / "platform.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = file.read_bytes()
    with pytest.raises(NewerDatabase, match="newer Smalti"):
        migrate(settings)
    assert file.read_bytes() == before
