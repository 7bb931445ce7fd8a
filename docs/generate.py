"""Writes the tables of the reference pages from the code, so that they cannot drift from it.

    .venv/bin/python docs/generate.py           # rewrite what stands between the markers
    .venv/bin/python docs/generate.py --check   # exit code 1 when a page is not up to date

A page holds `<!-- generated: NAME -->` and `<!-- end -->` lines; what is between them belongs to
this program (`docs/tables.py` makes it), all else to people. Called by hand and by tests/docs.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import tables  # noqa: E402 - found by the line above

BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.S)


def render(text: str) -> str:
    """Give a page with all its generated parts made anew. KeyError for an unknown name."""
    return BLOCK.sub(lambda match: f"{match[1]}\n{tables.TABLES[match[2]]()}\n{match[3]}", text)


def pages() -> list[Path]:
    """List the pages that may hold generated parts."""
    return sorted((DOCS / "reference").glob("*.md"))


def used() -> set[str]:
    """Name the tables that some page shows."""
    return {match[2] for page in pages() for match in BLOCK.finditer(page.read_text("utf-8"))}


def main(arguments: list[str]) -> int:
    """Rewrite the pages, or only compare."""
    stale = []
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = render(before)
        if after != before:
            stale.append(page.name)
            if "--check" not in arguments:
                page.write_text(after, encoding="utf-8")
    if stale and "--check" in arguments:
        raise SystemExit(f"not up to date: {', '.join(stale)}; run python docs/generate.py")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
