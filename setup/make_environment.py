"""Makes `.venv` from the lock file, and does nothing when it already is what the lock says.

Called by `bootstrap`. A stamp in `.venv` holds the digest of what it was made from, so that a
second `make up` needs no uv. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from find_uv import FetchError, configured_index, find_uv

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
STAMP = VENV / ".smalti-stamp.json"
TOOLS = REPOSITORY / "build" / "uv"
TRUST_STORE = Path("/etc/ssl/certs")
MADE_FROM = ("uv.lock", "pyproject.toml", "extensions/client/pyproject.toml")


def say(text: str) -> None:
    """Tell the person what happens now."""
    sys.stderr.write(f"{text}\n")


def digest() -> str:
    """Digest of everything that the environment is made from."""
    value = hashlib.sha256(f"{sys.version_info[:3]} {sys.base_prefix} {REPOSITORY}\n".encode())
    for name in MADE_FROM:
        value.update((REPOSITORY / name).read_bytes())
    return value.hexdigest()


def made() -> dict[str, Any]:
    """Return the stamp of the environment; empty when there is none."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if (VENV / "bin" / "smalti-admin").exists() else {}


def sync(uv: Path, groups: Sequence[str]) -> None:
    """Install exactly what the lock says. Raises CalledProcessError."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    if TRUST_STORE.is_dir() and any(TRUST_STORE.iterdir()):
        # The machine's own certificates, as every other program here believes; uv's two names
        # for that, new and old.
        environment.setdefault("UV_SYSTEM_CERTS", "1")
        environment.setdefault("UV_NATIVE_TLS", "1")
    # Some machines forbid bytecode; without it every start would be several times slower.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    chosen = [word for group in groups for word in ("--group", group)]
    python = ["--python", sys.executable]
    index = configured_index()
    if index is None:
        command = [str(uv), "sync", "--frozen", "--compile-bytecode", *python, *chosen]
        subprocess.run(command, check=True, cwd=REPOSITORY, env=environment)
        return
    # `uv sync` fetches from the addresses in the lock; with an index of one's own the same
    # versions and hashes are taken from there.
    environment["UV_DEFAULT_INDEX"] = index
    wanted = TOOLS.parent / "requirements.txt"
    wanted.parent.mkdir(exist_ok=True)
    export = [str(uv), "export", "--frozen", "--quiet", "--no-emit-workspace", *chosen]
    install = [str(uv), "pip", "install", "--python", str(VENV / "bin" / "python")]
    try:
        for command in (
            [*export, "--output-file", str(wanted)],
            [str(uv), "venv", "--clear", *python, str(VENV)],
            [*install, "--compile-bytecode", "--require-hashes", "-r", str(wanted)],
            [*install, "--no-deps", "-e", ".", "-e", "extensions/client"],
        ):
            subprocess.run(command, check=True, cwd=REPOSITORY, env=environment)
    finally:
        wanted.unlink(missing_ok=True)


def main(arguments: Sequence[str]) -> None:
    """Make the environment when it is missing or made from something else."""
    parser = argparse.ArgumentParser(description="Make Smalti's own Python environment.")
    parser.add_argument("--group", action="append", default=[], help="also what this group needs")
    wanted = set(parser.parse_args(arguments).group)
    stamp = made()
    kept = set(stamp.get("groups", []))
    groups = wanted | kept
    if stamp.get("digest") == digest() and groups == kept:
        return
    began = time.monotonic()
    say("Setting up Smalti's own environment (once; again only when the lock file changes)")
    try:
        STAMP.unlink(missing_ok=True)
        sync(find_uv(TOOLS, REPOSITORY / "uv.lock", say), sorted(groups))
    except FetchError as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"The environment could not be made: uv ended with status {error.returncode}.")
    except OSError as error:
        sys.exit(f"The environment could not be made: {error}")
    STAMP.write_text(json.dumps({"digest": digest(), "groups": sorted(groups)}) + "\n")
    say(f"The environment is ready ({time.monotonic() - began:.0f} s)")
