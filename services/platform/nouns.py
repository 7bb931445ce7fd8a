"""The one list of what the platform is made of: each noun's routes, parts, loops and checks.

Order matters for parts only: a noun may take out what those before it have put in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.core.loops import Loop
from services.core.routing import Routes
from services.core.work import Context


@dataclass(frozen=True)
class Noun:
    """What one noun brings to the process."""

    name: str
    routes: Routes | None = None
    provide: Callable[[Context], None] | None = None
    loops: tuple[Loop, ...] = ()


def nouns() -> list[Noun]:
    """List all nouns, lowest tier first."""
    from services.platform import handlers

    return [
        Noun("platform", routes=handlers.routes),
    ]
