"""Data planes, the agents that serve them, and the hardware tiers they offer.

The names below are looked up when they are first used: an agent's process imports
`services.planes.protocol` and must not load the control plane (SQLAlchemy and all) with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.planes.actions import greet, is_connected, is_due, list_planes, saw, set_up
    from services.planes.schemas import PlaneView
    from services.planes.store import all_tiers, default_tier, plane, tier_named
    from services.planes.usage import Accountant, Used
    from services.planes.wiring import provide

__all__ = [
    "Accountant",
    "PlaneView",
    "Used",
    "all_tiers",
    "default_tier",
    "greet",
    "is_connected",
    "is_due",
    "list_planes",
    "plane",
    "provide",
    "saw",
    "set_up",
    "tier_named",
]

_HOMES = {
    "actions": ("greet", "is_connected", "is_due", "list_planes", "saw", "set_up"),
    "schemas": ("PlaneView",),
    "store": ("all_tiers", "default_tier", "plane", "tier_named"),
    "usage": ("Accountant", "Used"),
    "wiring": ("provide",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"services.planes.{home}"), name)
    raise AttributeError(name)
