"""`python -m services.platform.revise "what changed"`: write the next migration.

For developers: compares the nouns' tables with a fresh database at the newest migration and
puts the difference into `migrations/versions`. Read what it wrote before it is committed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from services.platform.migrate import FOLDER, upgrade


def revise(message: str) -> Path:
    """Write the migration; return its file."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.sqlite"
        count = len(list(ScriptDirectory(str(FOLDER)).walk_revisions()))
        if count:
            upgrade(url)
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["url"] = url
        number = f"{count + 1:04d}"
        script = command.revision(config, message, autogenerate=True, rev_id=number)
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)


if __name__ == "__main__":
    print(revise(sys.argv[1]))  # noqa: T201
