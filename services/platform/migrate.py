"""The database's schema: made at the first start, moved on by alembic at later ones.

Before a migration of a SQLite database a copy of it is put into `backups/`. A database that a
newer Smalti wrote is refused before anything touches it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.core.database import one_off_engine
from services.core.settings import Settings

FOLDER = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """The database was written by a newer Smalti than this one."""


def migrate(settings: Settings) -> None:
    """Bring the database to this version's schema. Raises NewerDatabase."""
    settings.platform_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    script = ScriptDirectory(str(FOLDER))
    current = _revision(settings.database)
    if current == script.get_current_head():
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise NewerDatabase(
            "The database was written by a newer Smalti: update Smalti, or restore a backup."
        )
    if current is not None and settings.database.startswith("sqlite"):
        back_up(settings)
    upgrade(settings.database)


def upgrade(url: str) -> None:
    """Run the migrations on a database, up to the newest."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def back_up(settings: Settings) -> Path:
    """Copy the SQLite database, as it is while others may use it, into `backups/`."""
    folder = settings.root / "backups"
    folder.mkdir(exist_ok=True, mode=0o700)
    name = datetime.now(UTC).strftime("platform-%Y%m%dT%H%M%S.%fZ.sqlite")
    source = settings.platform_folder / "platform.sqlite"
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(folder / name)) as copy:
        live.backup(copy)
    (folder / name).chmod(0o600)
    return folder / name


def _revision(url: str) -> str | None:
    engine = one_off_engine(url)
    with engine.connect() as connection:
        revision: str | None = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return revision
