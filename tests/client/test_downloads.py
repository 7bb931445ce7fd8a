"""Outputs on this machine: whole, checked, and never outside of the folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import smalti
from hypothesis import given
from hypothesis import strategies as st
from smalti import downloads
from smalti.errors import TransferFailed

from tests.client.server import Fault, Platform

BIG = os.urandom(300_000)


def job_with(platform: Platform, client: smalti.Client, **outputs: bytes) -> smalti.Job:
    """A job that left these outputs."""
    platform.next_outputs = outputs
    return client.jobs.start("wine", "x")


def test_outputs_are_brought_and_not_fetched_twice(
    platform: Platform, client: smalti.Client, tmp_path: Path
) -> None:
    job = job_with(platform, client, **{"a.txt": b"a", "deep/b.png": BIG, "c ü#?.txt": b""})
    seen: dict[str, int] = {}

    def progress(output: object, count: int) -> None:
        path = output.path  # type: ignore[attr-defined]
        seen[path] = seen.get(path, 0) + count

    files = job.download(tmp_path / "out", progress=progress)
    assert sorted(str(one.relative_to(tmp_path / "out")) for one in files) == sorted(
        ["a.txt", "deep/b.png", "c ü#?.txt"]
    )
    assert (tmp_path / "out/deep/b.png").read_bytes() == BIG
    assert seen["deep/b.png"] == len(BIG)
    before = len(platform.calls)
    job.download(tmp_path / "out")
    assert not [one for one in platform.calls[before:] if "/outputs/" in one.path]
    (tmp_path / "out/a.txt").write_bytes(b"b")
    job.download(tmp_path / "out", "a*")
    assert (tmp_path / "out/a.txt").read_bytes() == b"a"
    assert job.read_output("a.txt") == b"a"


@pytest.mark.parametrize("ranges", [True, False])
def test_broken_download_is_finished(
    platform: Platform, client: smalti.Client, tmp_path: Path, ranges: bool
) -> None:
    platform.ranges = ranges
    job = job_with(platform, client, big=BIG)
    platform.faults += [Fault("GET", "/big$", cut_at=100_000), Fault("GET", "/big$", cut_at=90_000)]
    job.download(tmp_path)
    assert (tmp_path / "big").read_bytes() == BIG


def test_download_that_always_breaks_leaves_what_was_there(
    platform: Platform, client: smalti.Client, tmp_path: Path
) -> None:
    platform.ranges = False
    (tmp_path / "big").write_bytes(b"old")
    client.transport.retry = smalti.Retry(patience=0.3, first=0.01, most=0.02)
    job = job_with(platform, client, big=BIG)
    platform.faults.append(Fault("GET", "/big$", times=10_000, cut_at=1000))
    with pytest.raises(smalti.ConnectionFailed):
        job.download(tmp_path)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["big"]
    assert (tmp_path / "big").read_bytes() == b"old"


def test_changed_content_is_refused(
    platform: Platform, client: smalti.Client, tmp_path: Path
) -> None:
    job = job_with(platform, client, a=b"right")
    for wrong in (b"wrong", b"longer than right"):
        platform.faults.append(Fault("GET", "/outputs/a$", status=200, body=wrong))
        with pytest.raises(TransferFailed):
            job.download(tmp_path)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "a//b",
        "./a",
        "",
        ".",
        "a\\..\\b",
        "a\nb",
        "a\0b",
        "\x1b[2J",
    ],
)
def test_name_that_leads_elsewhere_is_refused_before_anything_is_written(
    platform: Platform, client: smalti.Client, tmp_path: Path, name: str
) -> None:
    job = job_with(platform, client, **{"good": b"1", name: b"2"})
    with pytest.raises(TransferFailed):
        job.download(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    with pytest.raises(TransferFailed, match="link"):
        downloads.place(tmp_path / "out", "link/x")


@given(st.text(max_size=30))
def test_place_is_within_folder_or_refused(name: str) -> None:
    folder = Path("/nonexistent/folder")
    try:
        target = downloads.place(folder, name)
    except TransferFailed:
        return
    except UnicodeEncodeError:
        return  # a lone surrogate: no name of a file
    assert os.path.normpath(target).startswith("/nonexistent/folder/")


def test_full_or_forbidden_disk_is_told(
    platform: Platform, client: smalti.Client, tmp_path: Path
) -> None:
    job = job_with(platform, client, **{"deep/a": b"1"})
    (tmp_path / "deep").write_text("a file where a folder should be")
    with pytest.raises(TransferFailed, match="cannot write"):
        job.download(tmp_path)
