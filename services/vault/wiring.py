"""What the vault brings to a platform process: keepers, the check of their keys, health."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Row

from services.core.database import Transaction
from services.core.health import Health, Status
from services.core.loops import Loop
from services.core.settings import Settings
from services.core.work import Context, Work
from services.vault import rotation, store
from services.vault.errors import KeysAway, VaultAway, WrongKey
from services.vault.masters import FileKeys, MasterKeys
from services.vault.vault import Vault

log = logging.getLogger("smalti.vault")

CHECK = b"smalti master key check".ljust(32, b".")
STOCK_SECONDS = 30.0
ROTATION_SECONDS = 10.0


def provide(context: Context) -> None:
    """Put the vault in. It is asked nothing yet."""
    masters = keeper(context.settings, context.settings.vault_keys)
    names = {"file", "kms", "transit"} - {masters.provider}
    others = [keeper(context.settings, name) for name in names if _may_have(context, name)]
    vault = context.provide(Vault, Vault(masters, others, context.bus))
    context.get(Health).add("vault", lambda: _health(context))
    context.closing.append(vault.close)


def keeper(settings: Settings, name: str) -> MasterKeys:
    """Make a keeper out of the settings. Raises WrongKey when they do not name one."""
    secrets = settings.root / "secrets"
    needed = {"kms": "kms_key", "transit": "transit_url"}.get(name)
    if needed is not None and not getattr(settings, needed):
        raise WrongKey(f"The setting vault_keys is {name}: the setting {needed} is needed as well.")
    if name == "kms":
        from services.vault.kms import KmsKeys

        return KmsKeys(
            settings.kms_key, settings.kms_region, settings.kms_endpoint, secrets / "kms.json"
        )
    if name == "transit":
        from services.vault.transit import TransitKeys

        return TransitKeys(
            settings.transit_url,
            settings.transit_mount,
            settings.transit_key,
            secrets / "transit.token",
        )
    return FileKeys(secrets / "vault.key")


def _may_have(context: Context, name: str) -> bool:
    """Tell whether old keys of a keeper that does not wrap now can be reached."""
    settings = context.settings
    named = {"kms": settings.kms_key, "transit": settings.transit_url, "file": "file"}
    return bool(named[name])


def prepare(context: Context) -> None:
    """Check every master key that is in use, and write a new one down, before anything listens.

    Raises WrongKey; nothing has been changed then. A keeper that is away is no wrong key: the
    platform starts without it, and secrets wait for it.
    """
    vault = context.get(Vault)
    known = context.db.read_now(store.living_keys)
    try:
        _check(vault, known)
        _learn(context, vault, known)
    except KeysAway as error:
        log.warning("the vault's master key could not be checked: %s", error)


def _check(vault: Vault, known: list[Row[Any]]) -> None:
    for row in known:
        if vault.unwrap(row.name, row.check) != CHECK:
            raise WrongKey(f"The master key {row.name} is not the one that secrets are sealed with")


def _learn(context: Context, vault: Vault, known: list[Row[Any]]) -> None:
    name = vault.masters.current()
    if name not in {row.name for row in known}:
        name, check = vault.masters.wrap(CHECK)
        context.db.write_now(store.add_key, name, check)


async def learn(work: Work) -> None:
    """Write the present master key down if it is new: after a renewal, or an outage at start."""
    vault = work.context.get(Vault)
    name = await vault.ask(vault.masters.current)
    known = {row.name for row in await work.read(store.living_keys)}
    if name not in known:
        name, check = await vault.ask(vault.masters.wrap, CHECK)
        await work.write(store.add_key, name, check)


async def _stock(work: Work) -> None:
    vault = work.context.get(Vault)
    if vault.masters.local:
        return
    try:
        await learn(work)
        await vault.restock()
    except VaultAway as error:
        log.warning("%s", error.message)


async def _health(context: Context) -> tuple[Status, str]:
    vault = context.get(Vault)
    try:
        name = await vault.ask(vault.masters.current)
    except VaultAway as error:
        return "degraded", error.message
    living = await context.db.read(_living)
    return ("ok" if name in living else "degraded"), f"master key {name}"


def _living(tx: Transaction) -> set[str]:
    return {row.name for row in store.living_keys(tx)}


async def _rotate(work: Work) -> None:
    await rotation.turn(work, learn)


LOOPS = (
    Loop("vault-stock", _stock, STOCK_SECONDS, wakes=("vault",), lease=False),
    Loop("vault-rotation", _rotate, ROTATION_SECONDS, wakes=("vault-rotation",)),
)
