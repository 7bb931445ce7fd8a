"""From an order to a program: its command line, its environment variables, its interpreter.

Owns how each kind of file is run and what a run finds in its environment. Called when a run is
prepared, after its checkout is there. Must never start anything or read a run's secrets into an
error.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from services.planes.agent.rules import is_name
from services.planes.protocol import EnvironmentOrder, RunOrder
from spawners.runtime import RunKey

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
NOTEBOOK_RUNNER = Path(__file__).with_name("notebook_runner.py")


class CannotPrepare(Exception):
    """The run cannot be started. The text is for a person; `retryable` when it is our fault."""

    def __init__(self, reason: str, retryable: bool = False) -> None:
        super().__init__(reason)
        self.retryable = retryable


def find_environment(environments: Path, order: EnvironmentOrder) -> Path:
    """Find the folder of an environment revision. CannotPrepare when it is not here."""
    name, revision = order.name, order.revision
    folder = environments / name / str(revision)
    if is_name(name) and (folder / "bin" / "python").exists():
        return folder
    # A revision appears, and is replaced, by a rename: one that is being made comes soon.
    soon = is_name(name) and any(folder.parent.glob(".building-*"))
    reason = f"environment {name} revision {revision} is not on this plane"
    raise CannotPrepare(reason + (" yet" if soon else ""), retryable=soon)


def command_line(order: RunOrder, checkout: Path, environment: Path) -> tuple[str, ...]:
    """Say what to execute. CannotPrepare when the order names nothing that can be run."""
    if order.argv:
        return tuple(order.argv)
    if order.shell is not None:
        return ("/bin/sh", "-c", order.shell)
    if order.file is None:
        raise CannotPrepare("the order names no command")
    file = _in_checkout(order.file, checkout, order.commit)
    suffix = PurePosixPath(file).suffix
    how = _BY_SUFFIX.get(suffix.lower())
    if how is None:
        raise CannotPrepare(f"files ending in {suffix or 'nothing'!r} cannot be run: {file}")
    return (*how(environment), file, *order.args)


def command_line_in_pod(order: RunOrder, environment: Path, runner: str) -> tuple[str, ...]:
    """Say what to execute in a container, where the file is looked for only there.

    `runner` is where our notebook script is in it. CannotPrepare as above.
    """
    if order.file is None:
        return command_line(order, environment, environment)
    path = _within(order.file)
    ways = {
        ".py": (str(environment / "bin" / "python"),),
        ".ipynb": (str(environment / "bin" / "python"), runner),
        ".sh": ("bash",),
        ".r": ("Rscript",),
    }
    how = ways.get(path.suffix.lower())
    if how is None:
        text = f"files ending in {path.suffix or 'nothing'!r} cannot be run: {order.file}"
        raise CannotPrepare(text)
    return (*how, _plain(path), *order.args)


def _within(file: str) -> PurePosixPath:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise CannotPrepare(f"{file} is not a path within the project")
    return path


def _in_checkout(file: str, checkout: Path, commit: str) -> str:
    path = _within(file)
    if not (checkout / path).is_file():
        raise CannotPrepare(f"there is no file {path} at commit {commit[:12]}")
    return _plain(path)


def _plain(path: PurePosixPath) -> str:
    # A name that begins with a dash would be read as an option of the interpreter.
    return f"./{path}" if str(path).startswith("-") else str(path)


def _python(environment: Path) -> tuple[str, ...]:
    return (str(environment / "bin" / "python"),)


def _notebook(environment: Path) -> tuple[str, ...]:
    return (str(environment / "bin" / "python"), str(NOTEBOOK_RUNNER))


def _shell(_: Path) -> tuple[str, ...]:
    return (shutil.which("bash", path=SYSTEM_PATH) or "/bin/sh",)


def _r(environment: Path) -> tuple[str, ...]:
    found = shutil.which("Rscript", path=f"{environment / 'bin'}:{SYSTEM_PATH}")
    if found is None:
        raise CannotPrepare("R is neither in the environment nor on this plane")
    return (found,)


_BY_SUFFIX: dict[str, Callable[[Path], tuple[str, ...]]] = {
    ".py": _python,
    ".ipynb": _notebook,
    ".sh": _shell,
    ".r": _r,
}


def needs_notebook_runner(order: RunOrder) -> bool:
    """Tell whether the run needs our notebook script to be readable."""
    return order.file is not None and order.file.lower().endswith(".ipynb")


def variables(
    order: RunOrder, key: RunKey, api: str, environment: Path, outputs: Path
) -> dict[str, str]:
    """Build what a run finds in its environment. A person's variables never replace SMALTI_*."""
    found = {
        "PATH": f"{environment / 'bin'}:{SYSTEM_PATH}",
        "LANG": os.environ.get("LANG") or "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "VIRTUAL_ENV": str(environment),
    }
    found.update({k: v for k, v in order.env.items() if not k.startswith("SMALTI_")})
    found.update(
        SMALTI_API_URL=api,
        SMALTI_TOKEN=order.token,
        SMALTI_PROJECT=order.project,
        SMALTI_PROJECT_ID=order.project_id,
        SMALTI_RUN_ID=key.workload_id,
        SMALTI_COMMIT=order.commit,
        SMALTI_OUTPUTS=str(outputs),
    )
    if order.session is not None:
        found["SMALTI_WORKSPACE_ID"] = order.session.volume
    return {**experiments(order, api), **found}


def experiments(order: RunOrder, api: str) -> dict[str, str]:
    """Tell MLflow's client where to log; nothing where the instance has no MLflow.

    The client is patient: nine tries with a growing pause are some four minutes, in which MLflow
    can be started again. A Retry-After would cut that short: it is for clients of fewer tries.
    """
    if os.environ.get("SMALTI_EXPERIMENTS", "") in ("0", "false"):
        return {}
    at = urlsplit(api)
    return {
        "MLFLOW_TRACKING_URI": f"{at.scheme}://{at.netloc}/services/mlflow",
        "MLFLOW_TRACKING_TOKEN": order.token,
        "MLFLOW_WORKSPACE": order.project_id,
        "MLFLOW_EXPERIMENT_NAME": order.project.rpartition("/")[2],
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "9",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
