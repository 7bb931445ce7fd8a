"""How MLflow is set up and taken into our process: the one file that knows its private names.

Called once by `loading`, in a thread, before the first request is let through. MLflow reads
its settings from the environment at import, so nothing here may import it earlier.
`tests/experiments/test_wiring.py` fails when a new MLflow calls any of this otherwise.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from services.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("smalti.experiments")

# Messages of an answer that wait for a slow reader. MLflow's own bridge has no bound: a
# download of 1 GB by a slow reader would all be held in memory.
ANSWER_BUFFER = 8


class NewerDatabase(Exception):
    """The experiments' database was written by a newer MLflow than this one."""


def folder(settings: Settings) -> Path:
    """Where the process keeps its database, artifacts and what passes through."""
    return settings.root / "experiments"


def database(settings: Settings) -> str:
    """SQLAlchemy URL of MLflow's database."""
    return settings.experiments_database


def environment(settings: Settings) -> dict[str, str]:
    """MLflow's settings: workspaces on, all that calls out or runs code off."""
    place = folder(settings)
    return {
        "_MLFLOW_SERVER_FILE_STORE": database(settings),
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": settings.experiments_artifacts
        or str(place / "artifacts"),
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_ENABLE_WORKSPACES": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ENABLE_AI_GATEWAY": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_ENABLE_REMOTE_ASSISTANT": "false",
        "MLFLOW_ENABLE_ASSISTANT_SANDBOX": "false",
        # The gate says Host and Origin itself; MLflow need not guess whom it serves.
        "MLFLOW_SERVER_ALLOWED_HOSTS": "localhost",
        "MLFLOW_SERVER_X_FRAME_OPTIONS": "SAMEORIGIN",
        # Parts of an upload go next to the artifacts, not onto another disk.
        "TMPDIR": str(place / "tmp"),
        **_object_store(settings),
    }


def _object_store(settings: Settings) -> dict[str, str]:
    """How boto3 reaches the bucket of the artifacts: as the platform reaches its own."""
    if not settings.experiments_artifacts.startswith("s3://"):
        return {}
    given = settings.s3_credentials()
    told = {
        "MLFLOW_S3_ENDPOINT_URL": settings.s3_endpoint,
        "AWS_DEFAULT_REGION": settings.s3_region or ("us-east-1" if settings.s3_endpoint else ""),
        "AWS_ACCESS_KEY_ID": given.get("access_key", ""),
        "AWS_SECRET_ACCESS_KEY": given.get("secret_key", ""),
        # Servers that only resemble S3 may not know the newer checksums.
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }
    return {name: value for name, value in told.items() if value}


def load(settings: Settings) -> Any:
    """Migrate the database, import MLflow and give its ASGI application. Takes seconds."""
    place = folder(settings)
    for name in ("artifacts", "tmp"):
        (place / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in (place / "tmp").iterdir():
        if left.is_file():
            left.unlink()
    os.environ.update(environment(settings))
    migrate(settings)
    from mlflow.server.fastapi_app import app
    from mlflow.server.handlers import initialize_backend_stores

    bound_answers()
    initialize_backend_stores()
    return app


def migrate(settings: Settings) -> None:
    """Make the database or bring it to this MLflow's schema. Raises NewerDatabase."""
    from mlflow.store.db import utils

    url = database(settings)
    engine = utils.create_sqlalchemy_engine_with_retry(url)
    try:
        if url.startswith("sqlite"):
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        if utils._is_empty_database(engine):
            utils._initialize_tables(engine)
        else:
            _move_on(settings, engine)
    finally:
        engine.dispose()
    _note_schema(settings)


def _move_on(settings: Settings, engine: Any) -> None:
    from alembic.script import ScriptDirectory
    from mlflow.store.db import utils

    current, newest = utils._get_schema_version(engine), utils._get_latest_schema_revision()
    if current == newest:
        return
    script = ScriptDirectory.from_config(utils._get_alembic_config(db_url=""))
    if current not in {revision.revision for revision in script.walk_revisions()}:
        raise NewerDatabase(
            "The experiments' database was written by a newer MLflow: "
            "update Smalti, or restore a backup."
        )
    if database(settings).startswith("sqlite"):
        back_up(settings)
    utils._upgrade_db(engine)


def _note_schema(settings: Settings) -> None:
    """Write down which MLflow the database is of: the next start then need not ask."""
    place = folder(settings) / "schema.json"
    text = json.dumps({"mlflow": metadata.version("mlflow")})
    if not place.exists() or place.read_text() != text:
        fresh = place.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(place)


def back_up(settings: Settings) -> Path:
    """Copy the SQLite database into `backups/`."""
    target = settings.root / "backups"
    target.mkdir(exist_ok=True, mode=0o700)
    path = target / datetime.now(UTC).strftime("experiments-%Y%m%dT%H%M%S.%fZ.sqlite")
    source = folder(settings) / "mlflow.sqlite"
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)
    path.chmod(0o600)
    return path


