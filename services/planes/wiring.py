"""What planes bring to a platform process: the health of each plane."""

from __future__ import annotations

from services.core.database import Transaction
from services.core.health import Health, Status
from services.core.work import Context, Work
from services.planes.actions import is_connected
from services.planes.tables import planes


def provide(context: Context) -> None:
    """Have health ask after the planes."""
    context.get(Health).add("planes", lambda: _health(context))


async def _health(context: Context) -> tuple[Status, str]:
    found = await Work(context).read(_planes)
    away = [name for name, connected, _ in found if not connected]
    parts = [
        f"{name}: {'connected' if connected else 'away'}, isolation {isolation}"
        for name, connected, isolation in found
    ]
    return "degraded" if away else "ok", "; ".join(parts)


def _planes(tx: Transaction) -> list[tuple[str, bool, str]]:
    rows = tx.all(planes.select().order_by(planes.c.name))
    return [(row.name, is_connected(tx, row), row.isolation) for row in rows]
