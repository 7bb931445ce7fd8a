"""Builds the container images with buildah, from any base image, and lists what is in them.

    .venv/bin/python images/build.py base-image            # localhost/smalti/debian:bookworm
    .venv/bin/python images/build.py build --base IMAGE    # hub, platform, base, database
    .venv/bin/python images/build.py build --base IMAGE --to FOLDER hub   # as an OCI archive

Called by `make images` and by hand. Every package is one of the lock files', with its hash; file
times are those of the commit (`SOURCE_DATE_EPOCH`), so that the same commit on the same base gives
the same layers. Beside each image stands its bill of materials, `build/images/NAME.cdx.json`.
It must never put into an image what git does not know, but the built web console.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from images import materials  # noqa: E402 - found by the line above

PLACE = REPOSITORY / "build" / "images"
CONTEXT = PLACE / "context"
IMAGES = ("hub", "platform", "base", "database")
# Which locked lists of Python's packages an image holds.
LISTS = {"hub": ("hub",), "platform": ("platform",), "base": ("environment", "tools")}
NAMES = {name: f"localhost/smalti/{name}" for name in IMAGES}
BASE = "localhost/smalti/debian:bookworm"
APP = ("services", "spawners", "hub_config", "extensions", "examples", "images", "helm", "setup")
# What every image stands on: Python, git, certificates, an init that passes signals on.
DEBIAN = ("ca-certificates", "git", "python3", "tini")
_LEFT_OUT = ("man/*", "doc/*", "locale/*", "info/*")


def run(*words: str | Path, **environment: str) -> str:
    """Run a program and give what it wrote. Raises CalledProcessError."""
    done = subprocess.run(
        [str(word) for word in words],
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def epoch() -> str:
    """The time that everything in the images has: SOURCE_DATE_EPOCH, else the commit's."""
    return os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct").strip()


def version() -> str:
    """The platform's version, as `pyproject.toml` says."""
    text = (REPOSITORY / "pyproject.toml").read_text()
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("version"))


def buildah(*words: str | Path) -> str:
    """Run buildah where there is no Docker: chroot isolation, storage as SMALTI_BUILDAH says."""
    return run("buildah", *os.environ.get("SMALTI_BUILDAH", "").split(), *words)


def make_base() -> None:
    """Make a base image of Debian's packages, by mmdebstrap."""
    PLACE.mkdir(parents=True, exist_ok=True)
    tar = PLACE / "debian.tar"
    options = [f"--dpkgopt=path-exclude=/usr/share/{what}" for what in _LEFT_OUT]
    options += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    run(
        "mmdebstrap", "--variant=minbase", f"--include={','.join(DEBIAN)}", *options,
        '--aptopt=APT::Install-Recommends "false"', "bookworm", tar,
        SOURCE_DATE_EPOCH=epoch(),
    )  # fmt: skip
    (PLACE / "Containerfile.debian").write_text("FROM scratch\nADD debian.tar /\n")
    buildah(
        "bud", "--isolation", "chroot", "--timestamp", epoch(), "-t", BASE,
        "-f", PLACE / "Containerfile.debian", PLACE,
    )  # fmt: skip


