"""What has to be true before anything is started; each failure is one clear sentence.

Called by `up` and `doctor`. It changes nothing but a probe file of its own.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from services.supervisor.home import Home, SupervisorError

MiB = 1 << 20
LEAST_FREE = 512 * MiB

# statfs(2) magic numbers of file systems where SQLite's locks cannot be relied on.
NETWORK_FILE_SYSTEMS = {
    0x6969: "NFS",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB2",
    0x517B: "SMB",
    0x564C: "NCP",
    0x65735546: "FUSE",
    0x01021997: "9P",
    0x73757245: "Coda",
    0x5346414F: "AFS",
    0x0BD00BD0: "Lustre",
    0x00C36400: "Ceph",
    0x47504653: "GPFS",
    0x013111A8: "IBRIX",
    0x7461636F: "OCFS2",
    0x01161970: "GFS2",
}
# FUSE also carries local file systems; these mounts of it are remote for sure.
REMOTE_FUSE = ("sshfs", "s3fs", "gcsfuse", "rclone", "glusterfs", "davfs", "blobfuse", "cephfs")


def check_git() -> None:
    """Refuse a machine without git: every project is a git repository."""
    if shutil.which("git") is None:
        raise SupervisorError("Smalti needs git, which is not installed (or not on PATH).")


def check_folder(home: Home) -> None:
    """Refuse a state folder that cannot be made or written."""
    try:
        home.root.mkdir(parents=True, exist_ok=True, mode=0o755)
        with tempfile.NamedTemporaryFile(dir=home.root):
            pass
    except OSError as error:
        if error.errno == 28:  # ENOSPC: the disk is the trouble, and check_disk names it
            check_disk(home)
        raise SupervisorError(
            f"The state folder {home.root} cannot be written ({error.strerror}); "
            "name another one with SMALTI_HOME."
        ) from None


def check_file_system(home: Home) -> None:
    """Refuse network file systems, on which a database would be damaged sooner or later."""
    kind = network_file_system(home.root)
    if kind is not None:
        raise SupervisorError(
            f"The state folder {home.root} is on a network file system ({kind}), where databases "
            "cannot be locked safely; name a folder on a local disk with SMALTI_HOME."
        )


def check_disk(home: Home, least: int = LEAST_FREE) -> None:
    """Refuse to start on a disk that is as good as full."""
    free = shutil.disk_usage(home.root).free
    if free < least:
        raise SupervisorError(
            f"Only {free // MiB} MiB are free on the disk of {home.root}; "
            f"Smalti needs at least {least // MiB} MiB to start."
        )


def network_file_system(path: Path) -> str | None:
    """Name the network file system that a path is on, or None when it is local."""
    kind = NETWORK_FILE_SYSTEMS.get(file_system_magic(path))
    if kind != "FUSE":
        return kind
    mount = mount_type(path)
    remote = any(name in mount for name in REMOTE_FUSE)
    return mount if remote else None


def file_system_magic(path: Path) -> int:
    """Read `f_type` of statfs(2); 0 where the C library does not offer it."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = (ctypes.c_long * 32)()
    try:
        if libc.statfs(os.fsencode(path), ctypes.byref(buffer)) != 0:
            return 0
    except AttributeError:
        return 0
    return int(buffer[0]) & 0xFFFFFFFF


def mount_type(path: Path) -> str:
    """Return the type in /proc/mounts of the mount that holds a path ("ext4", "fuse.sshfs")."""
    real = path.resolve()
    best, kind = "", ""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, target, found, *_ = line.split()
        target = target.encode().decode("unicode_escape")  # spaces are written \040
        if real.is_relative_to(target) and len(target) >= len(best):
            best, kind = target, found
    return kind


def preflight(home: Home) -> None:
    """Run every check in the order in which a failure is best explained."""
    check_git()
    for check in FOLDER_CHECKS:
        check(home)


FOLDER_CHECKS: tuple[Callable[[Home], None], ...] = (check_folder, check_file_system, check_disk)
