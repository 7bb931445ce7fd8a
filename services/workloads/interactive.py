"""What only sessions have: an address, activity, a lease, a time at which they end by themselves.

Called by `engine` for what agents report, by the noun of sessions for leases, and by `idle`.
All of it is part of somebody's transaction; nothing here waits for anything.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from services.core.database import Transaction
from services.core.settings import Settings, parse_networks
from services.planes.protocol import RunReport
from services.workloads import idle_rules, store
from services.workloads.idle_rules import Limits
from services.workloads.rules import Status

SESSION = "session"
_ADDRESS = re.compile(r"http://(?:\[([0-9a-f:.]{2,39})\]|([0-9.]{7,15})):[1-9][0-9]{0,4}")


def may_lead_to(address: str, networks: str) -> bool:
    """Tell whether the front door may be led to an address that an agent reports.

    No agent may have it lead anywhere but where sessions are: the machine itself, or a cluster's
    own addresses (`Settings.session_networks`). Names are not taken: who answers could change.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return False
    try:
        ip = ipaddress.ip_address(found[1] or found[2])
    except ValueError:
        return False
    return any(ip in network for network in parse_networks(networks)) and not ip.is_link_local


def told(row: Row[Any], report: RunReport, now: datetime, networks: str) -> dict[str, Any]:
    """Say what a report of the present attempt tells anew of a session."""
    if row.kind != SESSION:
        return {}
    values: dict[str, Any] = {}
    address = report.address
    if address is not None and address != row.address and may_lead_to(address, networks):
        values["address"] = address
    activity = report.activity
    if activity is not None:
        values |= {
            "activity_at": max(min(activity.last, now), row.activity_at or activity.last),
            "activity_told_at": now,
            "busy": activity.busy,
            "connections": activity.connections,
        }
    return values


def limits_of(row: Any, settings: Settings) -> Limits:
    """Give the times after which a session is ended."""
    return Limits(row.idle_seconds or 0.0, settings.session_forgotten, settings.session_warning)


def end_of(row: Any, settings: Settings) -> datetime | None:
    """When a running session is ended if nothing more happens in it."""
    if Status(row.status) is not Status.RUNNING:
        return None
    return idle_rules.end_of(idle_rules.quiet_of(row), limits_of(row, settings))


def keep(tx: Transaction, row: Row[Any], until: datetime | None) -> None:
    """Keep a session from being ended until a time; None gives the lease back."""
    store.change(tx, row.id, keep_until=until, warned_of=None)