def make_context() -> None:
    """Gather what the images are made of: our files, the locked lists, our wheels, uv."""
    shutil.rmtree(CONTEXT, ignore_errors=True)
    for name in run("git", "ls-files", "-z", *APP).split("\0"):
        if name and (REPOSITORY / name).is_file():
            _copy(REPOSITORY / name, CONTEXT / "app" / name)
    built = REPOSITORY / "services" / "console" / "built"
    if built.is_dir():
        shutil.copytree(built, CONTEXT / "app" / "services" / "console" / "built")
    else:
        sys.stderr.write("The web console is not built (make console): the images lack it.\n")
    for image in IMAGES:
        shutil.copytree(REPOSITORY / "images" / image, CONTEXT / image)
    uv = Path(sys.executable).with_name("uv")
    _copy(uv, CONTEXT / "bin" / "uv")
    lists = CONTEXT / "requirements"
    lists.mkdir()
    common = ("export", "--frozen", "--quiet", "--no-emit-workspace", "--no-annotate")
    run(uv, *common, "--no-default-groups", "--output-file", lists / "platform.txt")
    run(uv, *common, "--only-group", "hub", "--output-file", lists / "hub.txt")
    for name in ("environment", "tools"):
        _copy(REPOSITORY / "images" / name / "requirements.lock", lists / f"{name}.txt")
    for package in ("client", "lab"):
        folder = REPOSITORY / "extensions" / package
        run(uv, "build", "--quiet", "--wheel", "--out-dir", CONTEXT / "wheels", folder,
            SOURCE_DATE_EPOCH=epoch())  # fmt: skip


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def build(image: str, base: str, tag: str, source: str) -> str:
    """Build one image; give its whole name. `source` is the address its code is found at."""
    created = datetime.fromtimestamp(int(epoch()), UTC).isoformat()
    labels = {"VERSION": tag, "CREATED": created, "SOURCE": source, "BASE": base}
    labels["REVISION"] = run("git", "rev-parse", "HEAD").strip()
    arguments = [
        word for name, value in labels.items() for word in ("--build-arg", f"{name}={value}")
    ]
    name = f"{NAMES[image]}:{tag}"
    buildah(
        "bud", "--isolation", "chroot", "--layers", "--timestamp", epoch(), *arguments,
        *_of_this_machine(image), "-t", name, "-f", CONTEXT / image / "Containerfile", CONTEXT,
    )  # fmt: skip
    return name


def _of_this_machine(image: str) -> list[str]:
    """Lend a build this machine's certificates, uv's cache and index; none stays in the image."""
    if image not in LISTS:
        return []
    cache = run(Path(sys.executable).with_name("uv"), "cache", "dir").strip()
    Path(cache).mkdir(parents=True, exist_ok=True)
    lent = ["--volume", f"{cache}:/root/.cache/uv:rw", "--build-arg", "UV_SYSTEM_CERTS=1"]
    lent += ["--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"]
    index = os.environ.get("UV_DEFAULT_INDEX")
    return [*lent, *(("--build-arg", f"UV_DEFAULT_INDEX={index}") if index else ())]


def list_materials(image: str, name: str) -> Path:
    """Write an image's bill of materials: Python's packages by the lists, Debian's as found."""
    container = buildah("from", name).strip()
    try:
        folder = Path(buildah("mount", container).strip())
        status = (folder / "var/lib/dpkg/status").read_text()
    finally:
        buildah("rm", container)
    files = [CONTEXT / "requirements" / f"{one}.txt" for one in LISTS.get(image, ())]
    return materials.write(PLACE / f"{image}.cdx.json", name, files, status)


def main(words: Sequence[str] | None = None) -> int:
    """Build what is named, or all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("base-image", help="make a base image of Debian's packages")
    building = commands.add_parser("build", help="build images")
    building.add_argument("images", nargs="*", metavar="IMAGE", help=", ".join(IMAGES))
    building.add_argument("--base", default=BASE, help=f"base image (default {BASE})")
    building.add_argument("--tag", default=version(), help="tag (default: the version)")
    building.add_argument("--source", default="", help="address of the code, for the label")
    building.add_argument("--to", type=Path, help="folder for OCI archives")
    arguments = parser.parse_args(words)
    if arguments.command == "base-image":
        make_base()
        return 0
    if unknown := set(arguments.images) - set(IMAGES):
        parser.error(f"there is no image {', '.join(sorted(unknown))}")
    os.environ["SOURCE_DATE_EPOCH"] = epoch()  # one time for all, whatever is committed meanwhile
    make_context()
    for image in arguments.images or IMAGES:
        name = build(image, arguments.base, arguments.tag, arguments.source)
        bill = list_materials(image, name)
        print(f"{name}; materials in {bill}")  # noqa: T201
        if arguments.to is not None:
            arguments.to.mkdir(parents=True, exist_ok=True)
            archive = arguments.to / f"{image}.tar"
            archive.unlink(missing_ok=True)
            buildah("push", name, f"oci-archive:{archive}:{name}")
            print(f"  {archive}: {archive.stat().st_size >> 20} MiB")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
