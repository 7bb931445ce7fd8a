"""The default environment for jobs: `environments/default/1`, built from the locked list.

Called by `up`, which builds it beside the starting processes: the login page does not wait for
it, and jobs wait with that reason until it is there. The folder appears whole, by a rename, with
a stamp inside; whoever finds the stamp may use it. It is never changed afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from services.supervisor.home import Home, SupervisorError, read_json
from services.supervisor.logs import last_lines, open_log
from services.supervisor.processes import REPOSITORY
from services.supervisor.records import now

Say = Callable[[str], None]
REQUIREMENTS = REPOSITORY / "images" / "environment" / "requirements.lock"
CLIENT = REPOSITORY / "extensions" / "client"
TRUST_STORE = Path("/etc/ssl/certs")
STAMP = ".smalti-environment.json"
# A folder of finished environments by digest, shared by several instances (used by tests).
CACHE = "SMALTI_ENVIRONMENT_CACHE"


def base_digest() -> str:
    """Digest of what the packages are installed from."""
    value = hashlib.sha256(f"{sys.version_info[:3]} {sys.base_prefix}\n".encode())
    value.update(REQUIREMENTS.read_bytes())
    return value.hexdigest()


def digest() -> str:
    """Digest of everything that the environment is made from, our client included."""
    value = hashlib.sha256(base_digest().encode())
    for file in sorted(CLIENT.rglob("*")):
        if file.suffix in (".py", ".toml", ".typed") and "__pycache__" not in file.parts:
            value.update(f"{file.relative_to(CLIENT)}\n".encode() + file.read_bytes())
    return value.hexdigest()


def folder(home: Home) -> Path:
    """Where the default environment is."""
    return home.path("environments", "default", "1")


def state(home: Home) -> str:
    """Say whether it is `ready`, `outdated` (whole and usable, of an earlier list) or `missing`."""
    stamp = read_json(folder(home) / STAMP)
    if stamp is None:
        return "missing"
    return "ready" if stamp.get("digest") == digest() else "outdated"


class EnvironmentBuild:
    """The build beside the supervisor, in a process of its own."""

    def __init__(self, home: Home, say: Say) -> None:
        self.home, self.say = home, say
        self._popen: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start the build when it is needed."""
        if state(self.home) == "ready":
            return
        self.say("Building the default environment for jobs; the login page does not wait for it")
        log = open_log(self.home.log("environment"))
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "services.supervisor.environment", str(self.home.root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                start_new_session=True,
            )
        finally:
            os.close(log)

    def finished(self) -> bool:
        """Say whether nothing is being built any more; tells the outcome once."""
        if self._popen is None:
            return True
        status = self._popen.poll()
        if status is None:
            return False
        self._popen = None
        if status == 0:
            self.say("The default environment is ready")
        else:
            words = " ".join(last_lines(self.home.log("environment"), 2))
            self.say(
                f"The default environment could not be built, so jobs wait: {words} "
                f"(more in {self.home.log('environment')}; the next start tries again)"
            )
        return True

    def stop(self) -> None:
        """Leave off building; what is half made is swept at the next start."""
        if self._popen is not None and self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGTERM)
            self._popen.wait()


def build(home: Home, cache: Path | None = None) -> None:
    """Build the environment and put it in place. Raises CalledProcessError, OSError."""
    os.umask(0o022)  # runs under other uids read it
    target = folder(home)
    for pattern in (".building-*", ".replaced-*"):
        for left in target.parent.glob(pattern):
            shutil.rmtree(left, ignore_errors=True)
    fresh = target.parent / f".building-{os.getpid()}"
    if cache is None:
        _install_packages(fresh)
    else:
        base = cache / base_digest()
        if not (base / STAMP).exists():
            beside = cache / f".building-{base.name}-{os.getpid()}"
            _install_packages(beside)
            _seal(beside, base.name)
            _put(beside, base)
        # Finished files are never written again, so links to them are as good as copies.
        shutil.copytree(base, fresh, symlinks=True, copy_function=_link)
        (fresh / STAMP).unlink()
    _uv("pip", "install", *_into(fresh), "--no-deps", str(CLIENT))
    _seal(fresh, digest())
    _put(fresh, target)


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _put(fresh: Path, target: Path) -> None:
    """Put a finished folder in place. A replaced one stays until the next build: sandboxes of
    running work are bound to it and must not see it emptied."""
    if target.exists():
        target.replace(target.parent / f".replaced-{os.getpid()}")
    try:
        fresh.replace(target)
    except OSError:
        if not (target / STAMP).exists():  # else another builder was quicker, which is as good
            raise
        shutil.rmtree(fresh)


def _install_packages(place: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    # Relocatable, because it is built beside its place and may be linked from a cache.
    _uv("venv", "--relocatable", "--no-project", "--python", base, str(place))
    _uv("pip", "install", *_into(place), "--require-hashes", "-r", str(REQUIREMENTS))


def _into(place: Path) -> tuple[str, ...]:
    return ("--python", str(place / "bin" / "python"), "--compile-bytecode")


def _uv(*arguments: str) -> None:
    environment = {
        **os.environ,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        # Links would share files, and their modes, with uv's own cache.
        "UV_LINK_MODE": "copy",
    }
    # Where bytecode is forbidden, each import of a job would be several times slower.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.pop("VIRTUAL_ENV", None)
    if TRUST_STORE.is_dir() and any(TRUST_STORE.iterdir()):
        # The machine's own certificates, as every other program here believes.
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    subprocess.run([str(uv), *arguments], check=True, env=environment, cwd=REPOSITORY)


def _seal(place: Path, made_from: str) -> None:
    for file in place.rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(file.stat().st_mode & 0o555)
    stamp = {"digest": made_from, "python": sys.version.split()[0], "built_at": now()}
    (place / STAMP).write_text(json.dumps(stamp) + "\n")


def main() -> None:
    """Build for the state folder named on the command line."""
    home = Home(Path(sys.argv[1]))
    cache = os.environ.get(CACHE)
    if not REQUIREMENTS.exists():
        raise SupervisorError(f"{REQUIREMENTS} is missing.")
    if cache:
        Path(cache).mkdir(parents=True, exist_ok=True)
    build(home, Path(cache) if cache else None)


if __name__ == "__main__":
    main()
