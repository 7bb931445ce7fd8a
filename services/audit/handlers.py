"""The audit trail over HTTP, for those who run the platform."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, cast

from services.audit import actions
from services.audit.forms import FORMS
from services.audit.schemas import AuditEventView, AuditExport, AuditQuery, VerificationView
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
    query=AuditExport,
    media_type="application/x-ndjson",
    other_media_type="text/csv",
)
async def export(call: Call) -> None:
    """Give what was done as JSON lines or as CSV, the oldest first."""
    wanted = call.query(AuditExport)
    form = FORMS[wanted.format]
    call.answer_with(
        200,
        {
            "Content-Type": form.media_type,
            "Content-Disposition": f'attachment; filename="audit-events.{form.ending}"',
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
