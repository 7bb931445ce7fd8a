"""Verbs of data planes and hardware tiers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete

from services import people
from services.core import audit, etags, events
from services.core.database import Transaction
from services.core.errors import Conflict, Unprocessable
from services.core.ids import new_id
from services.core.paging import Page, PageQuery, paginate
from services.core.references import References
from services.core.work import Work, context_of, settings_of
from services.planes import store
from services.planes.protocol import Enrolment, EnrolmentAnswer, Hello
from services.planes.schemas import (
    AmountView,
    EnrolmentView,
    HardwareTierCreate,
    HardwareTierUpdate,
    HardwareTierView,
    PlaneCreate,
    PlaneView,
    Toleration,
)
from services.planes.tables import hardware_tiers, planes
from services.planes.usage import Used, used_by_plane

ENROLMENT = timedelta(hours=1)
SEEN_EVERY = timedelta(seconds=10)  # how exact `last_seen_at` is: a poll is not always a write
GiB = 1 << 30

FIRST_TIERS: list[dict[str, Any]] = [
    {"name": "small", "description": "For most things", "cpu": 1.0, "memory": 2 * GiB},
    {"name": "medium", "description": "For training", "cpu": 2.0, "memory": 8 * GiB},
    {"name": "large", "description": "For large training", "cpu": 8.0, "memory": 32 * GiB},
]


def set_up(tx: Transaction) -> None:
    """Make sure that the local plane, its agent's credential and the first tiers exist."""
    row = store.plane_named(tx, store.LOCAL)
    plane_id = row.id if row else store.insert_plane(tx, store.LOCAL, "process")
    people.issue_token(
        tx, kind="agent", principal_id=plane_id, name="local agent", plane_id=plane_id,
        secret=settings_of(tx).secret("agent-local.token"),
    )  # fmt: skip
    if row is None:
        for values in FIRST_TIERS:
            free = {"gpu": 0, "price_per_hour": 0.0, "max_running": None, "idle_minutes": None}
            first = {"is_default": values["name"] == "small", "plane_id": plane_id}
            store.insert_tier(tx, {**values, **free, **first})


# -- planes ------------------------------------------------------------------------------------


async def list_planes(work: Work, query: PageQuery) -> Page[PlaneView]:
    """List data planes by name."""
    return await work.read(_list_planes, query)


def _list_planes(tx: Transaction, query: PageQuery) -> Page[PlaneView]:
    used = used_by_plane(tx)
    return paginate(
        tx, planes.select(), [planes.c.name, planes.c.id], query,
        lambda row: plane_view(tx, row, used), descending=False,
    )  # fmt: skip


async def show_plane(work: Work, plane_id: str) -> PlaneView:
    """Show one data plane."""
    return await work.read(lambda tx: plane_view(tx, store.plane(tx, plane_id), used_by_plane(tx)))


def plane_view(tx: Transaction, row: Row[Any], used: dict[str, Used]) -> PlaneView:
    """Make the view of a plane."""
    taken = used.get(row.id, Used(0.0, 0, 0))
    return PlaneView(
        id=row.id,
        name=row.name,
        kind=row.kind,
        status="connected" if is_connected(tx, row) else "away",
        isolation=row.isolation,
        capacity=AmountView(cpu=row.cpu, memory=row.memory, gpu=row.gpu),
        used=AmountView(cpu=taken.cpu, memory=taken.memory, gpu=taken.gpu),
        version=row.version,
        last_seen_at=row.last_seen_at,
    )


def is_connected(tx: Transaction, row: Row[Any]) -> bool:
    """Tell whether a plane's agent has been heard of lately."""
    silence = timedelta(seconds=settings_of(tx).agent_away)
    return row.last_seen_at is not None and tx.now - row.last_seen_at < silence


async def create_plane(work: Work, body: PlaneCreate) -> PlaneView:
    """Add a data plane; it waits for its agent to be enrolled."""
    return await work.write(_create_plane, body)


def _create_plane(tx: Transaction, body: PlaneCreate) -> PlaneView:
    if store.plane_named(tx, body.name):
        raise Conflict(f"a data plane named {body.name} exists")
    plane_id = store.insert_plane(tx, body.name, "remote")
    audit.record(tx, "plane.create", "plane", plane_id, after={"name": body.name})
    return plane_view(tx, store.plane(tx, plane_id), {})


async def create_enrolment(work: Work, plane_id: str) -> EnrolmentView:
    """Make a single-use token for the plane's agent; agents enrolled before lose theirs."""
    return await work.write(_create_enrolment, plane_id)


def _create_enrolment(tx: Transaction, plane_id: str) -> EnrolmentView:
    plane = store.plane(tx, plane_id)
    if plane.name == store.LOCAL:
        raise Unprocessable("the local plane's agent is set up by the platform itself")
    expires_at = tx.now + ENROLMENT
    token = people.issue_token(
        tx, kind="enrolment", principal_id=new_id(), name=f"enrol {plane.name}",
        plane_id=plane_id, expires_at=expires_at,
    )  # fmt: skip
    audit.record(tx, "plane.enrolment", "plane", plane_id, after={"expires_at": str(expires_at)})
    return EnrolmentView(token=token, expires_at=expires_at)


async def enrol(work: Work, body: Enrolment) -> EnrolmentAnswer:
    """Take an agent's enrolment token and give it its own credential."""
    return await work.write(_enrol, body)


