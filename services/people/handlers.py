"""HTTP of people, groups and tokens."""

from __future__ import annotations

from services.core.paging import Page
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.people import actions, newcomers, token_actions
from services.people.schemas import (
    GroupsQuery,
    GroupView,
    MeView,
    NewPersonView,
    NewTokenView,
    OneTimePasswordView,
    PeopleQuery,
    PersonChange,
    PersonCreate,
    PersonView,
    TokenCreate,
    TokensQuery,
    TokenView,
)

routes = Routes("people")


@routes.get("/me", Permission.ME_READ, answer=MeView)
async def me(call: Call) -> MeView:
    """Say who the caller is."""
    return await actions.me(call.work)


@routes.get("/people", Permission.PEOPLE_READ, query=PeopleQuery, answer=Page[PersonView])
async def index(call: Call) -> Page[PersonView]:
    """List people, the newest first; who may not list all must name one."""
    return await actions.list_people(call.work, call.query(PeopleQuery))


@routes.post(
    "/people",
    Permission.PEOPLE_MANAGE,
    body=PersonCreate,
    answer=NewPersonView,
    status=201,
    keep=False,
)
async def create(call: Call) -> NewPersonView:
    """Add a person with a one-time password, which is shown this once."""
    return await newcomers.create(call.work, call.body(PersonCreate))


@routes.post(
    "/people/{id}/password", Permission.PEOPLE_MANAGE, answer=OneTimePasswordView, keep=False
)
async def renew_password(call: Call) -> OneTimePasswordView:
    """Give a new one-time password to somebody who has never logged in."""
    return await newcomers.renew(call.work, call.path["id"])


@routes.get("/people/{id}", Permission.PEOPLE_READ, answer=PersonView, etag=True)
async def show(call: Call) -> PersonView:
    """Show a person."""
    return await actions.show(call.work, call.path["id"])


@routes.patch(
    "/people/{id}", Permission.PEOPLE_MANAGE, body=PersonChange, answer=PersonView, etag=True
)
async def change(call: Call) -> PersonView:
    """Change a person's roles, state or displayed name."""
    return await actions.change(call.work, call.path["id"], call.body(PersonChange))


@routes.get("/groups", Permission.PEOPLE_READ, query=GroupsQuery, answer=Page[GroupView])
async def groups(call: Call) -> Page[GroupView]:
    """List groups by name: all for administrators and support, their own for others."""
    return await actions.list_groups(call.work, call.query(GroupsQuery))


@routes.get("/tokens", Permission.TOKENS_MANAGE, query=TokensQuery, answer=Page[TokenView])
async def list_tokens(call: Call) -> Page[TokenView]:
    """List the caller's service tokens, the newest first."""
    return await token_actions.list_tokens(call.work, call.query(TokensQuery))


@routes.post(
    "/tokens",
    Permission.TOKENS_MANAGE,
    body=TokenCreate,
    answer=NewTokenView,
    status=201,
    keep=False,
)
async def create_token(call: Call) -> NewTokenView:
    """Make a service token; its secret is shown this once."""
    return await token_actions.create(call.work, call.body(TokenCreate))


@routes.delete("/tokens/{id}", Permission.TOKENS_MANAGE)
async def delete_token(call: Call) -> None:
    """End a service token."""
    await token_actions.delete(call.work, call.path["id"])
