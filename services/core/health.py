"""Health: what the platform depends on, each asked with a time limit, at most every 2 s."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import BaseModel

Status = Literal["ok", "degraded", "failed"]
ASK_SECONDS = 2.0
AT_MOST_EVERY = 2.0


class DependencyView(BaseModel):
    """One dependency and how it is."""

    name: str
    status: Status
    detail: str
    required: bool


class HealthView(BaseModel):
    """The platform's health. `failed` when something it cannot do without is away."""

    status: Status
    version: str
    dependencies: list[DependencyView]


Check = Callable[[], Awaitable[tuple[Status, str]]]


class Health:
    """The checks of one process; nouns add theirs."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._checks: dict[str, tuple[Check, bool]] = {}
        self._answer: HealthView | None = None
        self._asked = 0.0
        self._lock = asyncio.Lock()

    def add(self, name: str, check: Check, *, required: bool = False) -> None:
        """Ask this too. A required one that fails makes the whole unhealthy."""
        self._checks[name] = (check, required)

    async def view(self) -> HealthView:
        """Ask every dependency at once, or repeat what was found a moment ago."""
        async with self._lock:
            if self._answer is None or time.monotonic() - self._asked > AT_MOST_EVERY:
                names = sorted(self._checks)
                found = await asyncio.gather(*(self._ask(name) for name in names))
                self._answer = HealthView(
                    status=_overall(found), version=self._version, dependencies=found
                )
                self._asked = time.monotonic()
            return self._answer

    async def _ask(self, name: str) -> DependencyView:
        check, required = self._checks[name]
        try:
            status, detail = await asyncio.wait_for(check(), ASK_SECONDS)
        except TimeoutError:
            status, detail = "failed", f"no answer within {ASK_SECONDS:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we wanted to know
            status, detail = "failed", type(error).__name__
        return DependencyView(name=name, status=status, detail=detail, required=required)


def _overall(found: list[DependencyView]) -> Status:
    if any(one.required and one.status == "failed" for one in found):
        return "failed"
    return "ok" if all(one.status == "ok" for one in found) else "degraded"
