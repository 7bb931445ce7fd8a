"""The client's own flows with MLflow's data in PostgreSQL and artifacts on S3 (SeaweedFS)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.experiments.lab import Lab
from tests.experiments.test_client import FLOWS
from tests.storage.seaweed import ACCESS, SECRET, Seaweed, seaweed

BUCKET = "experiments"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """An S3 server with a bucket."""
    with seaweed(tmp_path_factory.mktemp("s3")) as made:
        made.client().create_bucket(Bucket=BUCKET)
        yield made


@pytest.fixture(scope="module")
def database(postgres_server: postgres.Server) -> Iterator[str]:
    """An empty database of PostgreSQL."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="module")
def elsewhere(
    store: Seaweed, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """A Smalti whose experiments are kept by others."""
    made = Lab(tmp_path_factory.mktemp("elsewhere"))
    config = made.smalti.home / "smalti_config.py"
    with config.open("a") as file:
        file.write(f"c.Settings.experiments_database_url = {database!r}\n")
        file.write(f"c.Settings.experiments_artifacts = 's3://{BUCKET}/mlflow'\n")
        file.write(f"c.Settings.s3_endpoint = {store.endpoint!r}\n")
    secrets = made.smalti.home / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "s3.json").touch(mode=0o600)
    (secrets / "s3.json").write_text(json.dumps({"access_key": ACCESS, "secret_key": SECRET}))
    try:
        made.start()
        yield made
    finally:
        made.smalti.__exit__(None, None, None)


@pytest.mark.timeout(400)
def test_the_clients_flows_and_where_things_are_kept(
    elsewhere: Lab, store: Seaweed, tmp_path: Path
) -> None:
    variables = elsewhere.variables(elsewhere.tokens["ada"], elsewhere.mine)
    found = elsewhere.run_client(FLOWS, variables, tmp_path, seconds=300)
    assert found["metrics"] == 101
    assert found["text"] == "grüße"
    assert found["files"] == ["big.bin", "d.json", "notes"]
    assert found["size"] == 3_000_000
    assert found["version"] == ["1", True, True]
    assert found["predicted"] == 60
    assert found["trace"] == ["ada", 1]
    kept = store.client().list_objects_v2(Bucket=BUCKET)["Contents"]
    names = [one["Key"] for one in kept]
    assert all(name.startswith(f"mlflow/workspaces/{elsewhere.mine}/") for name in names)
    assert any(name.endswith("/big.bin") for name in names)
    folder = elsewhere.smalti.home / "experiments"
    assert not (folder / "mlflow.sqlite").exists()
    assert list((folder / "artifacts").rglob("*")) == []
    left = [one.name for one in (folder / "tmp").iterdir()]
    assert [name for name in left if not name.startswith("db_init_lock")] == []
    assert json.loads((folder / "schema.json").read_text()) == {"mlflow": "3.17.2"}
    assert SECRET not in elsewhere.smalti.logs()
