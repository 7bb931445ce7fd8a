"""Who is asking: the one shape that every kind of credential resolves to."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.rights import GRANTS, Permission, PlatformRole, Principal, is_project_permission


@dataclass(frozen=True)
class Actor:
    """A caller whose credential has been checked.

    `id` is the id of the person, run, service or agent; `person_id` the person on whose
    behalf it acts (of a person: the same). `rights`, where set, narrows what the credential
    may do to these permissions; `project_id`, where set, to this one project.
    """

    kind: Principal
    id: str
    name: str
    person_id: str | None = None
    roles: frozenset[PlatformRole] = frozenset()
    groups: tuple[str, ...] = ()
    rights: frozenset[Permission] | None = None
    project_id: str | None = None
    plane_id: str | None = None
    credential: str = ""  # a name for the credential (its id or a hash), never the secret

    @property
    def is_admin(self) -> bool:
        """Tell whether this is a person (or a credential of one) who runs the platform."""
        return PlatformRole.ADMIN in self.roles

    def may(self, permission: Permission) -> bool:
        """Tell what can be told without a project.

        Of a project permission: whether this kind of caller, with this credential, could
        have it anywhere; `projects.authorize` decides for one project.
        """
        grant = GRANTS[permission]
        if self.kind is Principal.SYSTEM:
            return True
        if self.kind not in grant.principals:
            return False
        if self.rights is not None and permission not in self.rights | _ALWAYS:
            return False
        if grant.everyone or is_project_permission(permission):
            return True
        return bool(self.roles & grant.platform)


_ALWAYS = frozenset({Permission.PUBLIC, Permission.ME_READ})

ANONYMOUS = Actor(Principal.ANONYMOUS, "", "anonymous")
SYSTEM = Actor(Principal.SYSTEM, "system", "system")
