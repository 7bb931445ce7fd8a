"""`make`'s first step: finding or fetching uv, and doing nothing when all is there."""

from __future__ import annotations

import hashlib
import io
import platform
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "setup"))

import find_uv  # noqa: E402 - scripts' modules, found by the line above
import make_environment  # noqa: E402

FAKE_UV = b"#!/bin/sh\necho 'uv 9.9.9'\n"
VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "PIP_CONFIG_FILE")


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No index is configured."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """A package index of one's own with a uv for this machine, served over HTTP."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("uv-9.9.9.data/scripts/uv", FAKE_UV)
    files = tmp_path / "index" / "uv"
    files.mkdir(parents=True)
    name = f"uv-9.9.9-py3-none-manylinux_2_17_{platform.machine()}.whl"
    (files / name).write_bytes(archive.getvalue())
    (files / "index.html").write_text(f'<a href="{name}#sha256=0">{name}</a>')
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def wheels(tmp_path: Path) -> dict[str, tuple[str, str]]:
    """What a lock file would say about the wheel in the index."""
    (file,) = (tmp_path / "index" / "uv").glob("*.whl")
    address = "https://files.invalid/" + file.name
    return {file.name: (address, hashlib.sha256(file.read_bytes()).hexdigest())}


def test_fetches_from_the_operators_index(
    index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index)
    said: list[str] = []
    find_uv.by_wheel(tmp_path / "tools", wheels(tmp_path), said.append)
    assert find_uv.works(tmp_path / "tools" / "bin" / "uv")
    assert said[0].startswith("Fetching uv-9.9.9")


def test_a_wheel_with_another_hash_is_not_used(
    index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index)
    locked = {name: (address, "0" * 64) for name, (address, _) in wheels(tmp_path).items()}
    with pytest.raises(find_uv.FetchError, match="does not have the hash"):
        find_uv.by_wheel(tmp_path / "tools", locked, lambda text: None)
    assert not (tmp_path / "tools").exists()


def test_no_network_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")
    name = f"uv-9.9.9-py3-none-manylinux_2_17_{platform.machine()}.whl"
    with pytest.raises(find_uv.FetchError, match="could not be fetched"):
        find_uv.by_wheel(tmp_path, {name: ("https://files.invalid/x", "0")}, lambda text: None)


def test_index_of_pips_own_configuration(tmp_path: Path) -> None:
    assert find_uv.configured_index() is None
    folder = tmp_path / "pip"
    folder.mkdir()
    (folder / "pip.conf").write_text("[global]\nindex-url = https://mirror.invalid/simple/\n")
    assert find_uv.configured_index() == "https://mirror.invalid/simple"
    (folder / "pip.conf").write_text("[global]\nindex-url = https://pypi.org/simple/\n")
    assert find_uv.configured_index() is None


def test_the_lock_names_a_wheel_for_common_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    version, names = find_uv.locked_wheels(REPOSITORY / "uv.lock")
    assert tuple(int(part) for part in version.split(".")[:2]) >= find_uv.OLDEST
    for machine, system, mark in (
        ("x86_64", "linux", "manylinux_2_17_x86_64"),
        ("aarch64", "linux", "manylinux_2_17_aarch64"),
        ("arm64", "darwin", "macosx_11_0_arm64"),
    ):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        monkeypatch.setattr(find_uv.sys, "platform", system)
        assert mark in find_uv.wheel_name(list(names))
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(find_uv.FetchError, match="no ready-made uv"):
        find_uv.wheel_name(list(names))


def test_a_uv_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    shim = tmp_path / "uv"
    assert not find_uv.works(shim)
    for script in ("#!/bin/sh\nexit 127\n", "#!/bin/sh\necho uv 0.1.2\n", "nonsense"):
        shim.write_text(script)
        shim.chmod(0o755)
        assert not find_uv.works(shim)
    shim.write_bytes(FAKE_UV)
    assert find_uv.works(shim)


def test_nothing_is_done_twice() -> None:
    """The environment that runs this test was made by the same command."""
    if make_environment.made().get("digest") != make_environment.digest():
        pytest.skip("this environment was not made by `make` from the present lock file")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "setup" / "bootstrap.py"), "--group", "test"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert time.monotonic() - began < 5


def test_the_lock_names_no_host_but_the_public_index() -> None:
    hosts = {
        line.split("//")[1].split("/")[0]
        for line in (REPOSITORY / "uv.lock").read_text().split('"')
        if line.startswith(("https://", "http://"))
    }
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
