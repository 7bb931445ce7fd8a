"""`smalti-admin preflight` against a small fake API that answers as a cluster's does."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.supervisor.keys import SECRETS
from services.supervisor.preflight.command import run
from services.supervisor.preflight.values import CHART, load, merged
from tests import postgres

EXAMPLES = CHART / "examples"


class Cluster:
    """What the fake cluster has and allows; tests change it."""

    def __init__(self) -> None:
        self.version = {"major": "1", "minor": "36+", "gitVersion": "v1.36.2"}
        self.denied: set[tuple[str, str]] = set()
        self.objects: dict[str, Any] = {
            "/apis/storage.k8s.io/v1/storageclasses": {"items": [self.storage_class("fast")]},
            "/apis/networking.k8s.io/v1/ingressclasses": {"items": []},
        }
        self.asked: list[str] = []

    def storage_class(self, name: str, provisioner: str = "nfs.csi.k8s.io") -> dict[str, Any]:
        """Make a class; `fast` is the default."""
        notes = {"storageclass.kubernetes.io/is-default-class": "true"} if name == "fast" else {}
        metadata = {"name": name, "annotations": notes}
        return {"metadata": metadata, "provisioner": provisioner}

    def secret(self, name: str, **values: str) -> None:
        """Put a Secret there."""
        data = {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}
        self.objects[f"/api/v1/namespaces/smalti/secrets/{name}"] = {"data": data}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Answer one request."""
        self.asked.append(f"{method} {path}")
        if path == "/version":
            return 200, self.version
        if path.endswith("selfsubjectaccessreviews"):
            wanted = body["spec"]["resourceAttributes"]
            allowed = (wanted["namespace"], wanted["resource"]) not in self.denied
            return 201, {"status": {"allowed": allowed}}
        if path in self.objects:
            return 200, self.objects[path]
        return 404, {"kind": "Status", "reason": "NotFound", "message": f"{path} not found"}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A fake cluster that KUBECONFIG names."""
    made = Cluster()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            status, value = made.answer(self.command, self.path, body)
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    config = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "it", "user": {"token": "secret"}}],
    }  # fmt: skip
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(file))
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def preflight(*files: Path) -> tuple[int, list[str]]:
    """Run it; give the exit status and what it wrote."""
    lines: list[str] = []
    return run("smalti", files, lines.append), lines


def values(tmp_path: Path, **said: Any) -> Path:
    """Write a file of values."""
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(said))
    return file


def after(lines: list[str], part: str) -> str:
    """Give the line that holds a part, with the remedy below it."""
    at = next(number for number, line in enumerate(lines) if part in line)
    return "\n".join(lines[at : at + 2])


def test_a_cluster_that_has_everything_passes(cluster: Cluster) -> None:
    status, lines = preflight(EXAMPLES / "trial.yaml")
    assert status == 0, lines
    assert all(line.startswith("ok ") for line in lines)
    assert not [one for one in cluster.asked if not one.startswith("GET")
                and "selfsubjectaccessreviews" not in one]  # fmt: skip


def test_too_old_a_cluster(cluster: Cluster) -> None:
    cluster.version = {"major": "1", "minor": "27", "gitVersion": "v1.27.3"}
    status, lines = preflight()
    assert status == 1
    assert after(lines, "v1.27.3") == (
        "BAD  the cluster is v1.27.3\n     Smalti needs Kubernetes 1.29 or newer: update it"
    )


def test_missing_rights_are_named(cluster: Cluster) -> None:
    cluster.denied = {("smalti", "deployments"), ("", "namespaces"), ("smalti-runs", "roles")}
    status, lines = preflight()
    found = after(lines, "rights are missing")
    assert status == 1
    assert "create deployments in smalti, roles in smalti-runs, namespaces" in found
    assert "workloads.create" in found


def test_storage_classes(cluster: Cluster, tmp_path: Path) -> None:
    classes = cluster.objects["/apis/storage.k8s.io/v1/storageclasses"]
    classes["items"] = [cluster.storage_class("disks", "ebs.csi.aws.com")]
    asked = values(tmp_path, platform={"storage": {"className": "disks"}},
                   agent={"storage": {"className": "gone"}})  # fmt: skip
    status, lines = preflight(asked)
    assert status == 1
    assert "platform.sameNode" in after(lines, "gives volumes to one node alone")
    assert "there are: disks" in after(lines, "there is no storage class gone")
    assert "no default storage class" in after(lines, "experiments.storage.className is empty")


def test_a_namespace_that_is_not_ours(cluster: Cluster) -> None:
    cluster.objects["/api/v1/namespaces/smalti-runs"] = {"metadata": {"name": "smalti-runs"}}
    assert "workloads.create to false" in after(preflight()[1], "not made by helm")


def test_ingress_and_secrets_that_are_named(cluster: Cluster) -> None:
    cluster.secret("smalti-secrets", **{key: "x" for key in SECRETS if key != "vault.key"})
    status, lines = preflight(EXAMPLES / "production.yaml")
    assert status == 1
    assert "install an ingress controller" in after(lines, "there is no ingress class nginx")
    assert "lacks vault.key, admin_password" in after(lines, "Secret smalti-secrets")
    assert "tls.crt, tls.key" in after(lines, "there is no Secret smalti-tls")
    assert "smalti.example.org" in after(lines, "does not resolve")


def test_databases_are_logged_into(
    cluster: Cluster, tmp_path: Path, postgres_server: postgres.Server
) -> None:
    from sqlalchemy.engine import make_url

    with postgres_server.database() as address:
        url = make_url(address)
        names = dict.fromkeys(("hub", "platform", "experiments"), url.database)
        external = {"host": url.host or str(url.query.get("host")), "port": url.port or 5432}
        database = {"mode": "external", "existingSecret": "passwords", "external": external,
                    "names": {**names, "hub": "nowhere"},
                    "users": dict.fromkeys(names, url.username)}  # fmt: skip
        cluster.secret("passwords", hub="", platform=url.password or "", experiments="")
        _, lines = preflight(values(tmp_path, database=database))
    assert any(line.startswith(f"ok   database {url.database} at") for line in lines), "\n".join(
        lines
    )
    assert "does not exist" in after(lines, "database nowhere at")


def test_a_bucket_that_cannot_be_reached(cluster: Cluster, tmp_path: Path) -> None:
    s3 = {"bucket": "objects", "endpoint": "http://127.0.0.1:1", "existingSecret": "s3"}
    cluster.secret("s3", **{"s3.json": json.dumps({"access_key": "a", "secret_key": "b"})})
    status, lines = preflight(values(tmp_path, objects={"mode": "s3", "s3": s3}))
    assert status == 1
    assert "make the bucket" in after(lines, "bucket objects: Could not connect")


def test_no_cluster_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump({
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "it", "user": {}}],
    }))  # fmt: skip
    monkeypatch.setenv("KUBECONFIG", str(config))
    status, lines = preflight()
    assert status == 1
    assert len(lines) == 2
    assert "cannot be asked" in lines[0]
    assert "KUBECONFIG" in lines[1]


def test_values_are_laid_over_each_other_as_helm_does(tmp_path: Path) -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": None, "e": 4}, "d": {}}) == {
        "a": {"c": 2, "e": 4},
        "d": {},
    }
    assert load([EXAMPLES / "trial.yaml"])["platform"]["sameNode"] is True
