"""The documentation as tests see it: its pages and the generator's modules."""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
sys.path.insert(0, str(DOCS))


def all_pages() -> list[Path]:
    """Every page of Markdown that people read."""
    found = [*DOCS.rglob("*.md"), *REPOSITORY.glob("*.md")]
    found += [*(REPOSITORY / "examples").rglob("*.md"), *(REPOSITORY / "images").rglob("*.md")]
    return sorted(found)


def read(page: str) -> str:
    """Text of a page, named from the top of the repository."""
    return (REPOSITORY / page).read_text(encoding="utf-8")
