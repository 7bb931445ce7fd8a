"""The part of the machine that every run may see.

Owns which system folders are shown and the made-up /etc with one person's account in it: names
of real accounts, host keys and service configuration are nobody's business inside a run.
Used by `sandbox`. Must never copy a file that is not readable for everybody.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

USER = "person"
HOME = "/home/person"

# Name look-up, certificates, time, fonts and the linker: what programs need and may know.
_FIXED = (
    "crypto-policies",
    "debian_version",
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "protocols",
    "R",
    "services",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
)
_SHOWN = (
    "alternatives",
    "fonts",
    "pki/ca-trust",
    "pki/tls/certs",
    "ssl/certs",
)  # many files: as is
_CHANGING = ("resolv.conf", "hosts")  # a laptop changes its network while we run


def system_binds() -> list[str]:
    """Sandbox arguments for /usr and the top folders that lead into it."""
    args = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            args += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            args += ["--ro-bind", str(path), str(path)]
    return args


def etc_binds(etc: Path) -> list[str]:
    """Sandbox arguments for /etc: a made-up folder, and in it what is shown as it stands."""
    args = ["--ro-bind", str(etc), "/etc"]
    for name in _SHOWN:
        if (etc / name).is_dir():
            args += ["--ro-bind", f"/etc/{name}", f"/etc/{name}"]
    return args


class EtcFolders:
    """The made-up /etc folders, one per uid, below the runtime's state folder.

    Running runs have theirs mounted, those of an earlier runtime process too: a folder is never
    emptied under them. A change of the machine's /etc gives new folders beside the old ones.
    """

    def __init__(self, folder: Path) -> None:
        digest = hashlib.sha256(
            repr([_stamp(Path("/etc", name)) for name in (*_FIXED, *_SHOWN)]).encode()
        )
        self._all = folder
        self._folder = folder / digest.hexdigest()[:12]
        self._stamps: dict[int, tuple[int, ...]] = {}

    def sweep(self) -> None:
        """Remove what was made from an older /etc; only while nothing runs."""
        with suppress(FileNotFoundError):
            for old in self._all.iterdir():
                if old != self._folder:
                    shutil.rmtree(old, ignore_errors=True)

    def folder(self, uid: int) -> Path:
        """The /etc of a uid, made or brought up to date when necessary."""
        etc = self._folder / str(uid)
        stamp = tuple(_stamp(Path("/etc", name)) for name in _CHANGING)
        if self._stamps.get(uid) != stamp:
            if not etc.is_dir():
                self._make(etc, uid)
            for name in _CHANGING:
                _renew(Path("/etc", name), etc / name)
            self._stamps[uid] = stamp
        return etc

    def _make(self, etc: Path, uid: int) -> None:
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        new.chmod(0o755)
        for name in _SHOWN:
            if Path("/etc", name).is_dir():
                (new / name).mkdir(mode=0o755, parents=True)
        for name in _FIXED:
            source = Path("/etc", name)
            if source.is_dir():
                shutil.copytree(
                    source, new / name, symlinks=True, ignore_dangling_symlinks=True, ignore=_closed
                )
            else:
                _renew(source, new / name)
        (new / "passwd").write_text(
            f"{USER}:x:{uid}:{uid}:{USER}:{HOME}:/bin/bash\n"
            "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
        )
        (new / "group").write_text(f"{USER}:x:{uid}:\nnogroup:x:65534:\n")
        try:
            new.rename(etc)
        except OSError:  # another thread or process was first
            shutil.rmtree(new, ignore_errors=True)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _closed(folder: str, names: list[str]) -> set[str]:
    """Names in a folder that not everybody may read."""
    found = set()
    for name in names:
        with suppress(FileNotFoundError):
            mode = os.stat(os.path.join(folder, name)).st_mode
            if not mode & stat.S_IROTH:
                found.add(name)
    return found


def _renew(source: Path, target: Path) -> None:
    """Copy one file's content; a program that reads it meanwhile sees the old or the new."""
    with suppress(FileNotFoundError, PermissionError):
        if source.stat().st_mode & stat.S_IROTH:
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name}.new")
            beside.write_bytes(source.read_bytes())
            beside.chmod(0o644)
            beside.replace(target)
