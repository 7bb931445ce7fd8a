"""Names, paths and refs: what may be, what never may, and that git agrees."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.rights import GRANTS, Permission, PlatformRole, ProjectRole
from services.projects import rules
from services.projects.rules import Visibility

GOOD_NAMES = ["a", "wine", "wine-quality", "a.b_c-d", "0", "x" * 64, "2024.q1"]
BAD_NAMES = [
    "",
    "A",
    "Wine",
    "-a",
    ".a",
    "_a",
    "a b",
    "a/b",
    "a\\b",
    "..",
    "a..b",
    "../a",
    "a.git",
    "a.lock",
    "a.",
    "x" * 65,
    "x" * 10_000,
    "git",
    "api",
    "new",
    "ä",
    "a\n",
    "a\x00",
    "a%2f",
    "wine?",
    "a#b",
]
BAD_PATHS = [
    "",
    "/",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a/..",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    ".git",
    ".git/config",
    ".GIT/config",
    ".Git",
    "a/.git/hooks/x",
    "git~1",
    "GIT~1/x",
    ".git./x",
    ".git /x",
    ".git. . /x",
    ".git::$INDEX_ALLOCATION/x",
    ".git:x",
    ".g\u200cit/x",
    ".gi\u200dt",
    "\ufeff.git/x",
    ".g\u00adit/x",
    "．git/x",
    ".ｇｉｔ",
    "a\\b",
    "..\\x",
    "a\x00b",
    "a\nb",
    "a\x7fb",
    "\ud800",
    "x" * 1025,
    "é" * 513,
    "a/" + "b" * 256,
]
GOOD_PATHS = [
    "a",
    "a/b/c",
    ".gitignore",
    ".gitattributes",
    "git",
    "a.git",
    "x/.github/y",
    "ä/ö.txt",
    "a b",
    "-rf",
    "--output=x",
    ":(top)a",
    "*",
    "日本語.csv",
    ".gitx",
    "x" * 255,
]
BAD_REFS = [
    "",
    "-x",
    "--upload-pack=x",
    "a..b",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "/a",
    "a/",
    "a//b",
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "a.",
    "@",
    "a@{1}",
    "HEAD",
    "a\x00",
    "a\nb",
    "x" * 251,
    "\ud800",
    "../x",
    "a/../b",
]
GOOD_REFS = ["main", "feature/x", "v1.0", "a@b", "ä", "x-y_z", "a{b}", "refs/heads/x"]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_names(name: str) -> None:
    assert rules.what_is_wrong_with_name(name) is None


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused_with_a_sentence(name: str) -> None:
    wrong = rules.what_is_wrong_with_name(name)
    assert wrong is not None
    assert "name" in wrong or "word" in wrong


@given(st.text(max_size=80))
def test_a_name_is_one_plain_folder(name: str) -> None:
    if rules.what_is_wrong_with_name(name) is None:
        assert name.isascii()
        assert name == name.lower()
        assert not set(name) & set("/\\ %?#:@")
        assert name not in (".", "..")


@pytest.mark.parametrize("path", BAD_PATHS)
def test_bad_paths(path: str) -> None:
    assert rules.what_is_wrong_with_path(path) is not None


@pytest.mark.parametrize("path", GOOD_PATHS)
def test_good_paths(path: str) -> None:
    assert rules.what_is_wrong_with_path(path) is None


PARTS = st.sampled_from(
    ["..", ".", "", ".git", ".GIT", "git~1", "a", "b.txt", ".git ", "\u200c", "C:", "~", "%2e%2e"]
)


@given(st.lists(st.one_of(PARTS, st.text(max_size=8)), max_size=6).map("/".join))
def test_a_path_stays_in_the_repository(path: str) -> None:
    if rules.what_is_wrong_with_path(path) is not None:
        return
    parts = path.split("/")
    assert all(part and part not in (".", "..") for part in parts)
    assert all(part.casefold().rstrip(". ") != ".git" for part in parts)
    assert len(path.encode()) <= 1024
    assert "\x00" not in path


@pytest.mark.parametrize("ref", BAD_REFS)
def test_bad_refs(ref: str) -> None:
    assert not rules.is_ref_name(ref)


@pytest.mark.parametrize("ref", GOOD_REFS)
def test_good_refs(ref: str) -> None:
    assert rules.is_ref_name(ref)


@pytest.mark.parametrize("ref", [*GOOD_REFS, *(one for one in BAD_REFS if one.isprintable())])
def test_git_takes_every_ref_that_we_take(ref: str) -> None:
    if rules.is_ref_name(ref):
        subprocess.run(["git", "check-ref-format", f"refs/heads/{ref}"], check=True)


@pytest.mark.parametrize("permission", [one for one in Permission if GRANTS[one].project])
@pytest.mark.parametrize("role", [None, *ProjectRole])
def test_rights_are_those_of_the_matrix(permission: Permission, role: ProjectRole | None) -> None:
    grant = GRANTS[permission]
    nobody: frozenset[PlatformRole] = frozenset()
    private = rules.may(permission, nobody, role, Visibility.PRIVATE)
    assert private == (role in grant.project)
    internal = rules.may(permission, nobody, role, Visibility.INTERNAL)
    assert internal == (private or grant.internal)
    for platform in PlatformRole:
        has = rules.may(permission, frozenset({platform}), None, Visibility.PRIVATE)
        assert has == (platform in grant.platform)


def test_a_pair_is_kept_for_ninety_days() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert rules.is_kept(None, now)
    assert rules.is_kept(now - timedelta(days=89, hours=23), now)
    assert not rules.is_kept(now - timedelta(days=90), now)
    assert rules.free_from(now) == now + timedelta(days=90)
