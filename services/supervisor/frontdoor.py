"""The front door's files: Traefik's static configuration and our own routes.

Called by `up` before Traefik starts. The hub writes its own file beside ours
(`routes/hub.toml`); Traefik merges the folder, and a broken file costs only its own routes.
Files are JSON, which Traefik reads as YAML: one serializer, no template, nothing to inject into.
Our routes name the key by which the platform knows the front door, so their file is private.
It never writes the hub's file; it only sets aside one that no longer parses.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

from services.core.door import HEADER, KEY
from services.supervisor.home import Home, write_private
from services.supervisor.keys import secret

LOOPBACK = "127.0.0.1"
PREFIX = "/services/smalti"
# What programs may use at the address 127.0.0.1; pages live on the main host only.
EXPERIMENTS = "/services/mlflow"
EXPERIMENTS_PROGRAM_PATHS = ("/api/", "/v1/", "/health", "/version")
PROGRAM_PATHS = ("/api/", "/git/", "/health", "/metrics")
# Traefik's own priority is the length of the rule. Ours win over every rule of the hub, but the
# redirect of foreign hosts: it is above the hub's rule for everything (15) and below the
# rules of people's own hosts (over 40).
PLATFORM_PRIORITY, LOOPBACK_PRIORITY, OTHER_HOSTS_PRIORITY = 1_000_000, 900_000, 20
DOOR = "smalti-door"
AGAIN, AWAY, INFO = "smalti-again", "smalti-away", "smalti-info"
# Asked once by MLflow's client, without a second try, before anything else.
SERVER_INFO = ("/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info")


def static_config(home: Home, ports: dict[str, int]) -> dict[str, Any]:
    """Build Traefik's static configuration."""
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {
            "http": {
                "address": f"{LOOPBACK}:{ports['frontdoor']}",
                # No read timeout: an upload or a push may last longer than the default 60 s.
                "transport": {
                    "respondingTimeouts": {"readTimeout": "0s"},
                    "lifeCycle": {"graceTimeOut": "1s"},
                },
                # X-Forwarded-* from outside is replaced, never believed; nor are headers that a
                # CGI (git's) would take for another one.
                "forwardedHeaders": {"insecure": False, "trustedIPs": []},
                "http": {"aliasHeadersStrategy": "delete"},
            },
            "auth_api": {
                "address": f"{LOOPBACK}:{ports['traefik_api']}",
                "http": {"aliasHeadersStrategy": "delete"},
            },
        },
        "api": {"dashboard": False},
        "ping": {"entryPoint": "auth_api"},
        "log": {"level": "WARN", "noColor": True},
        "providers": {
            "providersThrottleDuration": "0s",
            "file": {"directory": str(home.path("frontdoor", "routes")), "watch": True},
        },
    }


def routes(ports: dict[str, int], key: str, *, path_only: bool) -> dict[str, Any]:
    """Build our own routes: the platform, and what the loopback address answers.

    Requests to the platform, and no others, show `key`; what a caller sent as such is replaced.
    """
    platform = _service(ports["platform"])
    under_prefix = f"(Path(`{PREFIX}`) || PathPrefix(`{PREFIX}/`))"
    under_experiments = f"(Path(`{EXPERIMENTS}`) || PathPrefix(`{EXPERIMENTS}/`))"
    routers = {
        "smalti-platform": _to_platform(
            under_prefix if path_only else f"Host(`localhost`) && {under_prefix}",
            PLATFORM_PRIORITY,
        ),
        "smalti-experiments": _to_experiments(
            under_experiments if path_only else f"Host(`localhost`) && {under_experiments}",
            PLATFORM_PRIORITY,
        ),
        "smalti-experiments-info": _to_experiments(
            " || ".join(f"Path(`{EXPERIMENTS}{path}`)" for path in SERVER_INFO),
            PLATFORM_PRIORITY + 1,
            away=INFO,
        ),
    }
    config: dict[str, Any] = {
        "routers": routers,
        "middlewares": {
            DOOR: {"headers": {"customRequestHeaders": {HEADER: key}}},
            # While the process is being started again nothing listens: a request that could not
            # be begun is tried again for some seconds. One that was begun never is.
            AGAIN: {"retry": {"attempts": 8, "initialInterval": "100ms"}},
            # After that the platform says in its place that it is away: 503, with a time to
            # come again, where a proxy of its own accord would say 502 and nothing else.
            AWAY: _said_by_platform("away", 503),
            INFO: _said_by_platform("server-info", 200),
        },
        "services": {
            "smalti-platform": platform,
            "smalti-hub": _service(ports["hub"]),
            "smalti-experiments": _service(ports["experiments"]),
        },
    }
    if not path_only:
        routers |= _other_hosts()
        config["middlewares"]["smalti-main-host"] = {
            "redirectRegex": {
                "regex": r"^https?://[^/]+/(.*)$",
                "replacement": f"http://localhost:{ports['frontdoor']}/${{1}}",
            }
        }
    return {"http": config}


