"""MLflow behind the gate, attacked by what is sent: S5, S6, S8 to S12 for this surface."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.experiments.lab import MLFLOW, Lab

HTML = b"<html><script>parent.document.title = 'owned'</script></html>"


CLIMBS = [
    "../../../../etc/passwd", "..%2f..%2f..%2fetc/passwd", "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc", "..%5c..%5cetc", "a/%2e%2e/%2e%2e/b", "%c0%ae%c0%ae/etc", "a//b",
    "%00", "..;/etc", "%25252e%25252e/x",
]  # fmt: skip


@pytest.mark.parametrize("climb", CLIMBS)
def test_s5_no_artifact_path_leaves_its_root(experiments: Lab, climb: str) -> None:
    run_id, exp = experiments.new_run("ada", experiments.mine)
    token, port = experiments.tokens["ada"], experiments.smalti.ports()["experiments"]
    for method in ("GET", "PUT", "DELETE"):
        # By hand: a client would tidy the path up before it is sent.
        path = f"{MLFLOW}/api/2.0/mlflow-artifacts/artifacts/{exp}/{climb}"
        request = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"X-MLFLOW-WORKSPACE: {experiments.mine}\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(request.encode())
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        status = int(answer.split(b" ", 2)[1])
        assert status in ((400, 404) if climb != "..;/etc" else (200, 400, 404)), (method, climb)
        assert b"root:" not in answer
    with experiments.as_("ada", experiments.mine) as ada:
        for route in ("/get-artifact", "/api/2.0/mlflow/artifacts/list"):
            ada.base_url = httpx.URL(f"http://127.0.0.1:{port}{MLFLOW}")
            answer = ada.get(f"{route}?run_id={run_id}&path={climb}")
            assert answer.status_code in (400, 404, 500) or answer.json().get("files") in (None, [])
            assert "root:" not in answer.text


def test_s6_no_address_outside_is_taken_or_fetched(experiments: Lab) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    came: list[str] = []

    def wait_for_calls() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            came.append(line.recv(1000).decode("latin-1"))
            line.close()

    thread = threading.Thread(target=wait_for_calls, daemon=True)
    thread.start()
    here = f"http://127.0.0.1:{listener.getsockname()[1]}"
    run_id, _ = experiments.new_run("ada", experiments.mine)
    with experiments.as_("ada", experiments.mine) as ada:
        ada.post("/api/2.0/mlflow/registered-models/create", json={"name": "outside"})
        for where in (
            f"{here}/x",
            "file:///etc",
            "/etc",
            "s3://bucket/x",
            f"mlflow-artifacts://{here[7:]}/x",
        ):
            made = ada.post(
                "/api/2.0/mlflow/experiments/create",
                json={"name": f"e {where}", "artifactLocation": where},
            )
            assert made.status_code == 400
            made = ada.post(
                "/api/2.0/mlflow/model-versions/create",
                json={"name": "outside", "source": where, "run_id": run_id},
            )
            assert made.status_code == 400, where
        other = f"mlflow-artifacts:/workspaces/{experiments.theirs}/1/x/artifacts"
        for source in (other, f"runs:/{'0' * 32}/m", "models:/bobs/1"):
            made = ada.post(
                "/api/2.0/mlflow/model-versions/create",
                json={"name": "outside", "source": source, "run_id": run_id},
            )
            assert made.status_code in (400, 404), (source, made.text)
    listener.close()
    assert came == []


def test_s8_a_poisoned_model_is_kept_and_never_opened(experiments: Lab, tmp_path: Path) -> None:
    bait = tmp_path / "opened"
    code = f"import pathlib; pathlib.Path({str(bait)!r}).touch()"
    poison = b"cbuiltins\nexec\n(V" + code.encode() + b"\ntR."
    run_id, exp = experiments.new_run("ada", experiments.mine)
    with experiments.as_("ada", experiments.mine) as ada:
        root = f"/api/2.0/mlflow-artifacts/artifacts/{exp}/{run_id}/artifacts/model"
        described = b"flavors:\n  python_function:\n    loader_module: os\n"
        for name, content in (("model.pkl", poison), ("MLmodel", described)):
            assert ada.put(f"{root}/{name}", content=content).status_code == 200
        ada.post("/api/2.0/mlflow/registered-models/create", json={"name": "poison"})
        source = {"name": "poison", "source": f"runs:/{run_id}/model", "run_id": run_id}
        assert ada.post("/api/2.0/mlflow/model-versions/create", json=source).status_code == 200
        assert ada.get(f"{root}/model.pkl").content == poison
    with experiments.smalti.client("ada") as client:
        shown = client.get(f"/projects/{experiments.mine}/models/poison/versions/1")
        assert shown.json()["lineage"]["experiment_run_id"] == run_id
    assert not bait.exists()


def test_s10_a_file_never_runs_as_a_page_of_ours(experiments: Lab) -> None:
    run_id, exp = experiments.new_run("ada", experiments.mine)
    port = experiments.smalti.ports()["experiments"]
    with experiments.as_("ada", experiments.mine) as ada:
        ada.base_url = httpx.URL(f"http://127.0.0.1:{port}{MLFLOW}")
        root = f"/api/2.0/mlflow-artifacts/artifacts/{exp}/{run_id}/artifacts"
        for name in ("x.html", "x.svg", "x.xml", "x.js", "x"):
            assert ada.put(f"{root}/{name}", content=HTML).status_code == 200
            for path in (
                f"{root}/{name}",
                f"{root.replace('/api/', '/ajax-api/')}/{name}",
                f"/get-artifact?run_id={run_id}&path={name}",
            ):
                answer = ada.get(path)
                assert answer.status_code == 200
                assert answer.content == HTML
                assert answer.headers["content-disposition"].startswith("attachment")
                assert answer.headers["content-security-policy"].startswith("sandbox;")
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert "access-control-allow-origin" not in answer.headers


def test_s9_no_other_site_s_page_can_act(experiments: Lab) -> None:
    """Whoever is logged in by browser, and visits a bad page meanwhile."""
    smalti = experiments.smalti
    with smalti.browse() as browser:
        smalti.log_in(smalti.admin, smalti.password or "", browser)
        browser.follow_redirects = True
        page = browser.get(f"{MLFLOW}/")
        assert page.status_code == 200, page.text
        assert "script-src 'self' 'unsafe-eval'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
        cookie = next(c for c in browser.cookies.jar if c.name == "smalti-experiments")
        assert cookie.path == f"{MLFLOW}/"
        assert cookie.has_nonstandard_attr("HttpOnly")
        browser.follow_redirects = False
        ask = {"X-MLFLOW-WORKSPACE": experiments.mine}
        path, body = f"{MLFLOW}/ajax-api/2.0/mlflow/experiments/search", {"max_results": 1}
        good = {**ask, "Sec-Fetch-Site": "same-origin"}
        assert browser.post(path, json=body, headers=good).status_code == 200
        origin = {**ask, "Origin": smalti.origin}
        assert browser.post(path, json=body, headers=origin).status_code == 200
        for bad in (
            {},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site", "Origin": smalti.origin},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": f"http://ada.localhost:{smalti.port}"},
        ):
            assert browser.post(path, json=body, headers={**ask, **bad}).status_code == 403, bad
        framed = {**ask, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert browser.get(f"{MLFLOW}/version", headers=framed).status_code == 403
        # Worth nothing at the console, and where to go afterwards is ours alone.
        stolen = {"Cookie": f"smalti-session={cookie.value}"}
        assert httpx.get(f"{smalti.api}/me", headers=stolen).status_code == 401
        for wanted in ("//evil.example", "http://evil.example", "/services/mlflow/../hub", "/hub"):
            moved = browser.get("/services/smalti/experiments/enter", params={"next": wanted})
            assert moved.headers["location"] == f"{MLFLOW}/"


def test_s12_bodies_are_bounded_and_large_files_stream(experiments: Lab) -> None:
    run_id, exp = experiments.new_run("ada", experiments.mine)
    process = psutil.Process(experiments.smalti.pid("experiments"))
    port = experiments.smalti.ports()["experiments"]
    with experiments.as_("ada", experiments.mine) as ada:
        ada.base_url = httpx.URL(f"http://127.0.0.1:{port}{MLFLOW}")
        large = b"{" + b" " * (33 << 20) + b"}"
        for headers in ({}, {"Transfer-Encoding": "chunked"}):
            content = large if not headers else iter([large])
            try:
                answer = ada.post("/api/2.0/mlflow/runs/log-batch", content=content)
            except httpx.TransportError:
                continue  # the line was cut while it was still being sent
            assert answer.status_code == 413
            assert "32 MiB" in answer.json()["message"]
        deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
        assert ada.post("/api/2.0/mlflow/runs/log-batch", content=deep).status_code == 400
        path = f"/api/2.0/mlflow-artifacts/artifacts/{exp}/{run_id}/artifacts/large.bin"
        before, peak = process.memory_info().rss, 0
        piece = bytes(1 << 20)

        def gigabyte() -> Any:
            nonlocal peak
            for number in range(1024):
                if number % 64 == 0:
                    peak = max(peak, process.memory_info().rss)
                yield piece

        assert ada.put(path, content=gigabyte(), timeout=300).status_code == 200
        by_page = f"/get-artifact?run_id={run_id}&path=large.bin"
        for where in (path, by_page):
            size = 0
            with ada.stream("GET", where, timeout=300) as answer:
                assert answer.status_code == 200, where
                for got in answer.iter_bytes(1 << 20):
                    size += len(got)
                    if size % (64 << 20) == 0:
                        peak = max(peak, process.memory_info().rss)
            assert size == 1 << 30
        assert peak - before < 60 << 20
        assert ada.delete(path).status_code == 200


def test_s11_no_token_is_written_down(experiments: Lab) -> None:
    secrets = [*experiments.tokens.values(), experiments.smalti.token()]
    for name in ("experiments.token", "experiments_platform.key"):
        secrets.append((experiments.smalti.home / "secrets" / name).read_text().strip())
        assert (experiments.smalti.home / "secrets" / name).stat().st_mode & 0o077 == 0
    for file in experiments.smalti.home.rglob("*"):
        if not file.is_file() or file.parent.name == "secrets" or file.stat().st_size > 50 << 20:
            continue
        content = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, file
