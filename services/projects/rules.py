"""Decisions about projects on plain values: names, paths, refs, and who may do what.

Names       1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit. They stand in URLs and
            in folders of people's own machines, so what either could take for something else
            (`..`, `x.git`, `x.lock`, a word the URLs use) is refused.
Paths       of a file in a repository: relative, and free of everything that a checkout on any
            system would place elsewhere or take for git's own folder. git checks this again.
Refs        a branch or tag as `git check-ref-format` allows it, not beginning with a dash.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum

from services.core.rights import GRANTS, Permission, PlatformRole, ProjectRole

NAME_LONGEST = 64
PATH_LONGEST = 1024
REF_LONGEST = 250
KEPT_DAYS = 90
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
RESERVED = frozenset({"api", "git", "health", "metrics", "new", "settings", "static"})

# Characters that HFS+ leaves out when it compares names: ".g\u200cit" is ".git" there.
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufeff\u00ad]")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


class Visibility(StrEnum):
    """Who besides its members may see a project."""

    PRIVATE = "private"
    INTERNAL = "internal"  # everybody who can sign in


class Status(StrEnum):
    """Whether a project's files are there."""

    READY = "ready"
    IMPORTING = "importing"
    FAILED = "failed"


def what_is_wrong_with_name(name: str) -> str | None:
    """Say why a text cannot be a project's name; None when it can."""
    if not 1 <= len(name) <= NAME_LONGEST:
        return f"a name has 1 to {NAME_LONGEST} characters"
    if NAME.fullmatch(name) is None:
        return "a name has lower-case letters, digits and '._-', and begins with none of these"
    if ".." in name or name.endswith((".", ".git", ".lock")):
        return "a name has no '..' and does not end in '.', '.git' or '.lock'"
    if name in RESERVED:
        return f"{name!r} is a word that addresses use already"
    return None


def what_is_wrong_with_path(path: str) -> str | None:
    """Say why a text cannot be the path of a file in a repository; None when it can."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "a path is valid Unicode"
    if not 1 <= size <= PATH_LONGEST:
        return f"a path has 1 to {PATH_LONGEST} bytes"
    if any(unicodedata.category(character) == "Cc" for character in path):
        return "a path has no control characters"
    if "\\" in path:
        return "a path has no backslash"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return "a path is relative, without '.', '..' and empty parts"
        if len(part.encode()) > 255:
            return "each part of a path has at most 255 bytes"
        if _means_git(part):
            return "a path does not lead into '.git'"
    return None


def _means_git(part: str) -> bool:
    """Tell whether some file system takes this for `.git` (or its short name on NTFS)."""
    folded = unicodedata.normalize("NFKC", _IGNORED.sub("", part)).casefold()
    folded = _IGNORED.sub("", folded).split(":", 1)[0].rstrip(". ")
    return folded in (".git", "git~1")


def is_ref_name(name: str) -> bool:
    """Tell whether a text can name a branch or a tag."""
    if not 1 <= len(name.encode(errors="replace")) <= REF_LONGEST or name.startswith("-"):
        return False
    if _BAD_IN_REF.search(name) or name in ("@", "HEAD") or name.endswith("."):
        return False
    if any("\ud800" <= character <= "\udfff" for character in name):
        return False
    parts = name.split("/")
    return all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)


def may(
    permission: Permission,
    roles: frozenset[PlatformRole],
    role: ProjectRole | None,
    visibility: Visibility,
) -> bool:
    """Tell whether a person with these roles has a permission in a project."""
    grant = GRANTS[permission]
    if roles & grant.platform or (role is not None and role in grant.project):
        return True
    return grant.internal and visibility is Visibility.INTERNAL


def roles_with(permission: Permission) -> list[str]:
    """List the project roles that have a permission."""
    return sorted(role.value for role in GRANTS[permission].project)


def is_kept(retired_at: datetime | None, now: datetime) -> bool:
    """Tell whether a pair of owner and name still belongs to the project that had it."""
    return retired_at is None or retired_at > now - timedelta(days=KEPT_DAYS)


def free_from(retired_at: datetime) -> datetime:
    """Say when a pair that was given up may be another's."""
    return retired_at + timedelta(days=KEPT_DAYS)


def first_words(readme: str) -> str:
    """Give the first paragraph of a README that is no heading, as one line."""
    for paragraph in readme.split("\n\n"):
        words = " ".join(line.strip() for line in paragraph.strip().splitlines())
        if words and not words.startswith(("#", "```", "|")):
            return words
    return ""
