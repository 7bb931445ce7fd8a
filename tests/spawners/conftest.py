"""Yards for tests of the process runtime; what this machine lacks is skipped with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from spawners.runtime import RuntimeFailure
from tests.spawners.yard import Yard

MakeYard = Callable[..., Awaitable[Yard]]


@pytest.fixture
async def make_yard(tmp_path: Path) -> AsyncIterator[MakeYard]:
    """Make yards that are cleared at the end; a wish the machine cannot meet skips the test."""
    made: list[Yard] = []

    async def make(**settings: Any) -> Yard:
        yard = Yard(tmp_path / f"yard{len(made)}", **settings)
        try:
            await yard.open()
        except RuntimeFailure as error:
            pytest.skip(f"this machine cannot do it: {error}")
        made.append(yard)
        wish = settings.get("groups", "auto")
        if wish in ("v1", "v2") and yard.runtime.limits_by != wish:
            pytest.skip(f"control groups of version {wish[1:]} are not writable here")
        return yard

    yield make
    for yard in made:
        await yard.clear()


@pytest.fixture
async def yard(make_yard: MakeYard) -> Yard:
    """A yard with the strongest isolation and limits of this machine."""
    return await make_yard()
