"""HTTP of people and tokens."""

from __future__ import annotations

from services.core.routing import Routes

routes = Routes("people")
