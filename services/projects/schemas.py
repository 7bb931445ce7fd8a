"""What the API says and takes about projects, members and files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.core.paging import PageQuery
from services.core.rights import ProjectRole
from services.core.shapes import RequestModel
from services.people import PersonName
from services.projects import rules
from services.projects.rules import Status, Visibility


def _name(name: str) -> str:
    wrong = rules.what_is_wrong_with_name(name)
    if wrong is not None:
        raise PydanticCustomError("project_name", "{wrong}", {"wrong": wrong})
    return name


def _branch(name: str) -> str:
    if not rules.is_ref_name(name):
        raise PydanticCustomError("branch", "this cannot be a branch's name")
    return name


Name = Annotated[
    str,
    AfterValidator(_name),
    Field(
        description="Unique among its owner's projects.",
        json_schema_extra={
            "minLength": 1,
            "maxLength": rules.NAME_LONGEST,
            "pattern": f"^{rules.NAME.pattern}$",
        },
    ),
]
Branch = Annotated[
    str, AfterValidator(_branch), Field(json_schema_extra={"maxLength": rules.REF_LONGEST})
]
Description = Annotated[str, Field(max_length=10_000)]
Url = Annotated[str, Field(min_length=1, max_length=2000)]
Ref = Annotated[
    str | None,
    Field(max_length=rules.REF_LONGEST, description="Branch, tag or commit; else the default."),
]


class ProjectView(BaseModel):
    """A project. `role` is the caller's, null for those who see it without being members."""

    id: str
    owner: PersonName
    name: str
    description: str
    visibility: Visibility
    default_environment_id: str | None
    default_tier: str | None
    default_branch: str
    role: ProjectRole | None
    status: Status = Field(description="Whether its files are there, or still being imported.")
    status_reason: str | None
    clone_url: str
    created_at: datetime
    updated_at: datetime


class ProjectCreate(RequestModel):
    """A new project: empty, begun from an example, or imported from a repository elsewhere."""

    name: Name
    description: Description = ""
    visibility: Visibility = Visibility.PRIVATE
    example: str | None = Field(None, min_length=1, max_length=64)
    import_url: Url | None = Field(None, description="https address of a public git repository.")

    @model_validator(mode="after")
    def _one_beginning(self) -> ProjectCreate:
        if self.example is not None and self.import_url is not None:
            raise PydanticCustomError("beginning", "give example or import_url, not both")
        return self


class ProjectChange(RequestModel):
    """What is to change of a project; what is left out stays."""

    name: Name | None = None
    owner: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="Name or id of the member who takes it over.",
    )
    description: Description | None = None
    visibility: Visibility | None = None
    default_environment_id: str | None = Field(None, max_length=36)
    default_tier: str | None = Field(None, min_length=1, max_length=64)
    default_branch: Branch | None = None

    @model_validator(mode="after")
    def _not_null(self) -> ProjectChange:
        for name in ("name", "owner", "description", "visibility", "default_branch"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise PydanticCustomError("null", "{name} may not be null", {"name": name})
        return self

    def given(self) -> dict[str, Any]:
        """Give the fields that the caller named."""
        return self.model_dump(mode="json", exclude_unset=True)


class ProjectsQuery(PageQuery):
    """Which projects to list. With both owner and name, a former pair finds the project too."""

    owner: str | None = Field(None, max_length=255, description="Exactly this person's.")
    name: str | None = Field(None, max_length=64, description="Exactly this name.")
    search: str | None = Field(
        None, max_length=200, description="A part of the name, or of `owner/name`, in any case."
    )


class ExampleView(BaseModel):
    """An example that a project can begin from."""

    name: str
    description: str


class ExamplesView(BaseModel):
    """All examples."""

    items: list[ExampleView]
    next_cursor: str | None = None


class MemberView(BaseModel):
    """A person in a project."""

    person: PersonName
    role: ProjectRole
    added_at: datetime


class MemberAdd(RequestModel):
    """Somebody who is to be a member."""

    person: str = Field(min_length=1, max_length=255, description="The person's name or id.")
    role: ProjectRole


class MemberChange(RequestModel):
    """The role that a member is to have."""

    role: ProjectRole


class MembersQuery(PageQuery):
    """Which members to list."""


class FilesQuery(PageQuery):
    """Which folder to list, at which version."""

    ref: Ref = None
    path: str = Field("", max_length=rules.PATH_LONGEST, description="A folder; else the upper.")


class FileView(BaseModel):
    """An entry of a folder. Links are shown, never followed."""

    path: str
    name: str
    type: str = Field(description="file, directory, symlink or submodule")
    size: int | None
    mode: str
    object: str = Field(description="Id of the content: what ETag and If-Match hold.")


class FilesView(BaseModel):
    """A folder at a commit; an empty project has no commit yet."""

    commit: str | None
    path: str
    items: list[FileView]
    next_cursor: str | None = None


class ContentQuery(BaseModel):
    """At which version to read a file."""

    model_config = ConfigDict(extra="forbid")

    ref: Ref = None


class EditQuery(BaseModel):
    """Where an edit goes and what it is called."""

    model_config = ConfigDict(extra="forbid")

    branch: str | None = Field(None, max_length=rules.REF_LONGEST)
    message: str | None = Field(None, min_length=1, max_length=2000)


class AuthorView(BaseModel):
    """Who wrote a commit, as the commit says: this is no proof."""

    name: str
    email: str


class CommitView(BaseModel):
    """A commit."""

    id: str
    message: str
    author: AuthorView
    authored_at: datetime
    parents: list[str]


class ChangedFileView(BaseModel):
    """A file that a commit changed; no line counts for a binary one."""

    path: str
    old_path: str | None = Field(description="Where it was, when it was renamed.")
    status: str
    additions: int | None
    deletions: int | None


class CommitChangesView(CommitView):
    """A commit and what it changed against its first parent; `cut` when not all is shown."""

    files: list[ChangedFileView]
    patch: str
    cut: bool


class CommitsQuery(PageQuery):
    """Which commits to list, the newest first."""

    ref: Ref = None
    path: str | None = Field(None, max_length=rules.PATH_LONGEST, description="That touched this.")


class BranchView(BaseModel):
    """A branch and where it stands."""

    name: str
    commit: str
    default: bool


class BranchCreate(RequestModel):
    """A new branch."""

    name: Branch
    source: Ref = Field(None, alias="from")


class RefsQuery(PageQuery):
    """Which branches or tags to list."""


class TagView(BaseModel):
    """A tag and the commit that it means."""

    name: str
    commit: str
