"""Who may do what: one matrix.

Vocabulary
    permission      what a route or action needs, one word for each kind of act
    platform role   what a person is on the whole platform
    project role    what a person is in one project; a project permission is had by role there
    principal       what kind of caller it is (person, run, service, agent, hub, anonymous)

`docs/reference/roles.md` shows this matrix and a test walks every route with every role.
Pure values only; `projects.authorize` applies the project half, the dispatcher the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PlatformRole(StrEnum):
    """What a person is on the whole platform."""

    ADMIN = "admin"
    SUPPORT = "support"
    LIBRARIAN = "librarian"
    PRACTITIONER = "practitioner"
    LITE = "lite"


class ProjectRole(StrEnum):
    """What a person is in one project."""

    OWNER = "owner"
    CONTRIBUTOR = "contributor"
    CONSUMER = "consumer"
    LAUNCHER = "launcher"


class Principal(StrEnum):
    """What kind of caller it is."""

    PERSON = "person"
    RUN = "run"
    SERVICE = "service"
    AGENT = "agent"
    HUB = "hub"
    GATE = "gate"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Grant:
    """To whom a permission is given.

    Empty `project` and `platform` sets with `everyone` mean: every signed-in person.
    A project permission is also had by the platform roles named in `platform`.
    """

    platform: frozenset[PlatformRole] = frozenset()
    project: frozenset[ProjectRole] = frozenset()
    principals: frozenset[Principal] = frozenset({Principal.PERSON})
    everyone: bool = False
    writes: bool = False
    internal: bool = False  # also had by everybody in projects of visibility "internal"


class Permission(StrEnum):
    """What a route or action needs."""

    PUBLIC = "public"
    ME_READ = "me:read"
    PEOPLE_READ = "people:read"
    PEOPLE_MANAGE = "people:manage"
    TOKENS_MANAGE = "tokens:manage"
    PROJECTS_LIST = "projects:list"
    PROJECT_CREATE = "project:create"
    PROJECT_READ = "project:read"
    PROJECT_EDIT = "project:edit"
    PROJECT_DELETE = "project:delete"
    MEMBERS_READ = "members:read"
    MEMBERS_MANAGE = "members:manage"
    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    JOBS_LIST = "jobs:list"
    JOB_READ = "job:read"
    JOB_START = "job:start"
    JOB_STOP = "job:stop"
    OUTPUTS_READ = "outputs:read"
    WORKSPACES_LIST = "workspaces:list"
    WORKSPACE_READ = "workspace:read"
    WORKSPACE_START = "workspace:start"
    WORKSPACE_STOP = "workspace:stop"
    ENVIRONMENTS_READ = "environments:read"
    TIERS_READ = "tiers:read"
    TIERS_MANAGE = "tiers:manage"
    PLANES_READ = "planes:read"
    PLANES_MANAGE = "planes:manage"
    EVENTS_READ = "events:read"
    SECRETS_READ = "secrets:read"
    SECRETS_MANAGE = "secrets:manage"
    PROJECT_SECRETS_READ = "project-secrets:read"
    PROJECT_SECRETS_MANAGE = "project-secrets:manage"
    SECRETS_USE = "secrets:use"
    VAULT_READ = "vault:read"
    VAULT_MANAGE = "vault:manage"
    AUDIT_READ = "audit:read"
    EXPERIMENTS_READ = "experiments:read"
    EXPERIMENTS_WRITE = "experiments:write"
    EXPERIMENTS_GATE = "experiments:gate"
    AGENT_WORK = "agent:work"
    AGENT_ENROL = "agent:enrol"
    HUB_SPAWN = "hub:spawn"


_ADMIN = frozenset({PlatformRole.ADMIN})
_WATCHERS = frozenset({PlatformRole.ADMIN, PlatformRole.SUPPORT})
_OWNER = frozenset({ProjectRole.OWNER})
_WORKERS = frozenset({ProjectRole.OWNER, ProjectRole.CONTRIBUTOR})
_READERS = _WORKERS | {ProjectRole.CONSUMER}
_ALL_MEMBERS = _READERS | {ProjectRole.LAUNCHER}
_MAKERS = frozenset({PlatformRole.ADMIN, PlatformRole.LIBRARIAN, PlatformRole.PRACTITIONER})
_PEOPLE = frozenset({Principal.PERSON})
_CALLERS = frozenset({Principal.PERSON, Principal.RUN, Principal.SERVICE})
_NO_RUNS = frozenset({Principal.PERSON, Principal.SERVICE})
_NOBODY: frozenset[Principal] = frozenset()

GRANTS: dict[Permission, Grant] = {
    Permission.PUBLIC: Grant(everyone=True, principals=frozenset(Principal)),
    Permission.ME_READ: Grant(everyone=True, principals=_CALLERS),
    Permission.PEOPLE_READ: Grant(everyone=True, principals=_CALLERS),
    Permission.PEOPLE_MANAGE: Grant(platform=_ADMIN, writes=True),
    Permission.TOKENS_MANAGE: Grant(everyone=True, writes=True),
    Permission.PROJECTS_LIST: Grant(everyone=True, principals=_CALLERS),
    Permission.PROJECT_CREATE: Grant(platform=_MAKERS, writes=True),
    Permission.PROJECT_READ: Grant(_WATCHERS, _ALL_MEMBERS, _CALLERS, internal=True),
    Permission.PROJECT_EDIT: Grant(_ADMIN, _OWNER, _PEOPLE, writes=True),
    Permission.PROJECT_DELETE: Grant(_ADMIN, _OWNER, _PEOPLE, writes=True),
    Permission.MEMBERS_READ: Grant(_WATCHERS, _READERS, _CALLERS),
    Permission.MEMBERS_MANAGE: Grant(_ADMIN, _OWNER, _PEOPLE, writes=True),
    Permission.FILES_READ: Grant(_ADMIN, _WORKERS, _CALLERS, internal=True),
    Permission.FILES_WRITE: Grant(_ADMIN, _WORKERS, _CALLERS, writes=True),
    Permission.JOBS_LIST: Grant(everyone=True, principals=_CALLERS),
    Permission.JOB_READ: Grant(_WATCHERS, _READERS, _CALLERS),
    Permission.JOB_START: Grant(_ADMIN, _WORKERS, _CALLERS, writes=True),
    Permission.JOB_STOP: Grant(_ADMIN, _WORKERS, _CALLERS, writes=True),
    Permission.OUTPUTS_READ: Grant(_ADMIN, _READERS, _CALLERS),
    Permission.WORKSPACES_LIST: Grant(everyone=True, principals=_CALLERS),
    Permission.WORKSPACE_READ: Grant(_WATCHERS, _WORKERS, _CALLERS),
    # A workspace does all that its person may do in the project, so only the person's own login
    # makes and starts one, never a token that may have less.
    Permission.WORKSPACE_START: Grant(_ADMIN, _WORKERS, _PEOPLE, writes=True),
    Permission.WORKSPACE_STOP: Grant(_ADMIN, _WORKERS, _PEOPLE, writes=True),
    Permission.ENVIRONMENTS_READ: Grant(everyone=True, principals=_CALLERS),
    Permission.TIERS_READ: Grant(everyone=True, principals=_CALLERS),
    Permission.TIERS_MANAGE: Grant(platform=_ADMIN, writes=True),
    Permission.PLANES_READ: Grant(everyone=True, principals=_CALLERS),
    Permission.PLANES_MANAGE: Grant(platform=_ADMIN, writes=True),
    Permission.EVENTS_READ: Grant(everyone=True, principals=_CALLERS),
    # Names of secrets; their values are told to nobody but the runs that use them.
    Permission.SECRETS_READ: Grant(everyone=True, principals=_NO_RUNS),
    Permission.SECRETS_MANAGE: Grant(everyone=True, writes=True),
    Permission.PROJECT_SECRETS_READ: Grant(_WATCHERS, _WORKERS, _NO_RUNS),
    Permission.PROJECT_SECRETS_MANAGE: Grant(_ADMIN, _OWNER, _PEOPLE, writes=True),
    # What a run needs to be given secrets: had by whoever may start one, unless narrowed away.
    Permission.SECRETS_USE: Grant(_ADMIN, _WORKERS, _CALLERS),
    Permission.VAULT_READ: Grant(platform=_WATCHERS),
    Permission.VAULT_MANAGE: Grant(platform=_ADMIN, writes=True),
    Permission.AUDIT_READ: Grant(platform=_WATCHERS),
    Permission.EXPERIMENTS_READ: Grant(_WATCHERS, _READERS, _CALLERS),
    Permission.EXPERIMENTS_WRITE: Grant(_ADMIN, _WORKERS, _CALLERS, writes=True),
    # The process of experiments asks whom it may let in.
    Permission.EXPERIMENTS_GATE: Grant(
        principals=frozenset({Principal.GATE}), everyone=True, writes=True
    ),
    Permission.AGENT_WORK: Grant(
        principals=frozenset({Principal.AGENT}), everyone=True, writes=True
    ),
    # The hub's own process, which has checked who the person is.
    Permission.HUB_SPAWN: Grant(principals=frozenset({Principal.HUB}), everyone=True, writes=True),
    # The enrolment token in the body is the authority; nobody needs to be signed in.
    Permission.AGENT_ENROL: Grant(principals=frozenset(Principal), everyone=True),
}


def is_project_permission(permission: Permission) -> bool:
    """Tell whether the answer depends on the caller's role in a project."""
    return bool(GRANTS[permission].project)
