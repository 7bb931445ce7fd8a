"""A process that adopts all that is in a namespace and says how much it holds in memory.

Usage: python -m tests.kubernetes.adopting SERVER NAMESPACE
"""

import asyncio
import sys
from pathlib import Path

from spawners.kubernetes.access import Access
from spawners.kubernetes.api import Api
from spawners.kubernetes.runtime import KubernetesRuntime
from spawners.kubernetes.settings import KubernetesSettings


async def main() -> None:
    settings = KubernetesSettings(sys.argv[2], "plane-1", "none", cpu=1.0, memory=1)
    runtime = KubernetesRuntime(settings, Api(Access(sys.argv[1], None)))
    await runtime.open()
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    sys.stdout.write(f"{len(runtime.states())} {peak}\n")
    await runtime.close()


asyncio.run(main())
