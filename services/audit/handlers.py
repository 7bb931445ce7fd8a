"""The audit trail over HTTP, for those who run the platform."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, cast

from services.audit import actions
from services.audit.schemas import AuditEventView, AuditFilter, AuditQuery, VerificationView
from services.core.paging import Page
from services.core.rights import Permission
from services.core.routing import Call, Routes

routes = Routes("audit")


@routes.get("/audit-events", Permission.AUDIT_READ, query=AuditQuery, answer=Page[AuditEventView])
async def list_events(call: Call) -> Page[AuditEventView]:
    """List what was done, the newest first."""
    return await actions.list_events(call.work, call.query(AuditQuery))


@routes.get(
    "/audit-events/export",
    Permission.AUDIT_READ,
    query=AuditFilter,
    media_type="application/x-ndjson",
)
async def export(call: Call) -> None:
    """Give what was done as JSON lines, the oldest first."""
    wanted = call.query(AuditFilter)
    call.answer_with(
        200,
        {
            "Content-Type": "application/x-ndjson",
            "Content-Disposition": 'attachment; filename="audit-events.jsonl"',
        },
    )
    if call.method == "HEAD":
        return
    async with aclosing(cast("Any", actions.export(call.work, wanted))) as pieces:
        async for piece in pieces:
            await call.send(piece)


@routes.get("/audit-events/verify", Permission.AUDIT_READ, answer=VerificationView)
async def verify(call: Call) -> VerificationView:
    """Walk the chain of hashes and say whether a row was changed or taken away."""
    return await actions.verify(call.work)
