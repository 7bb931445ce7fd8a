"""Routes of data planes, their enrolment, and hardware tiers."""

from __future__ import annotations

from services.core.paging import Page, PageQuery
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.planes import actions
from services.planes.protocol import Enrolment, EnrolmentAnswer
from services.planes.schemas import (
    EnrolmentView,
    HardwareTierCreate,
    HardwareTierUpdate,
    HardwareTierView,
    PlaneCreate,
    PlaneView,
)

routes = Routes("planes")


@routes.get("/planes", Permission.PLANES_READ, query=PageQuery, answer=Page[PlaneView])
async def list_planes(call: Call) -> Page[PlaneView]:
    """List data planes."""
    return await actions.list_planes(call.work, call.query(PageQuery))


@routes.post("/planes", Permission.PLANES_MANAGE, body=PlaneCreate, answer=PlaneView, status=201)
async def create_plane(call: Call) -> PlaneView:
    """Add a data plane."""
    return await actions.create_plane(call.work, call.body(PlaneCreate))


@routes.get("/planes/{id}", Permission.PLANES_READ, answer=PlaneView)
async def show_plane(call: Call) -> PlaneView:
    """Show a data plane."""
    return await actions.show_plane(call.work, call.path["id"])


@routes.post(
    "/planes/{id}/enrolments",
    Permission.PLANES_MANAGE,
    answer=EnrolmentView,
    status=201,
    keep=False,
)
async def create_enrolment(call: Call) -> EnrolmentView:
    """Make a single-use token for an agent of the plane."""
    return await actions.create_enrolment(call.work, call.path["id"])


@routes.post(
    "/agents/enrol",
    Permission.AGENT_ENROL,
    body=Enrolment,
    answer=EnrolmentAnswer,
    keep=False,
    hidden=True,
)
async def enrol(call: Call) -> EnrolmentAnswer:
    """Exchange an enrolment token for an agent's credential."""
    return await actions.enrol(call.work, call.body(Enrolment))


@routes.get(
    "/hardware-tiers", Permission.TIERS_READ, query=PageQuery, answer=Page[HardwareTierView]
)
async def list_tiers(call: Call) -> Page[HardwareTierView]:
    """List hardware tiers."""
    return await actions.list_tiers(call.work, call.query(PageQuery))


@routes.post(
    "/hardware-tiers",
    Permission.TIERS_MANAGE,
    body=HardwareTierCreate,
    answer=HardwareTierView,
    status=201,
)
async def create_tier(call: Call) -> HardwareTierView:
    """Add a hardware tier."""
    return await actions.create_tier(call.work, call.body(HardwareTierCreate))


@routes.get("/hardware-tiers/{id}", Permission.TIERS_READ, answer=HardwareTierView, etag=True)
async def show_tier(call: Call) -> HardwareTierView:
    """Show a hardware tier."""
    return await actions.show_tier(call.work, call.path["id"])


@routes.patch(
    "/hardware-tiers/{id}",
    Permission.TIERS_MANAGE,
    body=HardwareTierUpdate,
    answer=HardwareTierView,
    etag=True,
)
async def update_tier(call: Call) -> HardwareTierView:
    """Change a hardware tier."""
    return await actions.update_tier(call.work, call.path["id"], call.body(HardwareTierUpdate))


@routes.delete("/hardware-tiers/{id}", Permission.TIERS_MANAGE)
async def delete_tier(call: Call) -> None:
    """Take a hardware tier away."""
    await actions.delete_tier(call.work, call.path["id"])
