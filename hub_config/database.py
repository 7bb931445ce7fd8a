"""The hub's own database and what it keeps running through a restart.

The hub is not important to what runs: servers and the front door outlive it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jupyterhub
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from hub_config.settings import LOOPBACK, HubSettings

EX_CONFIG = 78  # sysexits.h: the supervisor passes our sentence on and does not try again
NEWER = "The hub's database was written by a newer Smalti: update Smalti, or restore a backup."


def refuse_newer(url: str) -> None:
    """End the hub with one sentence when its database is of a revision that it does not know.

    JupyterHub itself would make a backup and fail with a trace, at every try. A server that does
    not answer is one sentence too, and is worth another try.
    """
    found = _revision(url)
    scripts = ScriptDirectory(str(Path(jupyterhub.__file__).with_name("alembic")))
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        sys.stderr.write(f"{NEWER}\n")
        sys.exit(EX_CONFIG)


def _revision(url: str) -> str | None:
    """Read the database's revision; None of one that is not yet made."""
    named = make_url(url)
    if named.get_backend_name() == "sqlite":
        if not Path(str(named.database)).exists():
            return None
        named = named.set(database=f"file:{named.database}", query={"mode": "ro", "uri": "true"})
    engine = create_engine(named, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        why = " ".join(str(error.orig).split())
        sys.stderr.write(f"The hub's database {named.database} cannot be used: {why}\n")
        sys.exit(1)
    finally:
        engine.dispose()


def configure(c: Any, settings: HubSettings) -> None:
    """Set the database, the addresses and the clean-up rules."""
    refuse_newer(settings.database_url)
    c.JupyterHub.db_url = settings.database_url
    # The supervisor starts us only after an update was asked for; without this the hub refuses
    # to open a database of an older JupyterHub. It copies the file before it changes it.
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.cookie_secret_file = str(settings.home / "secrets" / "hub_cookie_secret")
    listen = settings.places.get("listen", LOOPBACK)
    c.JupyterHub.hub_bind_url = f"http://{listen}:{settings.ports['hub']}"
    if settings.spread:
        c.JupyterHub.hub_connect_url = settings.url("hub")
    c.JupyterHub.bind_url = f"http://{LOOPBACK}:{settings.ports['frontdoor']}/"
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.log_level = "INFO"
    c.JupyterHub.log_datefmt = "%Y-%m-%dT%H:%M:%S%z"
