"""Finds uv: the one on PATH, else by pip, else its wheel fetched by the standard library.

Called by `make_environment`. What is fetched must have the SHA-256 that our lock file names.
It writes only below the folder that it is given.
"""

from __future__ import annotations

import configparser
import hashlib
import html.parser
import io
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

DEFAULT_INDEX = "https://pypi.org/simple"
OLDEST = (0, 9)
Say = Callable[[str], None]


class FetchError(Exception):
    """uv cannot be had; the message says why."""


def find_uv(folder: Path, lock: Path, say: Say) -> Path:
    """Return a uv that works; what has to be fetched goes into `folder`. Raises FetchError."""
    on_path = shutil.which("uv")
    if on_path and works(Path(on_path)):
        return Path(on_path)
    fetched = folder / "bin" / "uv"
    if works(fetched):
        return fetched
    version, wheels = locked_wheels(lock)
    if by_pip(folder, version, say) and works(fetched):
        return fetched
    by_wheel(folder, wheels, say)
    if not works(fetched):
        raise FetchError(f"The uv that was fetched to {fetched} does not run on this machine.")
    return fetched


def works(uv: Path) -> bool:
    """Say whether this uv runs and reads our lock file. A shim may exist and do neither."""
    try:
        done = subprocess.run(
            [uv, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
        numbers = done.stdout.split()[1].split(".")
        return done.returncode == 0 and (int(numbers[0]), int(numbers[1])) >= OLDEST
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return False


def locked_wheels(lock: Path) -> tuple[str, dict[str, tuple[str, str]]]:
    """Read uv's own version and wheels from the lock: file name to (address, sha256)."""
    package = next(
        entry
        for entry in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
        if entry["name"] == "uv"
    )
    wheels = {
        wheel["url"].rpartition("/")[2]: (wheel["url"], wheel["hash"].removeprefix("sha256:"))
        for wheel in package["wheels"]
    }
    return package["version"], wheels


def by_pip(folder: Path, version: str, say: Say) -> bool:
    """Try `pip install --target`; False when there is no pip or it fails."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode != 0:
        return False
    say("Fetching uv with pip")
    done = subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--target", str(folder), f"uv=={version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0


def by_wheel(folder: Path, wheels: dict[str, tuple[str, str]], say: Say) -> None:
    """Fetch the wheel of this machine, check its hash, take the program out."""
    name = wheel_name(list(wheels))
    address, expected = wheels[name]
    index = configured_index()
    say(f"Fetching {name}")
    try:
        data = read(address if index is None else address_in(index, name))
    except (urllib.error.URLError, OSError) as error:
        raise FetchError(
            f"uv could not be fetched ({error}). Install it yourself (https://docs.astral.sh/uv), "
            "or name a package index with UV_DEFAULT_INDEX."
        ) from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise FetchError(f"{name} does not have the hash that the lock file names; not used.")
    target = folder / "bin" / "uv"
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        inside = next(file for file in wheel.namelist() if file.endswith(".data/scripts/uv"))
        target.write_bytes(wheel.read(inside))
    target.chmod(0o755)


def wheel_name(names: list[str]) -> str:
    """Choose the wheel of this system and processor. Raises FetchError."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        kinds = ["macosx"]
        machine = {"aarch64": "arm64"}.get(machine, machine)
    else:
        musl = "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or "")
        kinds = ["musllinux"] if musl else ["manylinux"]
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    for name in sorted(names):
        tags = name.removesuffix(".whl").rpartition("-")[2].split(".")
        if any(tag.endswith(f"_{machine}") and tag.startswith(kinds[0]) for tag in tags):
            return name
    raise FetchError(f"There is no ready-made uv for {sys.platform} on {machine}.")


def configured_index() -> str | None:
    """Return the package index that this machine is set up for; None for the public one."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(variable):
            return _unless_default(os.environ[variable])
    parser = configparser.ConfigParser(interpolation=None)
    places = [
        Path("/etc/pip.conf"),
        Path("~/.pip/pip.conf").expanduser(),
        Path(os.environ.get("XDG_CONFIG_HOME", "~/.config")).expanduser() / "pip" / "pip.conf",
    ]
    named = os.environ.get("PIP_CONFIG_FILE")
    try:
        parser.read([*places, Path(named)] if named else places)
    except configparser.Error:
        return None  # pip's own affair; the public index it is
    found = parser.get("global", "index-url", fallback=None)
    return _unless_default(found) if found else None


def _unless_default(index: str) -> str | None:
    return None if index.rstrip("/") == DEFAULT_INDEX else index.rstrip("/")


class _Links(html.parser.HTMLParser):
    """Collects the addresses of a page of an index."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a link leads."""
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


def address_in(index: str, name: str) -> str:
    """Find a file's address in an index (PEP 503 page). Raises FetchError, URLError."""
    page = f"{index}/uv/"
    links = _Links()
    links.feed(read(page).decode("utf-8", "replace"))
    for link in links.found:
        address = urllib.parse.urldefrag(urllib.parse.urljoin(page, link)).url
        if urllib.parse.unquote(address).rpartition("/")[2] == name:
            return address
    raise FetchError(f"The index {page} has no {name}.")


def read(address: str) -> bytes:
    """Read an address whole; https, or http where the operator's index says so, or a file."""
    # The address is the lock file's or the operator's own index; the hash is checked after.
    request = urllib.request.Request(  # noqa: S310
        address, headers={"User-Agent": "smalti-setup"}
    )
    with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310
        data: bytes = response.read()
    return data
