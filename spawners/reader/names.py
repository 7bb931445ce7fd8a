"""Which names a snapshot leaves out, and why.

Pure: names in, reasons out. Git refuses to check out a tree with some names in it, so that one
such file would make a whole snapshot useless; folders of packages and caches can be made again.
"""

from __future__ import annotations

PATH_MOST = 1024
DEPTH_MOST = 60

_CACHES = frozenset(
    {
        b".venv",
        b"node_modules",
        b"__pycache__",
        b".ipynb_checkpoints",
        b".cache",
        b".mypy_cache",
        b".pytest_cache",
        b".ruff_cache",
        b".tox",
    }
)
_LINK_REFUSED = frozenset({".gitmodules", ".gitattributes", ".gitignore", ".mailmap"})
# Code points that HFS+ ignores in names (git's utf8.c, next_hfs_char).
_IGNORED = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)


def is_git(name: bytes) -> bool:
    """Tell whether some file system takes a name for `.git`: git refuses it in a tree."""
    text = name.decode("utf-8", "replace").translate(_IGNORED).lower()
    for part in text.split("\\"):
        plain = part.split(":", 1)[0].rstrip(" .")
        if plain in (".git", "git~1"):
            return True
    return False


def is_cache(name: bytes, inside: frozenset[bytes]) -> bool:
    """Tell whether a folder can be made again: packages and caches, by name or by a mark."""
    return name in _CACHES or b"pyvenv.cfg" in inside


def refused_link(name: bytes) -> bool:
    """Tell whether git refuses a symbolic link of this name."""
    return name.decode("utf-8", "replace").translate(_IGNORED).lower() in _LINK_REFUSED


def shown(path: bytes) -> str:
    """Write a path for a person: printable, and not long."""
    text = path.decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= 160 else f"{text[:80]}...{text[-70:]}"


def size_text(size: int) -> str:
    """Write bytes for a person: `512 MiB`, `1.5 GiB`."""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.4g} {unit}"
        value /= 1024
    return f"{value:.4g} TiB"
