"""`python -m smalti`: the same as the command `smalti`, where that is not on the PATH."""

from __future__ import annotations

from smalti.cli import main

if __name__ == "__main__":
    main()
