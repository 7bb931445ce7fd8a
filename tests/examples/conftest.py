"""The interpreter that examples run in: the locked default environment, built once and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCK = REPOSITORY / "images" / "environment" / "requirements.lock"


@pytest.fixture(scope="session")
def locked_python() -> Path:
    """Python of an environment that holds exactly what the lock names."""
    named = os.environ.get("SMALTI_TEST_CACHE")
    cache = Path(named) if named else Path.home() / ".cache" / "smalti-tests"
    key = hashlib.sha256(sys.version.encode() + sys.base_prefix.encode() + LOCK.read_bytes())
    place = cache / f"examples-{key.hexdigest()[:16]}"
    if not (place / "bin" / "python").exists():
        _build(place)
    return place / "bin" / "python"


def _build(place: Path) -> None:
    uv = str(Path(sysconfig.get_path("scripts")) / "uv")
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    beside.parent.mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    sync = ["pip", "sync", "--require-hashes", "--only-binary", ":all:", "--compile-bytecode"]
    for command in (
        [uv, "venv", "--relocatable", "--python", sys.executable, str(beside)],
        [uv, *sync, "--python", str(beside / "bin" / "python"), str(LOCK)],
    ):
        subprocess.run(command, check=True, env=environment, capture_output=True, timeout=110)
    try:
        beside.replace(place)
    except OSError:  # another run was quicker: what it built is the same
        shutil.rmtree(beside)


@pytest.fixture
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the example that the test module names in EXAMPLE, as a checkout would be."""
    source = REPOSITORY / "examples" / str(request.module.EXAMPLE)
    return Path(shutil.copytree(source, tmp_path / "checkout"))


@pytest.fixture
def run_environment(tmp_path: Path) -> dict[str, str]:
    """What a run finds: a home of its own and an outputs folder that does not exist yet."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "SMALTI_OUTPUTS": str(tmp_path / "outputs")}
