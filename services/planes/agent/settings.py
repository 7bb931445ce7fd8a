"""Where the agent keeps its state and whom it dials.

Owns the environment variables and files that tell an agent its place; called by the entry
point. Must never hold the credential longer than a call: it is read again on each connection,
so that a new one is taken up without a restart.

SMALTI_HOME                  local agent: state folder of the installation
SMALTI_AGENT_URL             far agent: origin of the control plane, https://...
SMALTI_AGENT_CREDENTIAL_FILE far agent: file with its credential (default: in the agent's home)
SMALTI_AGENT_HOME            agent's own folder (default: $SMALTI_HOME/agent)
SMALTI_AGENT_CA_FILE         certificate authority that signed the control plane's certificate
SMALTI_AGENT_INSECURE        "1" lets a far agent speak plain http (never do so on a shared net)
SMALTI_RUN_API_URL           what runs find in SMALTI_API_URL, when it is not the usual place

With SMALTI_KUBERNETES_NAMESPACE runs are pods of that namespace (`docs/explanation/kubernetes.md`);
the other names that begin with SMALTI_KUBERNETES_ are listed in `pods`.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

API_PATH = "/services/smalti/api/v1"
GiB = 1 << 30


class SettingsError(Exception):
    """The agent cannot know whom to dial. The text is for the operator."""


@dataclass(frozen=True)
class Address:
    """The control plane as it can be reached now: origin, our credential, the API for runs."""

    origin: str
    credential: str
    run_api: str
    loopback: bool

    @property
    def api(self) -> str:
        """Base address of the API."""
        return self.origin + API_PATH


@dataclass(frozen=True)
class Pace:
    """How often and how long. Seconds; tests make them shorter."""

    batch: float = 0.03  # reports are gathered this long before they are sent
    progress: float = 0.25  # and those of mere progress this long: a short run ends meanwhile
    log_first: float = 0.15  # first look at a new run's log
    log_quick: float = 0.2  # next look while there is output
    log_quiet: float = 0.75  # and while there is none
    samples: float = 4.0
    snapshots: float = 1.0  # from one look at a session's files to the next
    repeat: float = 30.0  # final reports are repeated until told to forget
    clean: float = 300.0
    backoff_first: float = 0.2
    backoff_near: float = 1.5  # longest back-off to a control plane on this machine
    backoff_far: float = 20.0


@dataclass(frozen=True)
class Settings:
    """One agent's place and sizes."""

    home: Path
    environments: Path
    pace: Pace = Pace()
    cache_max: int = 10 * GiB
    disk_floor: int | None = None
    git_patience: float = 1800.0

    def floor(self) -> int:
        """Free bytes below which no new run is taken: 1 GiB or 2 % of the disk."""
        if self.disk_floor is not None:
            return self.disk_floor
        return min(GiB, shutil.disk_usage(self.home).total // 50)


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the agent's place from the environment and make its home. SettingsError."""
    home = agent_home(environ)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    whole = environ.get("SMALTI_HOME")
    environments = Path(whole).absolute() / "environments" if whole else home / "environments"
    return Settings(home=home, environments=environments)


def agent_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Find the folder that is the agent's own. SettingsError when nothing names it."""
    if named := environ.get("SMALTI_AGENT_HOME"):
        return Path(named).absolute()
    if whole := environ.get("SMALTI_HOME"):
        return Path(whole).absolute() / "agent"
    raise SettingsError("set SMALTI_HOME (local agent) or SMALTI_AGENT_HOME (far agent)")


def address(environ: Mapping[str, str] = os.environ) -> Address:
    """Read where the control plane is and our credential. SettingsError while not known."""
    if url := environ.get("SMALTI_AGENT_URL"):
        origin = checked_origin(url, insecure=environ.get("SMALTI_AGENT_INSECURE") == "1")
        named = environ.get("SMALTI_AGENT_CREDENTIAL_FILE")
        file = Path(named) if named else agent_home(environ) / "credential"
        run_origin = origin
    else:
        home = environ.get("SMALTI_HOME")
        if not home:
            raise SettingsError("set SMALTI_HOME (local agent) or SMALTI_AGENT_URL (far agent)")
        ports = _ports(Path(home) / "run" / "ports.json")
        origin = f"http://127.0.0.1:{ports['platform']}"
        run_origin = f"http://127.0.0.1:{ports.get('frontdoor') or ports['platform']}"
        file = Path(home) / "secrets" / "agent-local.token"
    run_api = environ.get("SMALTI_RUN_API_URL") or run_origin + API_PATH
    return Address(origin, _credential(file), run_api, is_loopback(origin))


def checked_origin(url: str, insecure: bool) -> str:
    """Cut an address to its origin; plain http to another machine is refused unless asked for."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise SettingsError(f"not an address of a control plane: {url}")
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme == "http" and not insecure and not is_loopback(origin):
        raise SettingsError(
            f"{origin} is not encrypted; use https, or set SMALTI_AGENT_INSECURE=1 on a net "
            "that nobody else can read"
        )
    return origin


def is_loopback(origin: str) -> bool:
    """Tell whether an origin is on this machine."""
    host = urlsplit(origin).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _ports(file: Path) -> dict[str, int]:
    try:
        ports: dict[str, int] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read the ports from {file}: {error}") from error
    if "platform" not in ports:
        raise SettingsError(f"no port of the platform in {file}")
    return ports


def _credential(file: Path) -> str:
    try:
        text = file.read_text().strip()
    except OSError as error:
        raise SettingsError(f"cannot read the agent's credential: {error}") from error
    if not text:
        raise SettingsError(f"the agent's credential file {file} is empty")
    return text
