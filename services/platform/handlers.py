"""Health, metrics and the API's own description."""

from __future__ import annotations

import json
import shutil

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.core.health import Health, HealthView
from services.core.metrics import FREE_DISK
from services.core.rights import Permission
from services.core.routing import PREFIX, Call, Routes

routes = Routes("platform", PREFIX)


class ApiDocument:
    """The finished OpenAPI document, made once at start."""

    def __init__(self, document: dict[str, object]) -> None:
        self.text = json.dumps(document)


@routes.get("/health", Permission.PUBLIC, answer=HealthView)
async def health(call: Call) -> HealthView:
    """Say whether the platform and each thing it depends on are well."""
    return await call.context.get(Health).view()


@routes.get("/metrics", Permission.PUBLIC, media_type="text/plain", hidden=True)
async def metrics(call: Call) -> None:
    """Give the Prometheus metrics."""
    FREE_DISK.set(shutil.disk_usage(call.context.settings.root).free)
    call.answer_with(200, {"Content-Type": CONTENT_TYPE_LATEST})
    await call.send(generate_latest())


@routes.get("/api/openapi.json", Permission.PUBLIC, media_type="application/json", hidden=True)
async def openapi(call: Call) -> None:
    """Give the OpenAPI document."""
    call.answer_with(200, {"Content-Type": "application/json"})
    await call.send(call.context.get(ApiDocument).text.encode())