def _other_hosts() -> dict[str, Any]:
    """Routes of hosts that are not the main one: programs at the loopback address are served,
    every page (also the hub's, which would answer any host) is sent to the main host."""
    programs = " || ".join(f"PathPrefix(`{PREFIX}{path}`)" for path in PROGRAM_PATHS)
    experiments = " || ".join(
        f"PathPrefix(`{EXPERIMENTS}{path}`)" for path in EXPERIMENTS_PROGRAM_PATHS
    )
    at_loopback = f"Host(`{LOOPBACK}`)"
    return {
        "smalti-loopback-platform": _to_platform(
            f"{at_loopback} && ({programs})", LOOPBACK_PRIORITY
        ),
        "smalti-loopback-hub": _router(
            f"{at_loopback} && (Path(`/hub/api`) || PathPrefix(`/hub/api/`))",
            "smalti-hub",
            LOOPBACK_PRIORITY,
        ),
        "smalti-loopback-experiments": _to_experiments(
            f"{at_loopback} && ({experiments})", LOOPBACK_PRIORITY
        ),
        "smalti-other-hosts": {
            **_router("!Host(`localhost`)", "noop@internal", OTHER_HOSTS_PRIORITY),
            "middlewares": ["smalti-main-host"],
        },
    }


def _to_platform(rule: str, priority: int) -> dict[str, Any]:
    return {**_router(rule, "smalti-platform", priority), "middlewares": [DOOR]}


def _to_experiments(rule: str, priority: int, away: str = AWAY) -> dict[str, Any]:
    return {**_router(rule, "smalti-experiments", priority), "middlewares": [away, AGAIN]}


def _said_by_platform(page: str, status: int) -> dict[str, Any]:
    unreachable = ["502", "504"]
    return {
        "errors": {
            "status": unreachable,
            "service": "smalti-platform",
            "query": f"{PREFIX}/experiments/{page}",
            "statusRewrites": dict.fromkeys(unreachable, status),
        }
    }


def _router(rule: str, service: str, priority: int) -> dict[str, Any]:
    return {"rule": rule, "service": service, "priority": priority, "entryPoints": ["http"]}


def _service(port: int) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": f"http://{LOOPBACK}:{port}"}]}}


def write_files(home: Home, ports: dict[str, int], *, path_only: bool) -> None:
    """Write both files and set aside a hub file that is cut short."""
    write_private(
        home.path("frontdoor", "static.yml"), json.dumps(static_config(home, ports), indent=1)
    )
    write_private(
        home.path("frontdoor", "routes", "smalti.yml"),
        json.dumps(routes(ports, secret(home, KEY), path_only=path_only), indent=1),
    )
    hub_file = home.path("frontdoor", "routes", "hub.toml")
    try:
        tomllib.loads(hub_file.read_text())
    except FileNotFoundError:
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The hub refuses to start on such a file, and writes a new one when there is none.
        hub_file.replace(hub_file.with_suffix(".broken"))
