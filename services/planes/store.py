"""SQL of data planes and hardware tiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, insert, select, update

from services.core.database import Transaction
from services.core.errors import NotFound
from services.core.ids import new_id
from services.planes.tables import hardware_tiers, planes

LOCAL = "local"


_PLANE = select(planes).where(planes.c.id == bindparam("plane"))


def plane(tx: Transaction, plane_id: str) -> Row[Any]:
    """Load a plane. Raises NotFound."""
    row = tx.first(_PLANE, {"plane": plane_id})
    if row is None:
        raise NotFound("this data plane does not exist")
    return row


def plane_named(tx: Transaction, name: str) -> Row[Any] | None:
    """Load a plane by its name."""
    return tx.first(select(planes).where(planes.c.name == name))


def insert_plane(tx: Transaction, name: str, kind: str) -> str:
    """Add a plane that nobody serves yet; gives its id."""
    row = {
        "id": new_id(),
        "name": name,
        "kind": kind,
        "isolation": "none",
        "cpu": 0.0,
        "memory": 0,
        "gpu": 0,
        "version": "",
        "instance": "",
        "last_seen_at": None,
        "created_at": tx.now,
    }
    tx.execute(insert(planes).values(row))
    return str(row["id"])


def update_plane(tx: Transaction, plane_id: str, **values: Any) -> None:
    """Write some columns of a plane."""
    tx.execute(update(planes).where(planes.c.id == plane_id).values(**values))


def tiers() -> Select[Any]:
    """Select tiers with their planes' names."""
    return select(hardware_tiers, planes.c.name.label("plane_name")).join(
        planes, planes.c.id == hardware_tiers.c.plane_id
    )


def all_tiers(tx: Transaction) -> Sequence[Row[Any]]:
    """Load every tier, by name."""
    return tx.all(tiers().order_by(hardware_tiers.c.name))


def tier(tx: Transaction, tier_id: str) -> Row[Any]:
    """Load a tier. Raises NotFound."""
    return tx.one(tiers().where(hardware_tiers.c.id == tier_id), "this hardware tier")


_TIER_NAMED = tiers().where(hardware_tiers.c.name == bindparam("tier"))


def tier_named(tx: Transaction, name: str) -> Row[Any] | None:
    """Load a tier by its name."""
    return tx.first(_TIER_NAMED, {"tier": name})


def default_tier(tx: Transaction) -> Row[Any] | None:
    """Load the tier that is taken when none is named."""
    return tx.first(tiers().where(hardware_tiers.c.is_default))


def insert_tier(tx: Transaction, values: dict[str, Any]) -> str:
    """Add a tier; gives its id."""
    row = {"id": new_id(), "created_at": tx.now, "updated_at": tx.now, **values}
    tx.execute(insert(hardware_tiers).values(row))
    return str(row["id"])


def update_tier(tx: Transaction, tier_id: str, values: dict[str, Any]) -> None:
    """Write some columns of a tier."""
    changed = {**values, "updated_at": tx.now}
    tx.execute(update(hardware_tiers).where(hardware_tiers.c.id == tier_id).values(**changed))


def clear_default(tx: Transaction) -> None:
    """Leave no tier as the default one."""
    tx.execute(update(hardware_tiers).values(is_default=False))
