"""The hub's own database and what it keeps running through a restart.

The hub is not important to what runs: servers and the front door outlive it.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

import jupyterhub
from alembic.script import ScriptDirectory

from hub_config.settings import LOOPBACK, HubSettings

EX_CONFIG = 78  # sysexits.h: the supervisor passes our sentence on and does not try again
NEWER = "The hub's database was written by a newer Smalti: update Smalti, or restore a backup."


def refuse_newer(database: Path) -> None:
    """End the hub with one sentence when its database is of a revision that it does not know.

    JupyterHub itself would make a backup and fail with a trace, at every try.
    """
    if not database.exists():
        return
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:  # not yet made, or older than such a table
        return
    finally:
        connection.close()
    scripts = ScriptDirectory(str(Path(jupyterhub.__file__).with_name("alembic")))
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found[0] not in known:
        sys.stderr.write(f"{NEWER}\n")
        sys.exit(EX_CONFIG)


def configure(c: Any, settings: HubSettings) -> None:
    """Set the database, the addresses and the clean-up rules."""
    database = settings.home / "hub" / "jupyterhub.sqlite"
    refuse_newer(database)
    c.JupyterHub.db_url = f"sqlite:///{database}"
    # The supervisor starts us only after an update was asked for; without this the hub refuses
    # to open a database of an older JupyterHub. It copies the file before it changes it.
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.cookie_secret_file = str(settings.home / "secrets" / "hub_cookie_secret")
    c.JupyterHub.hub_bind_url = f"http://{LOOPBACK}:{settings.ports['hub']}"
    c.JupyterHub.bind_url = f"http://{LOOPBACK}:{settings.ports['frontdoor']}/"
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.log_level = "INFO"
    c.JupyterHub.log_datefmt = "%Y-%m-%dT%H:%M:%S%z"
