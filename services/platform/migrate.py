"""The database's schema: made at the first start, moved on by alembic at later ones.

Before a migration of a SQLite database a copy of it is put into `backups/`. A database that a
newer Smalti wrote is refused before anything touches it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from services.core.database import one_off_engine
from services.core.settings import Settings

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x536D616C7469  # "Smalti", as the number of an advisory lock


class NewerDatabase(Exception):
    """The database was written by a newer Smalti than this one."""


class DatabaseAway(Exception):
    """The database's server does not answer, or lets nobody in; the text says which and where."""


def migrate(settings: Settings) -> None:
    """Bring the database to this version's schema. Raises NewerDatabase, DatabaseAway."""
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
    """Run the migrations on a database, up to the newest; of several processes one does it."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = url
    with _alone(url):
        command.upgrade(config, "head")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Keep other platform processes from migrating at once. SQLite's have a supervisor."""
    if url.startswith("sqlite"):
        yield
        return
    engine = one_off_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            yield
    finally:
        engine.dispose()


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
    try:
        with engine.connect() as connection:
            revision: str | None = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        shown = make_url(url)
        why = " ".join(str(error.orig).split())
        raise DatabaseAway(
            f"The database {shown.database} at {shown.host}:{shown.port or 5432} cannot be used: "
            f"{why}"
        ) from None
    finally:
        engine.dispose()
    return revision