def bound_answers() -> None:
    """Let a slow reader of an answer hold up its writer, in place of filling the memory."""
    from mlflow.server import fastapi_app

    responder = fastapi_app._EfficientWSGIResponder
    original: Callable[..., None] = responder.__init__

    def bounded(self: Any, app: Any, scope: Any) -> None:
        original(self, app, scope)
        self.stream_send.close()
        self.stream_receive.close()
        self.stream_send, self.stream_receive = anyio.create_memory_object_stream(ANSWER_BUFFER)

    responder.__init__ = bounded


def ensure_workspace(project_id: str, experiment: str) -> None:
    """Make a project's workspace, with an experiment of the project's name, if not there.

    Runs find that name in MLFLOW_EXPERIMENT_NAME: made here, two that start at once need not
    race for it. Blocks; call it in a thread.
    """
    from mlflow.entities import Workspace
    from mlflow.exceptions import MlflowException
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.server.workspace_helpers import _get_workspace_store
    from mlflow.utils.workspace_context import (
        clear_server_request_workspace,
        set_server_request_workspace,
    )

    try:
        _get_workspace_store().create_workspace(Workspace(name=project_id))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    set_server_request_workspace(project_id)
    try:
        if _get_tracking_store().get_experiment_by_name(experiment) is None:
            _get_tracking_store().create_experiment(experiment, None, [])
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    finally:
        clear_server_request_workspace()


def tag_traces(project_id: str, trace_ids: set[str], tags: dict[str, str]) -> None:
    """Set tags on those of some traces that have none of them yet. Blocks; call it in a thread."""
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.utils.workspace_context import (
        clear_server_request_workspace,
        set_server_request_workspace,
    )

    set_server_request_workspace(project_id)
    try:
        store = _get_tracking_store()
        for trace_id in sorted(trace_ids):
            there = store.get_trace_info(trace_id).tags
            if not any(name in there for name in tags):
                for name, value in tags.items():
                    store.set_trace_tag(trace_id, name, value)
    finally:
        clear_server_request_workspace()


def index() -> Path:
    """The file of MLflow's first page."""
    from mlflow.server import app

    return Path(str(app.static_folder)) / "index.html"


def routes(app: Any) -> list[tuple[str, str]]:
    """List every (method, path) that MLflow's application answers; for the test of the table."""
    from mlflow.server import app as flask_app

    found: list[tuple[str, str]] = []
    for rule in flask_app.url_map.iter_rules():
        found += [(method, rule.rule) for method in rule.methods or () if method not in _IMPLIED]
    for entry in app.routes:
        found += _of_router(entry)
    return sorted(set(found))


_IMPLIED = ("HEAD", "OPTIONS")


def _of_router(entry: Any) -> list[tuple[str, str]]:
    included = getattr(entry, "original_router", None)
    if included is not None:
        prefix = entry.include_context.prefix
        return [(m, prefix + path) for route in included.routes for m, path in _of_router(route)]
    if not hasattr(entry, "methods"):
        return []  # the mount of the Flask application, which was listed by its own map
    return [(method, entry.path) for method in entry.methods or () if method not in _IMPLIED]
