"""Routes of secrets. No answer holds a value, and no answer is kept for an Idempotency-Key."""

from __future__ import annotations

from services.core.paging import Page
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.secrets import actions
from services.secrets.schemas import SecretCreate, SecretsQuery, SecretUpdate, SecretView

routes = Routes("secrets")


@routes.get("/secrets", Permission.SECRETS_READ, query=SecretsQuery, answer=Page[SecretView])
async def list_secrets(call: Call) -> Page[SecretView]:
    """List the secrets of a project, or the caller's own, without their values."""
    return await actions.list_secrets(call.work, call.query(SecretsQuery))


@routes.post(
    "/secrets",
    Permission.SECRETS_MANAGE,
    body=SecretCreate,
    answer=SecretView,
    status=201,
    keep=False,
)
async def create(call: Call) -> SecretView:
    """Keep a new secret of a project or of the caller."""
    return await actions.create(call.work, call.body(SecretCreate))


@routes.get("/secrets/{id}", Permission.SECRETS_READ, answer=SecretView)
async def show(call: Call) -> SecretView:
    """Show a secret, without its value."""
    return await actions.show(call.work, call.path["id"])


@routes.put("/secrets/{id}", Permission.SECRETS_MANAGE, body=SecretUpdate, answer=SecretView)
async def change(call: Call) -> SecretView:
    """Give a secret a new value."""
    return await actions.change(call.work, call.path["id"], call.body(SecretUpdate))


@routes.delete("/secrets/{id}", Permission.SECRETS_MANAGE)
async def delete(call: Call) -> None:
    """Delete a secret."""
    await actions.delete(call.work, call.path["id"])
