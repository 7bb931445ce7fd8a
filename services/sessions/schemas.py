"""Bodies and views of workspaces. Times in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.core.paging import PageQuery
from services.core.shapes import RequestModel
from services.people import PersonName
from services.sessions import rules
from services.sessions.rules import Status


def _name(name: str) -> str:
    wrong = rules.what_is_wrong_with_name(name)
    if wrong is not None:
        raise PydanticCustomError("workspace_name", "{wrong}", {"wrong": wrong})
    return name


def _title(title: str) -> str:
    wrong = rules.what_is_wrong_with_title(title)
    if wrong is not None:
        raise PydanticCustomError("workspace_title", "{wrong}", {"wrong": wrong})
    return title


Name = Annotated[
    str,
    AfterValidator(_name),
    Field(
        description="Unique among its person's workspaces; stands in its address.",
        json_schema_extra={"minLength": 1, "maxLength": rules.NAME_LONGEST, "pattern": rules.NAME},
    ),
]
Title = Annotated[
    str,
    AfterValidator(_title),
    Field(json_schema_extra={"minLength": 1, "maxLength": rules.TITLE_LONGEST}),
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=250)]
TierName = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Revision = Annotated[int, Field(ge=1, le=1_000_000)]
Tool = Literal["jupyterlab"]


class WorkspaceCreate(RequestModel):
    """A workspace to make; it is not started by this."""

    project_id: Id
    name: Name | None = Field(None, description="Derived from the project's name if null.")
    title: Title | None = None
    tool: Tool = "jupyterlab"
    environment_id: Id | None = None
    revision: Revision | None = None
    tier: TierName | None = None
    branch: Ref | None = Field(None, description="Branch, tag or commit; else the default branch.")


class WorkspaceChange(RequestModel):
    """Changes of a workspace, for its next start; what is absent stays."""

    title: Title | None = None
    environment_id: Id | None = None
    revision: Revision | None = Field(None, description="Null: the newest that is ready.")
    tier: TierName | None = Field(None, description="Null: the project's or the default one.")
    branch: Ref | None = Field(None, description="Only until its first start.")


class KeepRequest(RequestModel):
    """Until when a running workspace is kept though nothing happens in it."""

    until: AwareDatetime | None = Field(description="Null gives the lease back.")


class WorkspacesQuery(PageQuery):
    """Filters of the list of workspaces; it shows the newest first."""

    project_id: Id | None = None
    person: Id | None = Field(None, description="Id of a person.")
    status: Status | None = None
    name: str | None = Field(None, max_length=rules.NAME_LONGEST, description="Exactly this name.")
    deleted: bool = Field(False, description="Those that were deleted and can be had back.")


class WorkspaceView(BaseModel):
    """A workspace as it stands. `url` is where it answers, while it does."""

    id: str
    name: str
    title: str
    project_id: str
    project: str
    owner: PersonName
    tool: str
    environment_id: str
    revision: int | None
    tier: str | None
    branch: str
    status: Status
    reason: str | None
    target: Literal["running", "stopped"]
    url: str | None
    workload_id: str | None
    starts: int
    started_at: datetime | None
    usual_start: float | None = Field(
        description="Of one that is starting: seconds that the last starts here took, the median."
    )
    last_activity_at: datetime | None
    busy: str | None = Field(description="What works in it and must not be disturbed.")
    ends_at: datetime | None = Field(description="When it is ended if nothing more happens.")
    keep_until: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    gone_at: datetime | None = Field(description="Of a deleted one: until when it can be had back.")


# -- what the hub's process says and hears ----------------------------------------------------

PrivateName = Annotated[str, StringConstraints(pattern=r"^JUPYTERHUB_[A-Z0-9_]{1,60}$")]
PrivateValue = Annotated[str, StringConstraints(max_length=8000)]


class HubOptions(RequestModel):
    """What somebody chose at the hub: all names, all optional but for a new workspace's project."""

    project: str | None = Field(default=None, max_length=330, description="Id, or OWNER/NAME.")
    environment: str | None = Field(default=None, max_length=64, description="Id or name.")
    revision: Revision | None = None
    tier: TierName | None = None
    branch: Ref | None = None
    tool: Tool | None = None
    ticket: str | None = Field(
        default=None, max_length=36, description="Of a start that we asked for."
    )


class HubCheck(RequestModel):
    """A start that somebody wishes for at the hub; `created` is the hub user's."""

    created: AwareDatetime
    options: HubOptions = HubOptions()


class HubStart(HubCheck):
    """A start of a named server. The same `start_key` again is the same start."""

    start_key: str = Field(min_length=16, max_length=64, pattern=r"^[0-9a-f]+$")
    title: str | None = Field(default=None, max_length=255)
    base_url: str = Field(max_length=512, pattern=r"^/[A-Za-z0-9@%._~/-]*/$")
    url: str = Field(max_length=2000, pattern=r"^https?://[^\s]+$")
    private: dict[PrivateName, PrivateValue] = Field(default={}, max_length=60, repr=False)


class HubStop(RequestModel):
    """A stop of a named server: of a workload, or without one of what a start has led to."""

    created: AwareDatetime
    workload_id: str | None = Field(default=None, max_length=36)
    start_key: str = Field(default="", max_length=64)


class HubLook(BaseModel):
    """Which start is asked after, and how long to wait for news."""

    created: AwareDatetime
    workload_id: str | None = Field(default=None, max_length=36)
    seen: str = Field(default="", max_length=64)
    wait: float = Field(default=0.0, ge=0.0, le=30.0, allow_inf_nan=False)


class HubSession(BaseModel):
    """How a named server stands; `over` when it does not run and is not about to."""

    workload_id: str | None
    status: str
    reason: str | None
    address: str | None
    over: bool
    seen: str


class Choice(BaseModel):
    """One thing to choose, for a form."""

    value: str
    text: str


class HubChoices(BaseModel):
    """What somebody may choose for a new workspace."""

    projects: list[Choice]
    environments: list[Choice]
    tiers: list[Choice]
    workspace: str | None = Field(description="Project of the workspace that has the name already.")
