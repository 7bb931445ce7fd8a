"""The platform's event loop stays free while many ask at once: nothing blocks it."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.e2e.conftest import Person

SECONDS, CLIENTS, LAG = 8.0, 8, 0.05
_BUCKET = re.compile(r'smalti_event_loop_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.]+)')


def lags(base: str) -> dict[float, float]:
    """How many lags there have been so far up to each bound."""
    text = httpx.get(f"{base}/metrics", timeout=10).text
    return {float(bound): float(count) for bound, count in _BUCKET.findall(text)}


def load(person: Person, project_id: str, until: float) -> int:
    """Ask for everything that is heavy, again and again."""
    asked = 0
    with person.smalti.client() as client:
        while time.monotonic() < until:
            body: dict[str, Any] = {"project_id": project_id, "command": ["true"]}
            for answer in (
                client.get("/jobs?limit=200"),
                client.post("/jobs", json=body),
                client.put(f"/projects/{project_id}/content/big.bin", content=bytes(4 << 20)),
                client.get(f"/projects/{project_id}/files"),
                client.get(f"/projects/{project_id}/content/big.bin"),
                client.get("/audit-events?limit=200"),
            ):
                assert answer.status_code < 500, answer.text
                asked += 1
    return asked


def test_the_loop_comes_back_in_time_under_load(admin: Person) -> None:
    smalti = admin.smalti
    with smalti.client() as client:
        made = client.post("/projects", json={"name": "busy"})
        project_id = made.json()["id"]
        client.put(f"/projects/{project_id}/content/a.py", content=b"1\n").raise_for_status()
    before = lags(smalti.base)
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(CLIENTS) as threads:
        asked = list(threads.map(lambda _: load(admin, project_id, until), range(CLIENTS)))
    after = lags(smalti.base)
    whole = after[float("inf")] - before[float("inf")]
    late = whole - (after[LAG] - before[LAG])
    assert min(asked) > 0
    assert whole >= SECONDS  # looks, four a second when the loop is free
    assert late / whole <= 0.05, f"{late:.0f} of {whole:.0f} looks were more than 50 ms late"
