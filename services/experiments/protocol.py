"""What the gate of experiments and the platform say to each other.

Owns the bodies of `/api/v1/experiments/...`, which the gate asks with a credential of its own,
and the names of secrets and headers that both know. Must never hold behaviour.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.core.shapes import RequestModel

PREFIX = "/services/mlflow"
GATE_TOKEN = "experiments.token"  # noqa: S105 - file with the gate's credential at the platform
PLATFORM_KEY = "experiments_platform.key"  # file with the platform's credential at the gate
WORKSPACE = "X-MLFLOW-WORKSPACE"
ENTER = "/services/smalti/experiments/enter"  # where a browser gets its session for MLflow
COOKIE = "smalti-experiments"

# What MLflow's client asks before anything else, once and without a second try: so it is
# answered while MLflow is starting, and by the platform while the gate is away. It tells
# nothing that depends on who asks.
SERVER_INFO = {
    "store_type": "SqlStore",
    "workspaces_enabled": True,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
    "presigned_upload_run_id_supported": False,
    "presigned_upload_model_id_supported": False,
    "features_enabled": {"gateway": False},
}
RETRY_AFTER = 5  # seconds; clients of seven tries, MLflow's own default, then do not give up


class Said(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(frozen=True)


class AccessRequest(RequestModel):
    """Whose credential is this, and what may they in a project?

    Exactly one of `token` (of an Authorization header) and `session` (of a browser's cookie).
    Without `project_id` the only project that the caller can see is meant, if there is one.
    """

    token: str | None = Field(default=None, max_length=512)
    session: str | None = Field(default=None, max_length=200)
    project_id: str | None = Field(default=None, max_length=64)


class RunFacts(Said):
    """What is known of the run that a token belongs to; nothing of it is said by the run."""

    kind: Literal["job", "session"]
    id: str
    commit: str
    environment: str  # "default/1@sha256:..."


class ProjectAccess(Said):
    """A project that the caller may see experiments of, and whether they may write there."""

    id: str
    owner: str
    name: str
    writes: bool

    @property
    def full_name(self) -> str:
        """Owner and name, as people write it."""
        return f"{self.owner}/{self.name}"


class AccessAnswer(Said):
    """Who it is (`known` False: nobody) and the project, None when it is none of theirs.

    `ambiguous`: no project was named and there are several.
    """

    known: bool
    person: str = ""
    run: RunFacts | None = None
    project: ProjectAccess | None = None
    ambiguous: bool = False


class ProjectsAnswer(Said):
    """The projects whose experiments a caller may see, by name."""

    known: bool
    projects: list[ProjectAccess] = []
