"""The front door's files: Traefik's static configuration and our own routes.

Called by `up` and `alone` before Traefik starts. The hub writes its own file beside ours
(`routes/hub.toml`); Traefik merges the folder, and a broken file costs only its own routes. On a
cluster, where hub and front door share no folder, Traefik asks the hub for its routes.
Files are JSON, which Traefik reads as YAML: one serializer, no template, nothing to inject into.
Our routes name the key by which the platform knows the front door, so their file is private.
It never writes the hub's file; it only sets aside one that no longer parses.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tomllib
from typing import Any

from services.core.door import HEADER, KEY
from services.core.places import Places, load_places
from services.supervisor.home import Home, write_private
from services.supervisor.keys import secret

LOOPBACK = "127.0.0.1"
HERE = Places()
# Where the hub hands out its routes to a front door that is elsewhere, and how often it is asked.
HUB_ROUTES, ASKED_EVERY = "/hub/frontdoor-routes", "300ms"
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
API_USER = "hub"


def static_config(home: Home, ports: dict[str, int], places: Places = HERE) -> dict[str, Any]:
    """Build Traefik's static configuration."""
    providers: dict[str, Any] = {
        "providersThrottleDuration": "0s",
        "file": {"directory": str(home.path("frontdoor", "routes")), "watch": True},
    }
    if places.spread:
        # While the hub is away, Traefik goes on with what it was told last.
        key = secret(home, "traefik_api_password")
        providers["http"] = {
            "endpoint": places.url("hub", ports) + HUB_ROUTES,
            "pollInterval": ASKED_EVERY,
            "headers": {"Authorization": f"Bearer {key}"},
        }
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {
            "http": {
                "address": f"{places.listen}:{ports['frontdoor']}",
                # No read timeout: an upload or a push may last longer than the default 60 s.
                "transport": {
                    "respondingTimeouts": {"readTimeout": "0s"},
                    "lifeCycle": {"graceTimeOut": "1s"},
                },
                # X-Forwarded-* from outside is replaced, never believed; nor are headers that a
                # CGI (git's) would take for another one.
                "forwardedHeaders": {
                    "insecure": False,
                    "trustedIPs": list(places.trusted_proxies),
                },
                "http": {"aliasHeadersStrategy": "delete"},
            },
            "auth_api": {
                "address": f"{places.listen}:{ports['traefik_api']}",
                "http": {"aliasHeadersStrategy": "delete"},
            },
        },
        "api": {"dashboard": False},
        "ping": {"entryPoint": "auth_api"},
        "log": {"level": "WARN", "noColor": True},
        "providers": providers,
    }


def routes(
    ports: dict[str, int], key: str, *, path_only: bool, places: Places = HERE
) -> dict[str, Any]:
    """Build our own routes: the platform, and what the loopback address answers.

    Requests to the platform, and no others, show `key`; what a caller sent as such is replaced.
    """
    main = f"Host(`{places.main_host}`)"
    under_prefix = f"(Path(`{PREFIX}`) || PathPrefix(`{PREFIX}/`))"
    under_experiments = f"(Path(`{EXPERIMENTS}`) || PathPrefix(`{EXPERIMENTS}/`))"
    routers = {
        "smalti-platform": _to_platform(
            under_prefix if path_only else f"{main} && {under_prefix}",
            PLATFORM_PRIORITY,
        ),
        "smalti-experiments": _to_experiments(
            under_experiments if path_only else f"{main} && {under_experiments}",
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
            f"smalti-{name}": _service(places.url(name, ports))
            for name in ("platform", "hub", "experiments")
        },
    }
    if not path_only:
        routers |= _other_hosts(places, main)
        config["middlewares"]["smalti-main-host"] = {
            "redirectRegex": {
                "regex": r"^https?://[^/]+/(.*)$",
                "replacement": f"{places.origin(ports)}/${{1}}",
            }
        }
    return {"http": config}


def _other_hosts(places: Places, main: str) -> dict[str, Any]:
    """Routes of hosts that are not the main one: programs at the loopback address, or at the
    names that a cluster has for the front door, are served; every page (also the hub's, which
    would answer any host) is sent to the main host."""
    programs = " || ".join(f"PathPrefix(`{PREFIX}{path}`)" for path in PROGRAM_PATHS)
    experiments = " || ".join(
        f"PathPrefix(`{EXPERIMENTS}{path}`)" for path in EXPERIMENTS_PROGRAM_PATHS
    )
    names = " || ".join(f"Host(`{name}`)" for name in places.programs or (LOOPBACK,))
    at_loopback = f"({names})"
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
            **_router(f"!{main}", "noop@internal", OTHER_HOSTS_PRIORITY),
            "middlewares": ["smalti-main-host"],
        },
    }


def api_for_hub(password: str) -> dict[str, Any]:
    """Build the route by which a hub that is elsewhere sees what Traefik has taken in."""
    # Traefik checks the hash on each request; 256 random bits need no slow one.
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324
    return {
        "routers": {
            "smalti-api": {
                "rule": "PathPrefix(`/api`)",
                "service": "api@internal",
                "entryPoints": ["auth_api"],
                "middlewares": ["smalti-api-password"],
            }
        },
        "middlewares": {
            "smalti-api-password": {"basicAuth": {"users": [f"{API_USER}:{{SHA}}{digest}"]}}
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


def _service(url: str) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": url}]}}


def write_files(home: Home, ports: dict[str, int], *, path_only: bool) -> None:
    """Write both files and set aside a hub file that is cut short."""
    places = load_places(home.root)
    ours = routes(ports, secret(home, KEY), path_only=path_only, places=places)
    if places.spread:
        for kind, found in api_for_hub(secret(home, "traefik_api_password")).items():
            ours["http"][kind] |= found
    for file, content in (
        (home.path("frontdoor", "static.yml"), static_config(home, ports, places)),
        (home.path("frontdoor", "routes", "smalti.yml"), ours),
    ):
        write_private(file, json.dumps(content, indent=1))
    hub_file = home.path("frontdoor", "routes", "hub.toml")
    try:
        tomllib.loads(hub_file.read_text())
    except FileNotFoundError:
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The hub refuses to start on such a file, and writes a new one when there is none.
        hub_file.replace(hub_file.with_suffix(".broken"))
