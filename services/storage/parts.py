"""What storage brings into the platform process: the store, the disk's watch, their loops."""

from __future__ import annotations

from services.core.health import Health
from services.core.loops import Loop
from services.core.work import Context, Work
from services.storage.disk import Disk
from services.storage.folder import FolderStore
from services.storage.objects import ObjectStore
from services.storage.retention import Retention, clean_up
from services.storage.rows import register
from services.storage.signing import Signer

LOOK_SECONDS = 3.0
SETTLE_SECONDS = 1.0
CLEAN_UP_SECONDS = 3600.0


def provide(context: Context) -> None:
    """Put the parts in."""
    settings = context.settings
    settings.platform_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk = context.provide(Disk, Disk(settings.platform_folder, settings.low_disk))
    context.get(Health).add("disk", disk.health)
    signer = context.provide(Signer, Signer(settings.secret("signing.key")))
    context.provide(ObjectStore, _store(context, disk, signer))
    register(context.provide(Retention, Retention()))


def _store(context: Context, disk: Disk, signer: Signer) -> ObjectStore:
    settings = context.settings
    if settings.objects == "folder":
        return FolderStore(settings.platform_folder / "objects", disk, signer)
    from services.storage.s3 import S3Store, make_client

    store = S3Store(make_client(settings), settings.s3_bucket, settings.s3_prefix, signer)
    context.get(Health).add("objects", store.health, required=True)
    context.closing.append(store.close)
    return store


async def _look(work: Work) -> None:
    if work.context.get(Disk).look():
        work.context.bus.wake("disk")


async def _settle(work: Work) -> None:
    await work.context.get(ObjectStore).settle()


loops = (
    Loop("disk", _look, LOOK_SECONDS, lease=False),
    Loop("settle", _settle, SETTLE_SECONDS, lease=False),
    Loop("retention", clean_up, CLEAN_UP_SECONDS),
)
