"""A project in a house, as tests of projects use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.house import House


@dataclass
class Made:
    """A project, its owner's token, and the house it is in."""

    house: House
    token: str
    project: dict[str, Any]

    @property
    def id(self) -> str:
        """The project's id."""
        return str(self.project["id"])

    @property
    def path(self) -> Path:
        """Its repository."""
        return self.house.home / "platform" / "git" / f"{self.id}.git"

    async def call(self, method: str, path: str = "", **more: Any) -> Any:
        """Call the API under this project, as its owner unless said otherwise."""
        more.setdefault("as_", self.token)
        return await self.house.call(method, f"/projects/{self.id}{path}", **more)

    async def put(self, path: str, content: bytes, **more: Any) -> Any:
        """Write a file."""
        return await self.call("PUT", f"/content/{path}", content=content, **more)


async def make(house: House, token: str, name: str, **more: Any) -> Made:
    """Make a project."""
    answer = await house.call("POST", "/projects", as_=token, json={"name": name, **more})
    assert answer.status_code in (201, 202), answer.text
    return Made(house, token, answer.json())
