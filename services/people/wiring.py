"""Puts the parts of people into the process: the hub's API and the two kinds of tokens."""

from __future__ import annotations

from services.core.auth.hub import HubApi, HubTokens
from services.core.auth.resolver import Resolver
from services.core.health import Health, Status
from services.core.work import Context
from services.people.sources import HubPeople, OwnTokens


def provide(context: Context) -> None:
    """Let the resolver know our tokens and, for all others, the hub."""
    api = context.provide(HubApi, HubApi(context.settings))
    context.closing.append(api.close)
    own = context.provide(OwnTokens, OwnTokens(context))
    resolver = context.get(Resolver)
    resolver.add(own)
    resolver.add(HubTokens(api, HubPeople(context).actor))

    async def ask_hub() -> tuple[Status, str]:
        status, answer = await api.ask("GET", "/")
        version = answer.get("version", "") if isinstance(answer, dict) else ""
        return ("ok", f"JupyterHub {version}") if status == 200 else ("failed", f"status {status}")

    context.get(Health).add("hub", ask_hub)
