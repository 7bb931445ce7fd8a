"""Where an agent may have the front door led: where sessions answer, and nowhere else (S6, S16)."""

from __future__ import annotations

import pytest
from traitlets import TraitError

from services.core.settings import Settings
from services.workloads.interactive import may_lead_to

HERE = "127.0.0.1/32"
CLUSTER = "10.0.0.0/8, fc00::/7, 169.254.0.0/16"


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("http://127.0.0.1:20001", HERE),
        ("http://10.215.0.34:8888", CLUSTER),
        ("http://[fd00::1]:8888", CLUSTER),
    ],
)
def test_an_address_of_a_session(address: str, networks: str) -> None:
    assert may_lead_to(address, networks)


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("http://10.215.0.34:8888", HERE),
        ("http://127.0.0.1:20001", CLUSTER),
        ("http://169.254.169.254:80", CLUSTER),
        ("http://[fe80::1]:80", CLUSTER),
        ("http://8.8.8.8:80", CLUSTER),
        ("http://10.1.2.3:0", CLUSTER),
        ("http://10.1.2.3", CLUSTER),
        ("https://10.1.2.3:80", CLUSTER),
        ("http://10.1.2.3:80/x", CLUSTER),
        ("http://a@10.1.2.3:80", CLUSTER),
        ("http://010.1.2.3:80", CLUSTER),
        ("http://10.1.2.3.4:80", CLUSTER),
        ("http://hub.example.org:80", CLUSTER),
        ("http://10.1.2.3:80", ""),
    ],
)
def test_no_address_of_a_session(address: str, networks: str) -> None:
    assert not may_lead_to(address, networks)


def test_networks_that_are_none_are_refused() -> None:
    with pytest.raises(TraitError, match="session_networks"):
        Settings(session_networks="10.0.0.0/8, everywhere")
