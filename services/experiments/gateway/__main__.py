"""`python -m services.experiments.gateway`: the process `experiments` of one SMALTI_HOME."""

from __future__ import annotations

import asyncio
import logging
import sys

import uvicorn

from services.core import logs
from services.core.settings import Settings, load_settings
from services.experiments.gateway.access import Access
from services.experiments.gateway.gate import Gate
from services.experiments.gateway.loading import Mlflow
from services.experiments.gateway.mlflow_wiring import NewerDatabase

log = logging.getLogger("smalti.experiments")

EX_CONFIG = 78  # sysexits.h: trying again without a change is of no use
MOST_AT_ONCE = 500


def server_of(gate: Gate, port: int, address: str = "127.0.0.1") -> uvicorn.Server:
    """Make the server that listens for the gate, on the loopback address unless told otherwise."""
    config = uvicorn.Config(
        gate,
        host=address,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        limit_concurrency=MOST_AT_ONCE,
    )
    return uvicorn.Server(config)


async def _serve(settings: Settings) -> None:
    access, mlflow = Access(settings), Mlflow()
    gate = Gate(settings, access, mlflow)
    server = server_of(gate, settings.port("experiments"), settings.places.listen)
    serving = asyncio.create_task(server.serve())
    loading = asyncio.create_task(mlflow.load(settings))
    await asyncio.wait({serving, loading}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if loading.done():
            loading.result()
        await serving
    finally:
        server.should_exit = True
        await access.close()


def main() -> int:
    """Run until told to stop."""
    logs.set_up()
    try:
        asyncio.run(_serve(load_settings()))
    except NewerDatabase as error:
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor passes this line on
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