def _enrol(tx: Transaction, body: Enrolment) -> EnrolmentAnswer:
    plane_id = people.consume_enrolment(tx, body.token).plane_id
    assert plane_id is not None, "an enrolment token names its plane"
    plane = store.plane(tx, plane_id)
    people.revoke_tokens(tx, kind="agent", principal_id=plane_id)
    credential = people.issue_token(
        tx, kind="agent", principal_id=plane_id, name=f"agent of {plane.name}", plane_id=plane_id
    )
    audit.record(tx, "plane.enrol", "plane", plane_id, after={"version": body.version})
    return EnrolmentAnswer(plane_id=plane_id, plane=plane.name, credential=credential)


def greet(tx: Transaction, plane_id: str, hello: Hello) -> None:
    """Note what a (re)connecting agent says of itself and its plane."""
    before = store.plane(tx, plane_id)
    values = {
        "isolation": hello.isolation,
        "version": hello.version[:64],
        "instance": hello.instance,
        **hello.capacity.model_dump(),
    }
    store.update_plane(tx, plane_id, last_seen_at=tx.now, **values)
    if any(getattr(before, name) != value for name, value in values.items()):
        events.publish(tx, "plane.changed", plane_id, {"name": before.name, **values})


def is_due(tx: Transaction, plane_id: str) -> bool:
    """Tell whether a sign of life should be written down."""
    seen = store.plane(tx, plane_id).last_seen_at
    return seen is None or tx.now - seen > SEEN_EVERY


def saw(tx: Transaction, plane_id: str) -> None:
    """Note a sign of life."""
    store.update_plane(tx, plane_id, last_seen_at=tx.now)


# -- hardware tiers ------------------------------------------------------------------------------


async def list_tiers(work: Work, query: PageQuery) -> Page[HardwareTierView]:
    """List hardware tiers by name."""
    return await work.read(_list_tiers, query)


def _list_tiers(tx: Transaction, query: PageQuery) -> Page[HardwareTierView]:
    keys = [hardware_tiers.c.name, hardware_tiers.c.id]
    return paginate(tx, store.tiers(), keys, query, tier_view, descending=False)


async def show_tier(work: Work, tier_id: str) -> HardwareTierView:
    """Show one hardware tier."""
    return await work.read(lambda tx: tier_view(store.tier(tx, tier_id)))


def tier_view(row: Row[Any]) -> HardwareTierView:
    """Make the view of a tier."""
    return HardwareTierView(
        id=row.id,
        name=row.name,
        description=row.description,
        cpu=row.cpu,
        memory=row.memory,
        gpu=row.gpu,
        plane=row.plane_name,
        price_per_hour=row.price_per_hour,
        max_running=row.max_running,
        idle_minutes=row.idle_minutes,
        default=row.is_default,
        node_selector=row.node_selector,
        tolerations=row.tolerations,
        gpu_resource=row.gpu_resource,
        shared_memory=row.shared_memory,
    )


async def create_tier(work: Work, body: HardwareTierCreate) -> HardwareTierView:
    """Add a hardware tier."""
    return await work.write(_create_tier, body)


def _create_tier(tx: Transaction, body: HardwareTierCreate) -> HardwareTierView:
    if store.tier_named(tx, body.name):
        raise Conflict(f"a hardware tier named {body.name} exists")
    plane = store.plane_named(tx, body.plane)
    if plane is None:
        raise Unprocessable(f"there is no data plane named {body.plane}")
    if body.default:
        store.clear_default(tx)
    values = {**body.model_dump(exclude={"plane", "default"}), **_tolerations(body.tolerations)}
    tier_id = store.insert_tier(tx, {**values, "plane_id": plane.id, "is_default": body.default})
    view = tier_view(store.tier(tx, tier_id))
    audit.record(tx, "tier.create", "tier", tier_id, after=view.model_dump())
    return view


def _tolerations(given: list[Toleration] | None) -> dict[str, Any]:
    """Make the column of tolerations as manifests have it: what is not said is absent."""
    if given is None:
        return {}
    return {"tolerations": [one.model_dump(exclude_none=True) for one in given]}


async def update_tier(work: Work, tier_id: str, body: HardwareTierUpdate) -> HardwareTierView:
    """Change a hardware tier for work that starts from now on."""
    return await work.write(_update_tier, tier_id, body)


def _update_tier(tx: Transaction, tier_id: str, body: HardwareTierUpdate) -> HardwareTierView:
    before = tier_view(store.tier(tx, tier_id))
    etags.check(tx, before)
    values = body.model_dump(exclude_unset=True)
    for name, value in values.items():
        if value is None and name not in ("max_running", "idle_minutes"):
            raise Unprocessable(f"{name}: cannot be null")
    if "default" in values:
        chosen = values.pop("default")
        if not chosen and before.default:
            raise Unprocessable("one tier is the default: make another one that")
        if chosen:
            store.clear_default(tx)
            values["is_default"] = True
    store.update_tier(tx, tier_id, values | _tolerations(body.tolerations))
    view = tier_view(store.tier(tx, tier_id))
    was, now = before.model_dump(), view.model_dump()
    audit.record(tx, "tier.update", "tier", tier_id, before=was, after=now)
    return view


async def delete_tier(work: Work, tier_id: str) -> None:
    """Take a hardware tier away; refused while something uses it."""
    await work.write(_delete_tier, tier_id)


def _delete_tier(tx: Transaction, tier_id: str) -> None:
    row = store.tier(tx, tier_id)
    if row.is_default:
        raise Conflict("this is the default tier: make another one that first")
    users = [one for one in context_of(tx).get(References).to(tx, "tier", tier_id) if one.live]
    if users:
        raise Conflict(f"used by {users[0].kind} {users[0].name} and {len(users) - 1} more")
    tx.execute(delete(hardware_tiers).where(hardware_tiers.c.id == tier_id))
    audit.record(tx, "tier.delete", "tier", tier_id, before=tier_view(row).model_dump())
