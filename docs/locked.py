"""What the locks name: packages of the platform, of the environments and of the web console.

Used by `docs/notices.py` and by the test that holds THIRD_PARTY_NOTICES.md true. It reads
files only; it must never import what it lists.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.markers import Marker

REPOSITORY = Path(__file__).parents[1]
UV_LOCK = REPOSITORY / "uv.lock"
ENVIRONMENT_LOCK = REPOSITORY / "images" / "environment" / "requirements.lock"
TOOLS_LOCK = REPOSITORY / "images" / "tools" / "requirements.lock"
CONSOLE_LOCK = REPOSITORY / "extensions" / "console" / "package-lock.json"
OURS = {"smalti", "smalti-platform"}
# The machines that the locks are for; a package that none of them gets is not shipped.
TARGETS: list[dict[str, str]] = [
    {
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "python_version": version,
        "python_full_version": f"{version}.9",
        "extra": "",
    }
    for version in ("3.11", "3.12", "3.13")
    for machine in ("x86_64", "aarch64")
]


def applies(marker: str | None) -> bool:
    """Tell whether a dependency with this marker is there on any of our targets."""
    if not marker:
        return True
    parsed = Marker(marker)
    return any(parsed.evaluate(target) for target in TARGETS)


def platform_packages() -> set[tuple[str, str]]:
    """Name and version of everything that the platform itself needs to run."""
    lock: dict[str, Any] = tomllib.loads(UV_LOCK.read_text(encoding="utf-8"))
    by_name: dict[str, list[dict[str, Any]]] = {}
    for package in lock["package"]:
        by_name.setdefault(package["name"], []).append(package)
    found: set[str] = set()
    left = sorted(OURS)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        for package in by_name[name]:
            left += [edge["name"] for edge in _edges(package) if applies(edge.get("marker"))]
    return {
        (package["name"], package["version"]) for name in found - OURS for package in by_name[name]
    }


def _edges(package: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from package.get("dependencies", [])
    for extra in package.get("optional-dependencies", {}).values():
        yield from extra


def environment_packages() -> set[tuple[str, str]]:
    """Name and version of everything in the default environment."""
    return _requirements(ENVIRONMENT_LOCK)


def tools_packages() -> set[tuple[str, str]]:
    """Name and version of everything in the tools environment."""
    return _requirements(TOOLS_LOCK)


def _requirements(lock: Path) -> set[tuple[str, str]]:
    line = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)(?: *; *(.*?))? *\\?$", re.M)
    text = lock.read_text(encoding="utf-8")
    return {(name, version) for name, version, marker in line.findall(text) if applies(marker)}


def console_packages() -> set[tuple[str, str, str]]:
    """Name, version and licence of all that the console is built with; npm's lock names both."""
    lock: dict[str, Any] = json.loads(CONSOLE_LOCK.read_text(encoding="utf-8"))
    return {
        (path.rpartition("node_modules/")[2], one["version"], one["license"])
        for path, one in lock["packages"].items()
        if path and not one.get("dev")
    }
