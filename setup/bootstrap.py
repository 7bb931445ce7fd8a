"""First thing that `make` runs: any Python 3, nothing installed.

It refuses a Python that is too old and hands over to `make_environment` and `make_console`, which
may use new syntax and work side by side. Nothing here may import anything but the standard library.
"""

import os
import shutil
import sys

NEEDED = (3, 11)


def main():  # type: ignore[no-untyped-def]
    """Find a Python that is new enough, then set up the environment. An old one must read this."""
    if shutil.which("git") is None:
        sys.exit("Smalti needs git, which is not installed (or not on PATH).")
    if sys.version_info < NEEDED:
        for minor in (14, 13, 12, 11):
            newer = shutil.which("python3.%d" % minor)  # noqa: UP031
            if newer:
                os.execv(newer, [newer] + sys.argv)  # noqa: RUF005, S606
        sys.exit(
            "Smalti needs Python 3.11 or newer; this is Python %d.%d. Install one, or name it: "  # noqa: UP031
            "make up PYTHON=/path/to/python3.12" % sys.version_info[:2]
        )
    import make_console
    import make_environment

    # A start does not wait for ever for the console; tests need it.
    patience = None if "--group" in sys.argv else make_console.PATIENCE
    with make_console.beside(patience):
        make_environment.main(sys.argv[1:])


if __name__ == "__main__":
    main()  # type: ignore[no-untyped-call]
