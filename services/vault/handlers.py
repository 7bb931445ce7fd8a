"""Routes of the vault, for whoever runs the platform."""

from __future__ import annotations

from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.vault import actions
from services.vault.schemas import RotationCreate, RotationView, VaultView

routes = Routes("vault")


@routes.get("/vault", Permission.VAULT_READ, answer=VaultView)
async def show(call: Call) -> VaultView:
    """Show which keys are in use and how the last rotation went."""
    return await actions.show(call.work)


@routes.post(
    "/vault/rotations",
    Permission.VAULT_MANAGE,
    body=RotationCreate,
    answer=RotationView,
    status=202,
)
async def rotate(call: Call) -> RotationView:
    """Change the master key, or the data key of every sealed value, while all runs on."""
    return await actions.rotate(call.work, call.body(RotationCreate))
