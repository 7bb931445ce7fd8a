"""Fixtures of tests of projects: a git client, and a project of alice's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import House
from tests.projects.git import Client
from tests.projects.made import Made, make


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A git client."""
    return Client(tmp_path / "client")


@pytest.fixture
async def made(house: House) -> Made:
    """Alice's project `wine`, empty."""
    return await make(house, await house.sign_in("alice"), "wine")
