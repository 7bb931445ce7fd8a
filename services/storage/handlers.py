"""Signed addresses over HTTP. Nobody signs in here: the address itself is the authority."""

from __future__ import annotations

from services.core.rights import Permission
from services.core.routing import PREFIX, Call, Routes
from services.storage.downloads import answer_with_object
from services.storage.objects import ObjectStore
from services.storage.schemas import StoredView
from services.storage.signing import Signer

routes = Routes("storage", PREFIX)


@routes.get(
    "/objects/{token}", Permission.PUBLIC, media_type="application/octet-stream", hidden=True
)
async def fetch(call: Call) -> None:
    """Give the object of a signed address."""
    address = call.context.get(Signer).read(call.path["token"], "GET")
    await answer_with_object(call, address.key, address.filename, media_type=address.media_type)


@routes.put(
    "/objects/{token}",
    Permission.PUBLIC,
    upload="upload_max",
    answer=StoredView,
    status=201,
    hidden=True,
)
async def keep(call: Call) -> StoredView:
    """Take the object of a signed address."""
    address = call.context.get(Signer).read(call.path["token"], "PUT")
    store = call.context.get(ObjectStore)
    stored = await store.put(address.key, call.stream(), most=address.most)
    return StoredView(size=stored.size, sha256=stored.sha256)
