"""Builds the environments that the platform brings, from their locked lists.

Started by `environment` as a process of its own, and called by tests. A folder appears whole, by
a rename, with a stamp inside; whoever finds the stamp may use it. It is never changed
afterwards: a newer one takes its place.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from services.supervisor.environment import CACHE, DEFAULT, RECIPES, STAMP, Recipe, check_recipes
from services.supervisor.home import Home
from services.supervisor.processes import REPOSITORY
from services.supervisor.records import now

TRUST_STORE = Path("/etc/ssl/certs")


def build(home: Home, cache: Path | None = None, recipe: Recipe = DEFAULT) -> None:
    """Build an environment and put it in place. Raises CalledProcessError, OSError."""
    os.umask(0o022)  # runs under other uids read it
    target = recipe.folder(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    for pattern in (".building-*", ".replaced-*"):
        for left in target.parent.glob(pattern):
            shutil.rmtree(left, ignore_errors=True)
    fresh = target.parent / f".building-{os.getpid()}"
    if cache is None:
        _install_packages(recipe, fresh)
    else:
        base = cache / recipe.base_digest()
        if not (base / STAMP).exists():
            beside = cache / f".building-{base.name}-{os.getpid()}"
            _install_packages(recipe, beside)
            _seal(beside, base.name)
            _put(beside, base)
        # Finished files are never written again, so links to them are as good as copies.
        shutil.copytree(base, fresh, symlinks=True, copy_function=_link)
        (fresh / STAMP).unlink()
    _uv("pip", "install", *_into(fresh), "--no-deps", *map(str, recipe.packages))
    for name in recipe.without:
        shutil.rmtree(fresh / name, ignore_errors=True)
    _seal(fresh, recipe.digest())
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


def _install_packages(recipe: Recipe, place: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    # Relocatable, because it is built beside its place and may be linked from a cache.
    _uv("venv", "--relocatable", "--no-project", "--python", base, str(place))
    _uv("pip", "install", *_into(place), "--require-hashes", "-r", str(recipe.requirements))


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
    # Where bytecode is forbidden, each import of a run would be several times slower.
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
    """Build what is needed for the state folder named on the command line."""
    home = Home(Path(sys.argv[1]))
    cache = os.environ.get(CACHE)
    check_recipes()
    if cache:
        Path(cache).mkdir(parents=True, exist_ok=True)
    for recipe in RECIPES:
        if recipe.state(home) != "ready":
            build(home, Path(cache) if cache else None, recipe)


if __name__ == "__main__":
    main()
