"""`python -m services.platform`: the platform process of one SMALTI_HOME."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys

from services.core import logs
from services.core.database import Database
from services.core.settings import load_settings
from services.platform.migrate import DatabaseAway, NewerDatabase, migrate
from services.platform.wiring import wire
from services.vault import WrongKey

log = logging.getLogger("smalti.platform")

EX_CONFIG = 78  # sysexits.h: trying again without a change is of no use


async def _serve() -> None:
    settings = load_settings()
    migrate(settings)
    platform = wire(settings, Database(settings.database))
    listen = settings.places.listen
    port = platform.serve(settings.port("platform"), listen)
    # What is here now stays: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    log.info("listening on %s:%d", listen, port)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    log.info("stopping")
    await platform.close()


def main() -> int:
    """Run until told to stop."""
    logs.set_up()
    try:
        asyncio.run(_serve())
    except (NewerDatabase, WrongKey) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor passes this line on
        return EX_CONFIG
    except DatabaseAway as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
