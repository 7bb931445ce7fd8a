"""Whether a file with a secret is for us alone.

Asked wherever a secret's file is read that must not be open. A file of our own is for its owner
only. One that somebody else put there for us, as the kubelet does with a Secret, is lent by its
group: nobody but the container's processes is in it.
"""

from __future__ import annotations

import os
from pathlib import Path


def others_can_read(file: Path) -> bool:
    """Say whether others than we can read or change a file. OSError when it is not there."""
    seen = file.stat()
    lent = seen.st_uid != os.geteuid() and not seen.st_mode & 0o027
    return bool(seen.st_mode & 0o077) and not lent
