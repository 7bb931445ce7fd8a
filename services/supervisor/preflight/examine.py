"""The order in which a cluster is examined, and the one answer that ends it: no cluster at all.

Called by `cli`. Each room of this package adds its findings; none of them raises.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.supervisor.preflight import cluster, outside, rights
from services.supervisor.preflight.findings import Finding, bad
from services.supervisor.preflight.values import Values
from spawners.kubernetes.access import Access
from spawners.kubernetes.api import Api, Refusal, Unreachable


async def examine(access: Access, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Yield what was found out, one thing after another."""
    api = Api(access)
    try:
        try:
            yield await cluster.version(api)
        except (Refusal, Unreachable) as error:
            yield bad(
                f"the cluster at {access.server} cannot be asked: {error}",
                "look at KUBECONFIG and its context: `kubectl version` must answer",
            )
            return
        for look in (rights.look, cluster.namespaces, cluster.storage, cluster.ingress,
                     cluster.secrets, outside.database, outside.objects):  # fmt: skip
            async for finding in look(api, values, namespace):
                yield finding
        for finding in await outside.names(values):
            yield finding
    finally:
        await api.close()
